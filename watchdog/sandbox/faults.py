"""Faults that the sandbox's servers can be told to have.

A fault names where it strikes (`on`) and what it does (`kind`); the numbers it needs stand beside.
The file is the only channel: every server process reads it at every request, so that a fault works
from the next request on, whoever wrote it, and lasts across restarts until it is cleared.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, get_args

from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from watchdog.sandbox.places import read_json, replace_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

Where = Literal["flag_read", "flag_write", "status", "health", "metrics"]
Kind = Literal[
    "answer",  # this status, headers and body instead of the real answer; nothing is applied
    "html",  # 200 with a login page
    "redirect",  # 302 to `location`
    "hang",  # wait `seconds`, then go on as usual
    "hang_after",  # apply, then wait `seconds` before answering
    "fail_after",  # apply, then answer 500
    "pretend",  # flag_write: answer success, change nothing
    "late",  # flag_read, status: serve what was true `seconds` ago
    "drip",  # send the body in `bytes_per_step`, one step every `seconds`
    "gzip_bomb",  # a small compressed body of `bytes` zeros
    "flood",  # a body of `bytes`, streamed
    "set",  # status: put `value` at the dotted `path` of the document
    "nan",  # metrics: every value is NaN
    "old_timestamps",  # metrics: samples carry a time `seconds` in the past
    "freeze",  # metrics: the page of the instant `at_monotonic`, again and again
]

LOGIN_PAGE = "<!doctype html><title>Sign in</title><form>Sign in to continue</form>"
_CHUNK_BYTES = 65536
_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong at one place, for ever or for the next `times` requests."""

    on: Where
    kind: Kind
    times: int | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    """What the kind needs: seconds, bytes, status, body, headers, location, path, value, ..."""
    key: str = ""

    def number(self, name: str, default: float) -> float:
        return float(self.numbers.get(name, default))


def fault_from(document: dict[str, Any]) -> Fault:
    """A fault from its JSON form. Raises ValueError for an unknown place or kind."""
    rest = dict(document)
    on, kind, times = rest.pop("on", None), rest.pop("kind", None), rest.pop("times", None)
    if on not in get_args(Where):
        raise ValueError(f"on: {on!r} is none of {', '.join(get_args(Where))}")
    if kind not in get_args(Kind):
        raise ValueError(f"kind: {kind!r} is none of {', '.join(get_args(Kind))}")
    key = rest.pop("key", "") or f"{os.getpid()}-{next(_serial)}"
    return Fault(on=on, kind=kind, times=times, numbers=rest, key=key)


class FaultBook:
    """The faults in force, read anew at each request; counts how often each has struck here."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._struck: dict[str, int] = {}

    def documents(self) -> list[dict[str, Any]]:
        return list(read_json(self._path, []))

    def add(self, document: dict[str, Any]) -> None:
        """Put one more fault in force. Raises ValueError when it is none we know."""
        fault = fault_from(document)
        replace_json(self._path, [*self.documents(), {**document, "key": fault.key}])

    def clear(self, on: str | None = None) -> None:
        """End all faults, or those of one place."""
        kept = [one for one in self.documents() if on is not None and one["on"] != on]
        replace_json(self._path, kept)

    def strike(self, on: Where) -> dict[str, Fault]:
        """The faults that hit this request, by kind; uses up one of their `times`."""
        hits: dict[str, Fault] = {}
        for document in self.documents():
            fault = fault_from(document)
            if fault.on != on or fault.kind in hits:
                continue
            struck = self._struck.get(fault.key, 0)
            if fault.times is None or struck < fault.times:
                self._struck[fault.key] = struck + 1
                hits[fault.kind] = fault
        return hits


async def answer_through(
    hits: dict[str, Fault], answer: Callable[[], Awaitable[Response]]
) -> Response:
    """The response to one request, as its faults make it. `answer` does the real work."""
    if "hang" in hits:
        await asyncio.sleep(hits["hang"].number("seconds", 3600))
    replacement = await _replacement(hits)
    if replacement is not None:
        return replacement
    response = await answer()
    if "hang_after" in hits:
        await asyncio.sleep(hits["hang_after"].number("seconds", 3600))
    if "fail_after" in hits:
        return Response("internal error", status_code=500)
    if "drip" in hits:
        return _dripping(response, hits["drip"])
    return response


async def _replacement(hits: dict[str, Fault]) -> Response | None:
    if "answer" in hits:
        numbers = hits["answer"].numbers
        return Response(
            numbers.get("body", ""),
            status_code=numbers.get("status", 200),
            headers=numbers.get("headers"),
            media_type=numbers.get("content_type", "application/json"),
        )
    if "html" in hits:
        return HTMLResponse(LOGIN_PAGE)
    if "redirect" in hits:
        return RedirectResponse(hits["redirect"].numbers.get("location", "/login"), 302)
    if "gzip_bomb" in hits:
        size = int(hits["gzip_bomb"].number("bytes", 200 * 2**20))
        body = await asyncio.to_thread(_gzipped_zeros, size)
        return Response(body, headers={"content-encoding": "gzip"}, media_type="application/json")
    if "flood" in hits:
        size = int(hits["flood"].number("bytes", 10**9))
        return StreamingResponse(_flood(size), media_type="application/json")
    return None


def _dripping(response: Response, fault: Fault) -> Response:
    pause_seconds = fault.number("seconds", 0.5)
    step = int(fault.number("bytes_per_step", 1))
    body = bytes(response.body)

    async def drops() -> AsyncIterator[bytes]:
        for start in range(0, len(body), step):
            yield body[start : start + step]
            await asyncio.sleep(pause_seconds)

    # The length is known, so a client that waits for it waits as long as we drip.
    return StreamingResponse(
        drops(), status_code=response.status_code, headers=dict(response.headers)
    )


@lru_cache(maxsize=2)
def _gzipped_zeros(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)  # 31: gzip framing, widest window
    block = bytes(_CHUNK_BYTES)
    whole, rest = divmod(size, _CHUNK_BYTES)
    parts = [packer.compress(block) for _ in range(whole)]
    return b"".join([*parts, packer.compress(block[:rest]), packer.flush()])


async def _flood(size: int) -> AsyncIterator[bytes]:
    block = b" " * _CHUNK_BYTES
    for start in range(0, size, _CHUNK_BYTES):
        yield block[: size - start]
