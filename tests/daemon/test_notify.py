"""The service manager hears of us by datagrams; without one, or with a broken one, all goes on."""

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchdog.daemon.notify import ServiceManager


@pytest.fixture(params=["in the file system", "abstract"])
def heard(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[socket.socket]:
    """A service manager's socket, named in the environment as systemd does."""
    name = f"@slo-watchdog-{secrets.token_hex(4)}"
    address = name if request.param == "abstract" else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(address.replace("@", "\0", 1) if request.param == "abstract" else address)
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        yield listener


def test_what_is_told_is_heard_as_one_datagram(heard: socket.socket) -> None:
    manager = ServiceManager()
    manager.tell("READY=1")
    manager.tell("WATCHDOG=1", "STATUS=Watching 6 rules, 0 open episodes")
    assert heard.recv(4096) == b"READY=1"
    assert heard.recv(4096) == b"WATCHDOG=1\nSTATUS=Watching 6 rules, 0 open episodes"
    manager.close()


def test_a_service_manager_that_went_away_or_does_not_listen_stops_nothing(tmp_path: Path) -> None:
    gone = ServiceManager(str(tmp_path / "nothing"))
    gone.tell("WATCHDOG=1")
    gone.close()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(str(tmp_path / "deaf"))
        manager = ServiceManager(str(tmp_path / "deaf"))
        for _ in range(2000):  # more than its queue holds: a blocking socket would hang here
            manager.tell("WATCHDOG=1")
        manager.close()


def test_without_a_service_manager_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    manager = ServiceManager()
    manager.tell("READY=1")
    manager.close()
