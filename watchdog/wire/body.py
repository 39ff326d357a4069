"""Reading a body up to a size and no further, also when a small one unpacks to a big one."""

from __future__ import annotations

import zlib

import httpx


class TooLargeError(Exception):
    """More than the cap, sent or unpacked."""


class UndecodableError(Exception):
    """A content encoding that was not asked for, or one that is broken."""


async def read_body(response: httpx.Response, max_bytes: int) -> bytes:
    """The decoded body. Raises TooLargeError, UndecodableError and the transport's errors.

    httpx's own decoders unpack a whole part at once (64 KiB of gzip give 64 MiB), so that a cap
    behind them comes too late: here zlib itself is told how much room there is.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip", "deflate", ""}:
        raise UndecodableError(f"content encoding {encoding[:40]!r} was not asked for")
    unpack = None if encoding in {"identity", ""} else zlib.decompressobj(wbits=47)
    body = bytearray()
    seen_bytes = 0
    async for part in response.aiter_raw():
        seen_bytes += len(part)
        if unpack is None:
            body += part
        else:
            body += _unpacked(unpack, part, max_bytes - len(body))
        # Both count: empty gzip blocks could go on for ever without giving one byte.
        if len(body) > max_bytes or seen_bytes > max_bytes:
            raise TooLargeError(f"more than {max_bytes} bytes")
    if unpack is not None and seen_bytes and not unpack.eof:
        raise UndecodableError(f"{encoding} data ends in the middle")
    return bytes(body)


def _unpacked(unpack: zlib._Decompress, part: bytes, room_bytes: int) -> bytes:
    if unpack.eof:
        raise UndecodableError("data after the end of the compressed body")
    try:
        # One byte more than there is room for shows that there is more.
        out = unpack.decompress(part, room_bytes + 1)
    except zlib.error as error:
        raise UndecodableError(f"broken compressed body: {error}") from error
    if unpack.unused_data:
        raise UndecodableError("data after the end of the compressed body")
    return out
