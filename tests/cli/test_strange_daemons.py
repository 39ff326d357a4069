"""What answers at the socket may be broken, hung or anything: a sentence, never a traceback."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.conftest import here
from watchdog.cli.client import Client, Refused, Unreachable


@contextmanager
def answering(path: Path, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """A server that does this to every connection."""
    stop = threading.Event()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(0.1)

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                with connection:
                    connection.settimeout(5)
                    connection.recv(65536)
                    try:
                        answer(connection)
                    except OSError:
                        continue

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def sending(body: bytes, status: str = "200 OK", kind: str = "application/json",
            length: int | None = None) -> Callable[[socket.socket], None]:  # fmt: skip
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n"
    head += f"content-length: {len(body) if length is None else length}\r\n\r\n"
    return lambda connection: connection.sendall(head.encode() + body)


def drips(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.05)


STRANGE = [
    (sending(b"<html>", kind="text/html"), "without JSON"),
    (sending(b"{"), "broken JSON"),
    (sending(b'{"a"', length=100), "did not answer"),
    (sending(b"[" * 100_000), "broken JSON"),
    (sending(b"{}", status="500 Oops"), "status 500"),
    (lambda connection: connection.sendall(b"SSH-2.0\r\n"), "did not answer"),
    (lambda connection: connection.close(), "did not answer"),
    (drips, "no whole answer within 1 s"),
    (lambda _: time.sleep(2), "no whole answer within 1 s"),
]


@pytest.mark.parametrize(("answer", "reason"), STRANGE)
def test_what_is_not_understood_is_said(
    tmp_path: Path, answer: Callable[[socket.socket], None], reason: str
) -> None:
    with answering(tmp_path / "s", answer):
        began = time.monotonic()
        with pytest.raises(Unreachable) as unreachable:
            Client(tmp_path / "s", read_seconds=1.0).read("/v1/status")
        assert time.monotonic() - began < 4
    assert reason in str(unreachable.value)


def test_an_order_without_an_answer_may_have_been_carried_out(tmp_path: Path) -> None:
    with answering(tmp_path / "s", lambda connection: connection.close()):
        with pytest.raises(Unreachable, match="not known whether the order was carried out"):
            Client(tmp_path / "s").order("/v1/ack", {"episode": "E1"})
        with pytest.raises(Unreachable) as dry:
            Client(tmp_path / "s").order("/v1/ack", {"episode": "E1", "dry": True})
        assert "not known" not in str(dry.value)


def test_a_refusal_is_the_daemons_own_words(tmp_path: Path) -> None:
    body = b'{"refused": "there is no episode E1"}'
    with answering(tmp_path / "s", sending(body, "409 No")), pytest.raises(Refused, match="E1"):
        Client(tmp_path / "s").order("/v1/ack", {"episode": "E1"})


@pytest.mark.parametrize("body", [b"{}", b"[]", b'"x"', b"null", b'[{"seq": "x"}]'])
def test_json_of_another_form_is_not_understood(tmp_path: Path, body: bytes) -> None:
    with answering(tmp_path / "s", sending(body)):
        told = here("status", socket=tmp_path / "s")
        assert told.status == 3
        assert "not understood" in told.err


def test_a_socket_that_nobody_listens_at(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(tmp_path / "s"))
    with pytest.raises(Unreachable, match="nobody listens there"):
        Client(tmp_path / "s").read("/v1/status")
    with pytest.raises(Unreachable):
        Client(tmp_path / ("x" * 200)).read("/v1/status")
