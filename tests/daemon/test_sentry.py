"""What Sentry is told of a bug: where it was and of which type, and nothing that was in it."""

import gzip
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

# A process of its own: the library can be started once per process.
CRASH = """
import sys
from watchdog.telemetry import report, start_sentry

def ask(url, token):
    answer = "body with " + token
    raise RuntimeError(f"{url} answered {answer}")

start_sentry(sys.argv[1] or None, release="0.1", environment="production")
try:
    try:
        ask("https://user:t0ken@example.org/?key=t0ken", "t0ken")
    except RuntimeError as inner:
        raise ValueError("again t0ken") from inner
except ValueError as error:
    report(error)
"""


def crash(dsn: str) -> float:
    """Seconds from the report to the process's end."""
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", CRASH, dsn], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
    return time.monotonic() - began


@pytest.fixture
def sentry() -> Iterator[tuple[str, list[bytes]]]:
    """A small server that keeps what it is sent, and its DSN."""
    kept: list[bytes] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            zipped = self.headers.get("content-encoding") == "gzip"
            kept.append(gzip.decompress(body) if zipped else body)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Keep)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://public@127.0.0.1:{server.server_port}/1", kept
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_bug_is_told_without_anything_that_was_in_it(sentry: tuple[str, list[bytes]]) -> None:
    dsn, kept = sentry
    crash(dsn)
    sent = b"\n".join(kept)
    assert b"ValueError" in sent
    assert b"RuntimeError" in sent
    assert b"t0ken" not in sent
    events = [json.loads(line) for line in sent.splitlines() if b'"exception"' in line]
    (event,) = events
    for value in event["exception"]["values"]:
        assert value["value"] == "(not sent)"
        for frame in value["stacktrace"]["frames"]:
            assert not {"vars", "context_line", "pre_context", "abs_path"} & set(frame)
    assert "server_name" not in event
    assert "modules" not in event


def test_without_a_dsn_nothing_is_sent(sentry: tuple[str, list[bytes]]) -> None:
    crash("")
    assert sentry[1] == []


def test_an_unreachable_sentry_delays_the_end_by_a_second_at_most() -> None:
    without = min(crash("") for _ in range(2))
    # It accepts, by its backlog, and never answers.
    with socket.create_server(("127.0.0.1", 0)) as hung:
        port = hung.getsockname()[1]
        assert crash(f"http://public@127.0.0.1:{port}/1") < without + 4  # 1 s of it is ours
    assert crash(f"http://public@127.0.0.1:{port}/1") < without + 4
