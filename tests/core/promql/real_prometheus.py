"""A real Prometheus on a port of its own, filled through its remote-write endpoint.

Remote write is used because it alone can carry staleness markers: blocks made from OpenMetrics
text cannot. The few bytes of protocol buffers and snappy that this takes are written here.
"""

from __future__ import annotations

import http.client
import json
import math
import socket
import struct
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

START_DEADLINE_SECONDS = 30.0
STALE = struct.pack("<Q", 0x7FF0_0000_0000_0002)
"""The one NaN that Prometheus takes for a staleness marker, as the wire has it."""

Series = tuple[dict[str, str], Sequence[tuple[float, float | None]]]
"""Labels with `__name__`, and (time, value) pairs; None stands for a staleness marker."""


class RealPrometheus:
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

    def ready(self) -> bool:
        try:
            return self._ask("GET", "/-/ready", b"", {})[0] == http.HTTPStatus.OK
        except OSError:
            self._connection.close()
            return False

    def close(self) -> None:
        self._connection.close()

    def _ask(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        return response.status, response.read()


@contextmanager
def running_prometheus(folder: Path) -> Iterator[RealPrometheus]:
    """Start it, wait until it is ready, and stop it by its own process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "prometheus.yml"
    config.write_text("global: {scrape_interval: 1h}\n")
    command = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        server = RealPrometheus(port)
        try:
            deadline = time.monotonic() + START_DEADLINE_SECONDS
            while not server.ready():
                alive = process.poll() is None and time.monotonic() < deadline
                assert alive, (folder / "log").read_text()
                time.sleep(0.05)
            yield server
        finally:
            server.close()
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


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
    for name, value in sorted(labels.items()):
        out += _field(1, _field(1, name.encode()) + _field(2, value.encode()))
    for at, value in samples:
        raw = STALE if value is None else struct.pack("<d", math.nan if value != value else value)
        out += _field(2, b"\x09" + raw + b"\x10" + _varint(round(at * 1000)))
    return out


def _snappy(content: bytes) -> bytes:
    """The block format with nothing but literals: not smaller, but valid."""
    out = bytearray(_varint(len(content)))
    for begin in range(0, len(content), 65536):
        part = content[begin : begin + 65536]
        out += bytes((61 << 2,)) + struct.pack("<H", len(part) - 1) + part
    return bytes(out)
