"""Filling a real Prometheus through its remote-write endpoint, and asking it.

Remote write is used because it alone can carry staleness markers: blocks made from OpenMetrics
text cannot. The few bytes of protocol buffers and snappy that this takes are written here.
"""

from __future__ import annotations

import http.client
import json
import struct
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

STALE = struct.pack("<Q", 0x7FF0_0000_0000_0002)
"""The one NaN that Prometheus takes for a staleness marker, as the wire has it."""

Series = tuple[dict[str, str], Sequence[tuple[float, float | None]]]
"""Labels with `__name__`, and (time, value) pairs; None stands for a staleness marker."""


class Asked:
    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def query(self, expression: str, at: float) -> dict[str, Any] | None:
        """The `data` of an instant query, None where it cannot be executed."""
        form = urlencode({"query": expression, "time": f"{at:.3f}"})
        status, body = self._ask(
            "POST",
            "/api/v1/query",
            form.encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        answer: dict[str, Any] = json.loads(body)
        if status == http.HTTPStatus.UNPROCESSABLE_ENTITY:
            return None
        assert status == http.HTTPStatus.OK, answer
        data: dict[str, Any] = answer["data"]
        return data

    def write(self, series: Sequence[Series]) -> None:
        request = b"".join(_field(1, _time_series(*one)) for one in series)
        headers = {
            "Content-Type": "application/x-protobuf",
            "Content-Encoding": "snappy",
            "X-Prometheus-Remote-Write-Version": "0.1.0",
        }
        status, body = self._ask("POST", "/api/v1/write", _snappy(request), headers)
        assert status == http.HTTPStatus.NO_CONTENT, body

    def close(self) -> None:
        self._connection.close()

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _time_series(labels: dict[str, str], samples: Sequence[tuple[float, float | None]]) -> bytes:
    out = b""
    for name, text in sorted(labels.items()):
        out += _field(1, _field(1, name.encode()) + _field(2, text.encode()))
    for at, value in samples:
        raw = STALE if value is None else struct.pack("<d", value)
        out += _field(2, b"\x09" + raw + b"\x10" + _varint(round(at * 1000)))
    return out


def _snappy(content: bytes) -> bytes:
    """The block format with nothing but literals: not smaller, but valid."""
    out = bytearray(_varint(len(content)))
    for begin in range(0, len(content), 65536):
        part = content[begin : begin + 65536]
        out += bytes((61 << 2,)) + struct.pack("<H", len(part) - 1) + part
    return bytes(out)
