"""Probes by HTTP, TCP and command: what the service did is told apart from what was ours."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.sources.conftest import now
from tests.wire.raw_server import Behaviour, RawServer, answering, drips, floods, hangs
from watchdog.core.probes import CommandProbe, HttpProbe, Probe, TcpProbe
from watchdog.core.samples import Fault, Reading
from watchdog.core.spec import Command, Endpoint, SourceSpec
from watchdog.core.words import Blind
from watchdog.demo.stage import shipped_rules
from watchdog.policy import load_folder
from watchdog.sandbox.handle import Sandbox
from watchdog.sources import open_source
from watchdog.wire.http import Wire


async def look(wire: Wire, how: Probe, deadline_seconds: float = 2.0) -> Reading:
    spec = SourceSpec("probe:public", 10.0, deadline_seconds, 100_000, 1, how)
    reading = await open_source(spec, wire).poll(now(), ())
    assert (reading.look is None) != (reading.failure is None)
    return reading


def outcome(reading: Reading) -> str:
    """`holds`, `fails`, or why it is blind."""
    if reading.look is not None:
        return "holds" if reading.look.holds else "fails"
    assert reading.failure is not None
    assert reading.failure.fault is not Fault.SERVICE
    return reading.failure.blind.value


# -- http ------------------------------------------------------------------------------------------


async def ask(
    wire: Wire, behaviour: Behaviour, status: int | None = None, expect: str = ""
) -> tuple[str, str]:
    async with RawServer(behaviour) as server:
        how = HttpProbe(Endpoint(server.url + "/health?key=hunter2"), status, expect)
        reading = await look(wire, how, deadline_seconds=0.5)
    told = (
        reading.look.reason if reading.look else reading.failure.reason if reading.failure else ""
    )
    assert "hunter2" not in told
    return outcome(reading), told


def says(status: int, body: str = "{}", kind: str = "application/json") -> Behaviour:
    return answering(body, kind, status=status)


@pytest.mark.parametrize(
    ("status", "wanted", "then"),
    [
        (200, None, "holds"),
        (204, None, "holds"),
        (500, None, "fails"),
        (503, None, "fails"),
        (404, None, "query_error"),
        (401, None, "query_error"),
        (200, 200, "holds"),
        (204, 200, "fails"),
        (404, 200, "fails"),
        (503, 503, "holds"),
        (401, 200, "query_error"),
        (429, 200, "query_error"),
        (302, 200, "odd_answer"),
    ],
)
async def test_a_status_holds_fails_or_proves_nothing(
    wire: Wire, status: int, wanted: int | None, then: str
) -> None:
    assert (await ask(wire, says(status), wanted))[0] == then


@pytest.mark.parametrize(
    ("body", "kind", "then"),
    [
        ('{"status": "ok"}', "application/json", "holds"),
        ('{"status": "down"}', "application/json", "fails"),
        ('{"error": "busy"}', "application/json", "odd_answer"),
        ('{"status": 1}', "application/json", "odd_answer"),
        ("<html>", "text/html", "odd_answer"),
        ('{"status": ', "application/json", "odd_answer"),
    ],
)
async def test_an_expectation_is_true_false_or_unknown(
    wire: Wire, body: str, kind: str, then: str
) -> None:
    assert (await ask(wire, says(200, body, kind), expect="status == 'ok'"))[0] == then


async def test_an_answer_that_never_comes_is_the_services_fault(wire: Wire) -> None:
    began = time.monotonic()
    assert (await ask(wire, hangs))[0] == "fails"
    assert time.monotonic() - began < 2


async def test_a_body_that_drips_ends_at_the_deadline(wire: Wire) -> None:
    began = time.monotonic()
    assert (await ask(wire, drips))[0] == "fails"
    assert time.monotonic() - began < 2


async def test_a_body_without_end_is_cut_off(wire: Wire) -> None:
    assert (await ask(wire, floods))[0] == "ours"


async def test_nobody_listens(wire: Wire) -> None:
    with socket.socket() as ours:
        ours.bind(("127.0.0.1", 0))
        port = ours.getsockname()[1]
        url = f"http://127.0.0.1:{port}/health"
        assert outcome(await look(wire, HttpProbe(Endpoint(url), None, ""))) == "fails"
        assert outcome(await look(wire, TcpProbe("127.0.0.1", port))) == "fails"


async def test_a_name_without_address_is_not_the_services_fault(wire: Wire) -> None:
    url = "http://nobody.invalid/health"
    assert outcome(await look(wire, HttpProbe(Endpoint(url), None, ""))) == "unreachable"
    assert outcome(await look(wire, TcpProbe("nobody.invalid", 80))) == "unreachable"


# -- tcp -------------------------------------------------------------------------------------------


async def test_a_port_that_accepts_holds(wire: Wire) -> None:
    async with RawServer(hangs) as server:
        reading = await look(wire, TcpProbe("127.0.0.1", server.port))
        assert outcome(reading) == "holds"
        named = await look(wire, TcpProbe("localhost", server.port))
        assert outcome(named) == "holds"  # also where the name's first address is another one


@pytest.fixture
def full_port() -> Iterator[int]:
    """A port whose queue is full: the kernel answers no further knock."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)  # noqa: FBT003  # the socket's own signature
            one.connect_ex(server.getsockname())
            waiting.append(one)
        yield server.getsockname()[1]
        for one in waiting:
            one.close()


async def test_a_port_that_never_answers_ends_at_the_deadline(wire: Wire, full_port: int) -> None:
    began = time.monotonic()
    reading = await look(wire, TcpProbe("127.0.0.1", full_port), deadline_seconds=0.4)
    assert outcome(reading) == "fails"
    assert reading.look is not None
    assert "within 0.4 s" in reading.look.reason
    assert time.monotonic() - began < 2


# -- command ---------------------------------------------------------------------------------------


def python(code: str, *failing: int) -> CommandProbe:
    return CommandProbe(Command((sys.executable, "-c", code)), failing or (1, 2))


@pytest.mark.parametrize(
    ("status", "then"), [(0, "holds"), (1, "fails"), (2, "fails"), (3, "ours"), (127, "ours")]
)
async def test_an_exit_status_tells(wire: Wire, status: int, then: str) -> None:
    assert outcome(await look(wire, python(f"raise SystemExit({status})"))) == then


async def test_only_declared_statuses_fail(wire: Wire) -> None:
    assert outcome(await look(wire, python("raise SystemExit(1)", 7))) == "ours"
    assert outcome(await look(wire, python("raise SystemExit(7)", 7))) == "fails"


@pytest.mark.parametrize(
    ("code", "then"),
    [
        ("print('4/4 passed')", "holds"),
        ("print('0/0 passed')", "ours"),
        ("import sys; print('0/0 passed', file=sys.stderr)", "ours"),
        ("print('x' * 100_000)", "ours"),
        ("print('0/0 passed'); raise SystemExit(1)", "fails"),
    ],
)
async def test_a_command_that_says_that_it_judged_nothing_proves_nothing(
    wire: Wire, code: str, then: str
) -> None:
    how = replace(python(code), inconclusive="0/0 passed")
    assert outcome(await look(wire, how)) == then


async def test_what_mycelias_lint_could_not_judge_verifies_nothing(
    wire: Wire, tmp_path: Path
) -> None:
    """The shipped check, and the tool: it exits 0 also while nothing of the service answers."""
    async with Sandbox.start(tmp_path / "mycelia") as sandbox:
        places = {"mycelia": str(sandbox.root), "pnpm": str(sandbox.places.bin / "pnpm")}
        policy = load_folder(shipped_rules(), "sandbox", variables=places).policy
        assert policy is not None
        checks = policy.verification["pause-redemption"]
        (lint,) = [check.how for check in checks if check.name == "ops-lint"]
        assert outcome(await look(wire, lint, deadline_seconds=10.0)) == "holds"
        await sandbox.refuse_connections()
        assert outcome(await look(wire, lint, deadline_seconds=10.0)) == "ours"


async def test_a_command_killed_or_not_there_proves_nothing(wire: Wire) -> None:
    killed = python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert outcome(await look(wire, killed)) == "ours"
    absent = CommandProbe(Command(("/no/such/check",)), (1, 2))
    assert outcome(await look(wire, absent)) == "ours"


def is_running(mark: Path) -> bool:
    return Path(f"/proc/{mark.read_text()}").exists()


async def test_a_command_that_hangs_is_ended_and_proves_nothing(wire: Wire, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    began = time.monotonic()
    assert outcome(await look(wire, python(code), deadline_seconds=1.0)) == "ours"
    assert time.monotonic() - began < 4
    assert not is_running(mark)


async def test_a_chatty_command_fills_nothing_and_keeps_its_secrets(wire: Wire) -> None:
    code = "print('x' * 10_000_000); print('password=hunter2'); raise SystemExit(1)"
    reading = await look(wire, python(code), deadline_seconds=10.0)
    assert reading.look is not None
    assert not reading.look.holds
    assert "hunter2" not in reading.look.reason
    assert len(reading.look.reason) <= 300


async def test_a_command_sees_nothing_of_our_environment(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLAG_SERVICE_TOKEN", "hunter2")
    code = "import os; raise SystemExit('FLAG_SERVICE_TOKEN' in os.environ)"
    assert outcome(await look(wire, python(code))) == "holds"
    assert "FLAG_SERVICE_TOKEN" in os.environ


async def test_looks_that_hang_delay_nobody_else(wire: Wire) -> None:
    async with RawServer(hangs) as server:
        slow = HttpProbe(Endpoint(server.url), None, "")
        hanging = asyncio.create_task(look(wire, slow, deadline_seconds=1.5))
        await asyncio.sleep(0.05)
        began = time.monotonic()
        assert outcome(await look(wire, python("pass"))) == "holds"
        assert time.monotonic() - began < 1.2
        assert outcome(await hanging) == "fails"


async def test_blindness_is_told_with_its_reason(wire: Wire) -> None:
    reading = await look(wire, TcpProbe("nobody.invalid", 80))
    assert reading.failure is not None
    assert reading.failure.blind is Blind.UNREACHABLE
    assert reading.failure.reason.startswith("nobody.invalid:80: ")
