"""An engine on the real adapters, with the real sandbox as its world, in this very process.

One rule, `peg`, over a number of the status document: it breaks and heals within a poll. A person's
rollback goes the same way to the target, without waiting for a breach.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from watchdog.actions import open_actuator, open_probe
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.clock import SystemClock
from watchdog.core.book import Episode
from watchdog.core.entries import PolicyApplied, Recorded
from watchdog.core.spec import (
    ActionSpec,
    Bound,
    Check,
    Endpoint,
    Header,
    HttpCall,
    JsonDocument,
    Limits,
    Playbook,
    Policy,
    RuleSpec,
    Rung,
    SourceSpec,
    Step,
    ValueThreshold,
)
from watchdog.core.states import State
from watchdog.core.trees import SwapTree
from watchdog.core.words import Mode, Severity
from watchdog.engine import Engine, Orders, Person, Ports, Process
from watchdog.notify import open_alerts, open_notifier, open_status_page
from watchdog.ports import Alertmanagers, Journal, MetricSource, Peers
from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox
from watchdog.sources import open_past, open_silences, open_source
from watchdog.store import SoleLease, SqliteHistory, SqliteJournal
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

ALICE = Person("alice", counts=True)
ROBOT = Person("robot", counts=False)
TARGET = f"flag:{REDEMPTION}"
DEADLINE_SECONDS = 2.0
PATIENCE_SECONDS = 15.0

_Entry = TypeVar("_Entry")
OpenSource = Callable[[SourceSpec, Wire], MetricSource]


def pause(sandbox: Sandbox, **different: object) -> ActionSpec:
    """Pause by HTTP, and read back the served flag."""
    url = f"{sandbox.url}/api/feature-flags/{REDEMPTION}"
    token = (Header("Authorization", "Bearer ", "governance"),)

    def put(*, enabled: bool) -> Step:
        word = str(enabled).lower()
        call = HttpCall("PUT", Endpoint(url, token), f'{{"enabled": {word}}}')
        return Step(call, f"enabled == `{word}`")

    spec = ActionSpec(
        "pause",
        TARGET,
        Endpoint(url),
        put(enabled=False),
        put(enabled=True),
        (
            Check(
                Endpoint(f"{sandbox.url}/ops/status.json"), f"featureFlags.{REDEMPTION} == `false`"
            ),
        ),
        (Check(Endpoint(f"{sandbox.url}/health"), "status == 'ok'"),),
        DEADLINE_SECONDS,
        30.0,
        "any",
        "",
    )
    return replace(spec, **different)  # type: ignore[arg-type]  # fields by name


def source(sandbox: Sandbox, name: str = "status", **different: object) -> SourceSpec:
    document = JsonDocument(
        Endpoint(f"{sandbox.url}/ops/status.json"), "timestamp", ((name, "peg.collateralization"),)
    )
    spec = SourceSpec(name, 0.1, 0.5, 1_000_000, 100, document)
    return replace(spec, **different)  # type: ignore[arg-type]  # fields by name


def peg(name: str = "peg", /, **different: object) -> RuleSpec:
    """Breached while the reserves do not cover what is out."""
    spec = RuleSpec(
        name=name,
        owner="team",
        kind="integrity",
        severity=Severity.P0,
        source="status",
        signal=ValueThreshold("status", Bound("<", 1.0, "< 1")),
        every_seconds=0.1,
        stale_after_seconds=1.0,
        for_seconds=0.3,
        keep_firing_seconds=0.0,
        minimum_events=0.0,
        page_after_seconds=2.0,
        playbook="ladder",
        up_to=None,
        mode=Mode.ARMED,
        mode_reason="",
        corroborate=(),
        cooldown_seconds=600.0,
        watch_seconds=1.0,
        runbook="",
        labels=(),
        summary="",
        sha256=f"sha of {name}",
        where="rules.yaml:1:1",
    )
    return replace(spec, **different)  # type: ignore[arg-type]  # fields by name


def policy(
    sandbox: Sandbox,
    *rules: RuleSpec,
    action: ActionSpec | None = None,
    sources: Sequence[SourceSpec] = (),
) -> Policy:
    return Policy(
        environment="sandbox",
        sha256="sha of all",
        parts=(),
        sources={s.name: s for s in sources or (source(sandbox),)},
        actions={"pause": action or pause(sandbox)},
        playbooks={"ladder": Playbook("ladder", (Rung("pause", Mode.ARMED, 5.0),))},
        rules={r.name: r for r in rules or (peg(),)},
        windows=(),
        limits=Limits(10, 86400.0, 5),
    )


class House:
    """A running engine and those who order it about."""

    def __init__(self, engine: Engine, sandbox: Sandbox) -> None:
        self.engine = engine
        self.orders = Orders(engine)
        self.sandbox = sandbox
        self.stop = asyncio.Event()

    def entries(self, kind: type[_Entry]) -> list[_Entry]:
        read: Sequence[Recorded] = list(self.engine.ports.journal.read())
        return [one.entry for one in read if isinstance(one.entry, kind)]

    async def until(self, look: Callable[[], object], what: str = "it") -> None:
        ends = time.monotonic() + PATIENCE_SECONDS
        while not look():
            assert time.monotonic() < ends, f"in vain: {what}: {self.entries(object)[-8:]}"
            await asyncio.sleep(0.01)

    async def clear(self, *rules: str) -> None:
        """On guard: once clear, and the action ready."""
        book = self.engine.book
        wanted = set(rules or self.engine.in_force().rules)
        await self.until(lambda: wanted <= book.cleared and book.readiness, "clear and ready")

    def break_peg(self) -> None:
        self.sandbox.set_status("peg.collateralization", 0.9)

    def mend_peg(self) -> None:
        self.sandbox.clear_faults("status")

    @property
    def newest(self) -> Episode | None:
        return next(reversed(self.engine.book.episodes.values()), None)

    async def reaches(self, state: State) -> Episode:
        """The newest episode, once it is there."""
        await self.until(lambda: self.newest is not None and self.newest.state is state, state)
        assert self.newest is not None
        return self.newest


def build(
    folder: Path,
    sandbox: Sandbox,
    wire: Wire,
    *,
    journal: Callable[[SqliteJournal], Journal] = lambda real: real,
    open_one: OpenSource = open_source,
    peers: Peers | None = None,
) -> House:
    """An engine that has begun and judges by nothing yet. The journal is made the first time."""
    state = folder / "state"
    if not state.exists():
        SqliteJournal.create(state, reserve_bytes=4096)
    clock = SystemClock()
    ports = Ports(
        journal(SqliteJournal.open(state, reserve_bytes=4096)),
        SqliteHistory.open(state),
        SoleLease(clock),
        clock,
        open_actuator(wire, {SwapTree: TreeActuator()}),
        open_probe(wire),
        lambda spec: open_one(spec, wire),
        lambda spec: open_past(spec, wire),
        Alertmanagers(lambda spec: open_silences(spec, wire), lambda spec: open_alerts(spec, wire)),
        peers,
        open_notifier=lambda channel: open_notifier(channel, wire),
        open_status_page=lambda page: open_status_page(page, wire),
    )
    engine = Engine(ports, Process("0", "here", "sandbox", Mode.ARMED, time_sync_required=False))
    engine.begin(0.0, lambda: "boot@0")
    return House(engine, sandbox)


@asynccontextmanager
async def wired(folder: Path, sandbox: Sandbox) -> AsyncIterator[Wire]:
    secrets = folder / "secrets"
    secrets.mkdir(mode=0o700, exist_ok=True)
    (secrets / "governance").write_text(sandbox.token, encoding="utf-8")
    wire = Wire(FileSecrets((secrets,)))
    try:
        yield wire
    finally:
        await wire.aclose()


@asynccontextmanager
async def living(
    folder: Path,
    sandbox: Sandbox,
    rules: Policy | None = None,
    *,
    journal: Callable[[SqliteJournal], Journal] = lambda real: real,
    open_one: OpenSource = open_source,
    peers: Peers | None = None,
    before: Callable[[House], None] = lambda _: None,
    patience_seconds: float = 5.0,
) -> AsyncIterator[House]:
    """A house that runs inside the block and ends in order. `before` sees it before it runs.

    What is under way at the end has so long to end by itself, and is cut off then.
    """
    async with wired(folder, sandbox) as wire:
        house = build(folder, sandbox, wire, journal=journal, open_one=open_one, peers=peers)
        house.engine.adopt(rules or policy(sandbox), PolicyApplied("sha of all", (), "test"))
        before(house)
        task = asyncio.create_task(house.engine.run(house.stop))
        try:
            yield house
        finally:
            house.stop.set()
            try:
                await task
            finally:
                await house.engine.finish("over", patience_seconds)
                house.engine.recorder.close()
                house.engine.ports.history.close()
