"""An action that belongs to another host: its daemon does it, in the leader's epoch alone."""

# ruff: noqa: ARG002  # a worker is asked more than it needs to answer

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, field, replace

import pytest

from tests.store.postgres.conftest import Home
from watchdog.clock import SystemClock
from watchdog.core.book import Book
from watchdog.core.probes import CommandProbe
from watchdog.core.spec import (
    ActionSpec,
    Check,
    Command,
    Endpoint,
    How,
    Limits,
    Policy,
    Publish,
    Step,
)
from watchdog.core.trees import Anchor, Facts, SwapTree
from watchdog.core.verification import NamedCheck
from watchdog.core.words import CheckReading, Direction, Instant, Truth
from watchdog.engine.hosts import Hand, Hosts, Unanswered
from watchdog.engine.hosts.errands import Call, answer_in, written
from watchdog.engine.hosts.sending import PROMPT_SECONDS
from watchdog.engine.leading import Leading, Reactions
from watchdog.engine.recorder import Recorder
from watchdog.ports import Attempt, Attempted, Presence, Readiness
from watchdog.store.postgres import Address, PostgresJournal, PostgresLease, PostgresPeers

HEALTH = Endpoint("http://localhost/health")
LEARNT: Facts = (("displaced", "/a b"), ("generation", "7"))
TREE = SwapTree("/live", "/before", (), facts=(("sha", "SHA"),))
RESTORE = ActionSpec(
    name="restore",
    target="config:/live",
    read_back=Endpoint("http://localhost/status"),
    do=Step(TREE, "build == '1'"),
    undo=Step(replace(TREE, displaced=True), "build == '2'"),
    contained_when=(Check(HEALTH, "ok"),),
    resume_when=(),
    deadline_seconds=5.0,
    sla_seconds=5.0,
    host="b-host",
    sha256="text 1",
    verify=(Command(("verify",)),),
    publish=Publish(Command(("publish",)), idempotent=True),
)

CHECK = NamedCheck(
    name="diagnose",
    how=CommandProbe(Command(("diagnose",)), (1,)),
    about="the command diagnose",
    after=(Direction.DO,),
    deadline_seconds=3.0,
    within_seconds=3.0,
    page=False,
    says="",
)


@dataclass
class Worker:
    """The ports of a host; tells what was asked of them."""

    asked: list[tuple[object, ...]] = field(default_factory=list)
    hangs: asyncio.Event | None = None
    cut_off: asyncio.Event = field(default_factory=asyncio.Event)

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        self.asked.append(("attempt", how, key, facts))
        if self.hangs is not None:
            self.hangs.set()
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                self.cut_off.set()
                raise
        return Attempt(Attempted.CLAIMED, "exit status 0", "said", None, LEARNT)

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        return CheckReading(Truth.FALSE, f"{key} does not stand", Instant(1.0, 2.0), "seen")

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        return Attempt(Attempted.REFUSED, "no room")

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        anchor = Anchor("digest", math.inf, LEARNT)
        return Readiness(CheckReading(Truth.TRUE, "it is there", Instant(1.0, 2.0)), anchor)

    async def read(
        self, endpoint: Endpoint, expect: str, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        self.asked.append(("read", endpoint.url, expect))
        return CheckReading(Truth.TRUE, f"{expect} holds", Instant(1.0, 2.0))

    async def look(self, action: ActionSpec, check: NamedCheck) -> CheckReading:
        self.asked.append(("look", action.name, check.name))
        return CheckReading(Truth.FALSE, "1/2 passed", Instant(1.0, 2.0), "what it printed")


@dataclass
class Side:
    """One daemon's part in it."""

    hosts: Hosts
    leading: Leading
    lease: PostgresLease
    worker: Worker
    policy: Policy
    task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self.task = asyncio.create_task(self.hosts.forever())

    async def end(self) -> None:
        """As if it died: nothing is said to anybody."""
        assert self.task is not None
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def leads(self) -> None:
        await self.leading.once()
        assert self.leading.leads()


@asynccontextmanager
async def side(home: Home, name: str) -> AsyncIterator[Side]:
    """A daemon named so, on the host `NAME-host`."""
    clock, worker = SystemClock(), Worker()
    home.where(name)
    with (
        closing(PostgresJournal.open(Address(home.url, name), home.folder / name)) as journal,
        closing(PostgresLease(Address(home.url, name), clock)) as lease,
        closing(PostgresPeers(Address(home.url, name))) as peers,
    ):
        nothing = Reactions(
            took_over=lambda _lead, _seconds: True,
            resumed=lambda: None,
            lost=lambda: None,
            policy=lambda _: None,
            busy=lambda: False,
            watched_seconds=lambda: 0.0,
            who_sees=lambda: "",
            shift=lambda _: None,
        )
        leading = Leading(lease, journal, Recorder(journal, Book(), clock), name, 30.0, nothing)
        policy = Policy(
            environment="test",
            sha256="sha",
            parts=(),
            sources={},
            actions={"restore": RESTORE},
            playbooks={},
            rules={},
            windows=(),
            limits=Limits(1, 60.0, 1),
            verification={"restore": (CHECK,)},
        )
        made: list[Side] = []
        hosts = Hosts(
            peers,
            Hand(worker, worker, worker),
            leading,
            clock,
            lambda: made[0].policy,
            lambda: Presence(name, f"{name}-host", "1", sees=True),
        )
        made.append(Side(hosts, leading, lease, worker, policy))
        yield made[0]


@pytest.fixture
async def both(shared: Home) -> AsyncIterator[tuple[Side, Side]]:
    """Ada leads; bob follows, and has met her."""
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(side(shared, "a"))
        bob = await stack.enter_async_context(side(shared, "b"))
        ada.leading.begin(0.0)
        bob.leading.begin(0.0)
        for one in (ada, bob):
            one.begin()
        async with asyncio.timeout(10):
            while "b-host" not in ada.hosts.elsewhere():  # noqa: ASYNC110  # threads meet there
                await asyncio.sleep(0.02)
        yield ada, bob
        for one in (ada, bob):
            await one.end()
            await one.hosts.leave()


async def test_everything_that_is_asked_of_an_action_is_answered_from_its_host(
    both: tuple[Side, Side],
) -> None:
    ada, bob = both
    there = ada.hosts.of(RESTORE)
    at = Instant(0.0, 0.0)
    ways: list[How] = [TREE, replace(TREE, displaced=True), *RESTORE.verify]
    for how in ways:
        attempt = await there.actuator.attempt(how, key="I1", deadline_seconds=3, facts=LEARNT)
        assert attempt == Attempt(Attempted.CLAIMED, "exit status 0", "said", None, LEARNT)
    assert [asked[1:] for asked in bob.worker.asked] == [(how, "I1", LEARNT) for how in ways]
    ready = await there.actuator.preflight(TREE, at=at, deadline_seconds=3)
    assert ready.anchor == Anchor("digest", math.inf, LEARNT)
    stands = await there.actuator.stands(TREE, key="I1", deadline_seconds=3, facts=())
    assert (stands.truth, stands.seen) == (Truth.FALSE, "seen")
    settled = await there.actuator.settle(TREE, key="I1", deadline_seconds=3, facts=())
    assert settled.result is Attempted.REFUSED
    read = await there.probe.read(HEALTH, "ok && `1`", at=at, deadline_seconds=3)
    assert read.reason == "ok && `1` holds"
    looked = await there.checks.look(RESTORE, CHECK)
    assert (looked.truth, looked.seen) == (Truth.FALSE, "what it printed")
    assert bob.worker.asked[-1] == ("look", "restore", "diagnose")
    assert ada.worker.asked == []


async def test_what_belongs_to_any_host_or_to_ours_is_done_here(both: tuple[Side, Side]) -> None:
    ada, bob = both
    for host in ("any", "a-host"):
        here = ada.hosts.of(replace(RESTORE, host=host))
        await here.actuator.attempt(TREE, key="I1", deadline_seconds=3)
    assert len(ada.worker.asked) == 2
    assert bob.worker.asked == []


async def test_where_nobody_is_nothing_is_done_and_nothing_is_known(
    both: tuple[Side, Side],
) -> None:
    ada, _ = both
    there = ada.hosts.of(replace(RESTORE, host="c-host"))
    attempt = await there.actuator.attempt(TREE, key="I1", deadline_seconds=3)
    assert attempt.result is Attempted.NOT_DONE
    assert "c-host" in attempt.reason
    ready = await there.actuator.preflight(TREE, at=Instant(0.0, 0.0), deadline_seconds=3)
    assert ready.reading.truth is Truth.UNKNOWN


async def test_another_text_of_the_action_is_not_done(both: tuple[Side, Side]) -> None:
    ada, bob = both
    other = {"restore": replace(RESTORE, sha256="text 2")}
    bob.policy = replace(bob.policy, actions=other)
    attempt = await ada.hosts.of(RESTORE).actuator.attempt(TREE, key="I1", deadline_seconds=3)
    assert (attempt.result, bob.worker.asked) == (Attempted.NOT_DONE, [])
    assert "another text of it" in attempt.reason
    other_check = replace(CHECK, within_seconds=4.0)
    looked = await ada.hosts.of(RESTORE).checks.look(RESTORE, other_check)
    assert (looked.truth, bob.worker.asked) == (Truth.UNKNOWN, [])
    assert "or another text" in looked.reason


async def test_what_hangs_there_is_unknown_here_when_its_time_is_over(
    both: tuple[Side, Side],
) -> None:
    ada, bob = both
    bob.worker.hangs = asyncio.Event()
    attempt = await ada.hosts.of(RESTORE).actuator.attempt(TREE, key="I1", deadline_seconds=0.5)
    assert attempt.result is Attempted.UNKNOWN
    assert "did not answer in time" in attempt.reason


async def test_what_an_action_begins_with_is_not_done_by_a_host_that_starts_later(
    both: tuple[Side, Side],
) -> None:
    """The gates were asked before, and are asked again before the next try."""
    ada, bob = both
    await bob.end()
    there = ada.hosts.of(RESTORE)
    attempt = await there.actuator.attempt(TREE, key="I1", deadline_seconds=20.0)
    assert (attempt.result, attempt.reason) == (Attempted.NOT_DONE, "host b-host did not take it")
    bob.begin()
    verified = await there.actuator.attempt(RESTORE.verify[0], key="I1", deadline_seconds=10.0)
    assert verified.result is Attempted.CLAIMED
    assert [asked[1] for asked in bob.worker.asked] == list(RESTORE.verify)


async def test_what_an_action_goes_on_with_waits_for_its_host(both: tuple[Side, Side]) -> None:
    ada, bob = both
    await bob.end()
    there = ada.hosts.of(RESTORE)
    how = RESTORE.verify[0]
    asking = asyncio.create_task(there.actuator.attempt(how, key="I1", deadline_seconds=20.0))
    await asyncio.sleep(PROMPT_SECONDS + 1.0)
    bob.begin()
    assert (await asking).result is Attempted.CLAIMED


async def test_nothing_is_done_of_an_epoch_that_is_over_and_what_is_under_way_is_cut_off(
    both: tuple[Side, Side],
) -> None:
    ada, bob = both
    bob.worker.hangs = asyncio.Event()
    there = ada.hosts.of(RESTORE)
    asking = asyncio.create_task(there.actuator.attempt(TREE, key="I1", deadline_seconds=4.0))
    async with asyncio.timeout(5):
        await bob.worker.hangs.wait()

    ada.lease.yield_()
    await bob.leads()

    async with asyncio.timeout(5):
        await bob.worker.cut_off.wait()
    assert (await asking).result is Attempted.UNKNOWN
    bob.worker.hangs = None
    late = await there.actuator.attempt(TREE, key="I1", deadline_seconds=3)
    assert (late.result, late.reason) == (Attempted.NOT_DONE, "epoch 1 is over")
    assert len(bob.worker.asked) == 1


async def test_what_only_a_newer_daemon_can_mean_is_refused_and_not_half_understood(
    both: tuple[Side, Side], shared: Home
) -> None:
    _, bob = both
    known = json.loads(written(Call("attempt", RESTORE.name, RESTORE.sha256, 0, key="I1")))
    with closing(PostgresPeers(Address(shared.url, "newer"))) as leader:
        for newer in ({"what": "rehearse"}, {"only_if": "it is night"}):
            body = json.dumps({**known, **newer})
            number = leader.send("host b-host", body, epoch=1, deadline_seconds=5.0)
            async with asyncio.timeout(5):
                while (answer := leader.answer_to(number)) is None:  # noqa: ASYNC110  # threads
                    await asyncio.sleep(0.05)
            refused = Attempt(Attempted.REFUSED, "this version does not know what is asked")
            assert answer_in(answer, "bob") == refused
    assert bob.worker.asked == []


async def test_an_order_is_answered_by_who_leads_or_not_at_all(both: tuple[Side, Side]) -> None:
    ada, bob = both

    async def echo(body: str) -> str:
        return f"{body}, as ordered"

    ada.hosts.orders["order"] = echo
    async with asyncio.timeout(10):
        while len(bob.hosts.present()) < len(both):  # noqa: ASYNC110  # threads meet there
            await asyncio.sleep(0.02)
    assert await bob.hosts.order("order", "hold", 3.0) == "hold, as ordered"
    unknown = await bob.hosts.order("other", "hold", 3.0)
    assert isinstance(unknown, Unanswered)
