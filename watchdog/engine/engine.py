"""The engine as a whole: what runs beside what, and what must never stop.

`begin` asks who leads and, where we do, says on the record that we watch; `run` polls, ticks and
looks after rollbacks until it is told to stop. Every loop is supervised: one that dies ends the
process, and the service manager starts a new one, which goes on from the journal.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable

from watchdog.core.entries import IntentOpened, PolicyApplied, Started, Stopped
from watchdog.core.evaluation import Evaluation
from watchdog.core.inputs import Facts, Scene
from watchdog.core.memory import Memory
from watchdog.core.samples import Reading
from watchdog.core.spec import Policy
from watchdog.core.turn import ask_once_more
from watchdog.core.words import Status, Truth
from watchdog.engine.alertmanager import Alertmanager
from watchdog.engine.applying import Applying
from watchdog.engine.checkpoints import Checkpoints
from watchdog.engine.custody import Custody
from watchdog.engine.filling import Filling
from watchdog.engine.given import Ports, Process, RulesFolder
from watchdog.engine.hosts import Hand, Hosts, Looking
from watchdog.engine.inbox import Inbox
from watchdog.engine.leading import Leading, Reactions
from watchdog.engine.measures_view import measure_view
from watchdog.engine.passes import Passes
from watchdog.engine.people import People
from watchdog.engine.pollers import Pollers
from watchdog.engine.preflight import Preflight
from watchdog.engine.recorder import Recorder, Unrecorded
from watchdog.engine.retention import fold, retire
from watchdog.engine.runner import Runner
from watchdog.engine.verifying import Verifying
from watchdog.ports import Lead, Presence

TICK_SECONDS = 1.0
KEPT_AT_HAND = 20_000
"""How many of the newest entries are searched for decisions at the start."""


class Engine:
    """One per process."""

    def __init__(self, ports: Ports, process: Process) -> None:
        self.ports = ports
        self.process = process
        self.book, self._folded = fold(ports.journal)
        self.memory = Memory()
        self.recorder = Recorder(ports.journal, self.book, ports.clock)
        self.recorder.remember(ports.journal.read(max(0, self._folded - KEPT_AT_HAND)))
        self.recorder.last_seq = self._folded
        self.policy: Policy | None = None
        self.time_synced: Truth = Truth.UNKNOWN
        self.rules_folder = RulesFolder()
        self.passes = Passes(self.recorder, Evaluation(self.memory, self.facts))
        self.checkpoints = Checkpoints(self.memory, ports.history, self.passes)
        self.leading = Leading(
            ports.lease,
            ports.journal,
            self.recorder,
            process.name or process.host,
            process.lease_seconds,
            self._reactions(),
        )
        self.recorder.leads, self.recorder.on_deposed = self.leading.leads, self.leading.deposed
        here = Hand(ports.actuator, ports.probe, Looking(ports.open_source, ports.clock))
        self.hosts = Hosts(
            ports.peers, here, self.leading, ports.clock, self.in_force, self._presence
        )
        self.runner = Runner(
            self.recorder,
            self.hosts.of,
            self.in_force,
            self._ask_once_more,
            self.leading.fence,
            self.wake,  # an intent ended: what follows is judged now, not at the next second
        )
        self.custody = Custody(
            self.recorder, self.hosts.of, self.in_force, self.memory.recovered_since
        )
        self.verifying = Verifying(self.recorder, self.hosts.of, self.in_force)
        self.preflight = Preflight(
            self.recorder, self.hosts.of, self.in_force, self.hosts.unfinished_by
        )
        self.hosts.on_others = self.preflight.look_soon = self._look_at_actions
        self.filling = Filling(self.recorder, self.memory, ports.open_past)
        self.alertmanager = Alertmanager(
            self.recorder, ports.alertmanagers, self.in_force, self.wake
        )
        self.inbox = Inbox(self.recorder, self._told)
        cost = functools.partial(measure_view, self)
        self.people = People(self.recorder, ports, self.in_force, cost, self.hosts, self._stuck)
        self.pollers = Pollers(
            ports.open_source, self.memory, ports.clock, self.arrived, self._supervise
        )
        self._looks: set[asyncio.Task[None]] = set()
        self._due = asyncio.Event()
        self._failed: asyncio.Future[None] | None = None
        self._boot: Callable[[], str] = lambda: ""
        self.on_pass: Callable[[], None] = lambda: None
        self.on_lead: Callable[[], None] = lambda: None  # we came to lead while we watched
        self.on_policy: Callable[[PolicyApplied], None] = lambda _: None  # another applied it
        self.on_lost: list[Callable[[], None]] = []  # we cease to lead

    def in_force(self) -> Policy:
        """The policy that judges. Raises before the first was adopted."""
        if self.policy is None:
            raise RuntimeError("no policy is in force yet")
        return self.policy

    def facts(self) -> Facts:
        synced = self.time_synced if self.process.time_sync_required else None
        return Facts(
            self.process.environment,
            self.process.host,
            self.process.max_mode,
            synced,
            self.memory.statuses(),
            self.process.shadow_seconds,
            self.alertmanager.silences.read(),
            self.hosts.elsewhere(),
            self.hosts.fellows(),
        )

    def _presence(self) -> Presence:
        """What others are told of us."""
        sees = any(status is not Status.BLIND for status in self.memory.statuses().values())
        p = self.process
        alike = f"lease {p.lease_seconds:g} s, {p.max_mode.word}, {p.environment}"
        return Presence(p.name or p.host, p.host, p.version, sees, settings=alike)

    # -- start -------------------------------------------------------------------------------------

    def begin(self, down_seconds: float, boot: Callable[[], str]) -> None:
        """Ask who leads. Where we do: record that this process watches from here on."""
        self._boot = boot
        self.leading.begin(down_seconds)
        for part in (self.runner, self.preflight, self.verifying):
            self.recorder.listen(part.heard)

    def _reactions(self) -> Reactions:
        return Reactions(
            took_over=self._took_over,
            resumed=self._settle,
            lost=self._lost,
            policy=lambda applied: self.on_policy(applied),  # noqa: PLW0108  # it is set later
            busy=lambda: self.runner.active > 0,
            watched_seconds=self._watched_seconds,
            who_sees=self._who_sees,
            shift=self.ports.shift,
        )

    def _watched_seconds(self) -> float:
        """For how many seconds this process has judged without a gap that is too long."""
        return self.passes.watched_seconds(self.ports.clock.now())

    def _who_sees(self) -> str:
        """Another daemon that sees, where every rule is blind here."""
        return "" if self._presence().sees else self.hosts.who_sees()

    def _took_over(self, lead: Lead, unwatched_seconds: float) -> bool:
        """On the record, before anything else in this epoch; False where that is over already."""
        draft = self.recorder.draft()
        if not draft.decides:
            return False
        p = self.process
        about = p.version, p.host, self._boot(), p.environment, p.max_mode.word
        draft.add(Started(*about, unwatched_seconds, lead.holder, lead.epoch))
        self.passes.others_watched()
        self.recorder.commit(draft)
        if self._failed is not None:
            self.on_lead()
            self._settle()
        return True

    def _lost(self) -> None:
        """At once, whatever is under way: it is not ours to end any more."""
        self.runner.halt()
        for hear in self.on_lost:
            hear()

    def _settle(self) -> None:
        """What is open is ours now: see what became of it, and of what it stands on."""
        if self._failed is not None:
            self.runner.settle_open()
            self._look_at_actions()
            self.wake()

    def adopt(
        self, policy: Policy, applied: PolicyApplied | None, *, ordered: bool = False
    ) -> Unrecorded | None:
        """Judge by this policy from now on; `applied` records it when it is not the one before."""
        missed = None
        if applied is not None:
            one = Applying(self.policy, policy, applied, self.process.shadow_seconds)
            missed = one.record(self.recorder, ordered=ordered)
            if missed is not None and not missed.in_doubt:
                return missed
        old, self.policy = self.policy, policy
        self.memory.adopt(policy)
        self.preflight.doubt(old, policy)
        self.alertmanager.adopt()
        if self._failed is not None:
            self.pollers.align(self.in_force().sources)
            self._look_at_actions()
            self.filling.begin()
        return missed

    def warm(self) -> tuple[str, ...]:
        """Take up windows and clocks from the last checkpoint."""
        return self.checkpoints.restore()

    # -- run ---------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set. Raises what a loop died of."""
        self._failed = asyncio.get_running_loop().create_future()
        await self.hosts.begin()
        if self.leading.leads():
            self.runner.settle_open()
        self.pollers.align(self.in_force().sources)
        self.filling.begin()
        loops = [
            asyncio.create_task(loop, name=name)
            for name, loop in {
                "tick": self._tick_forever(),
                "verify": self.custody.verify_forever(),
                "drift": self.custody.watch_forever(),
                "verification": self.verifying.forever(),
                "keep counting": self.checkpoints.counting_forever(),
                "alertmanager": self.alertmanager.forever(),
                "preflight": self.preflight.look(),
                "lead": self.leading.forever(),
                "hosts": self.hosts.forever(),
                "people": self.people.forever(),
            }.items()
        ]
        for task in loops:
            task.add_done_callback(self._supervise)
        stopping = asyncio.create_task(_until(stop), name="stop")
        try:
            await asyncio.wait({stopping, self._failed}, return_when=asyncio.FIRST_COMPLETED)
            if self._failed.done():
                self._failed.result()
        finally:
            stopping.cancel()
            await self.filling.end()
            await _end([*loops, *self.pollers.tasks(), *self._looks, stopping])

    async def finish(self, reason: str, within_seconds: float) -> None:
        """Let open intents end, leading for as long as that takes; keep the windows, say that we
        stop.
        """
        loops = (self.leading.forever(), self.hosts.forever()) if self.leading.leads() else ()
        leading = [asyncio.create_task(loop) for loop in loops]
        await self.runner.drain(within_seconds)
        await _end([*leading, *self._looks])
        await self.hosts.leave()
        await self.checkpoints.save()
        draft = self.recorder.draft()
        draft.add(Stopped(reason))
        self.recorder.commit(draft)
        await self.leading.give_up()
        await self.pollers.aclose()

    def retire(self, keep_days: int) -> int:
        """Retire journal entries that are older. Returns the last one's number, or 0."""
        if not self.leading.leads():
            return 0
        return retire(
            self.ports.journal,
            self.ports.clock.now(),
            keep_seconds=keep_days * 86400.0,
            last_seq=self.recorder.last_seq,
            epoch=self.recorder.epoch,
        )

    async def _tick_forever(self) -> None:
        while True:
            self.tick()
            try:
                async with asyncio.timeout(TICK_SECONDS):
                    await self._due.wait()
            except TimeoutError:
                pass
            self._due.clear()

    def tick(self) -> None:
        """One pass over every rule."""
        if self.runner.failure is not None:
            raise self.runner.failure
        self.passes.on_tick(self.in_force())
        self.on_pass()

    def arrived(self, reading: Reading) -> None:
        """A source's samples: judged at once."""
        self.passes.on_reading(reading, self.in_force())
        self.on_pass()

    def _told(self, source: str) -> None:
        """A sender whom we believe told something by this channel: judged at once."""
        self.arrived(Reading(source, self.ports.clock.now(), 0.0))

    def _stuck(self) -> str:
        return self.recorder.stuck or self.leading.trouble

    def wake(self) -> None:
        """Run the next pass now."""
        self._due.set()

    def _ask_once_more(self, intent: IntentOpened) -> str:
        """What the gates say of an automatic start by now, by what is seen of its rule by now."""
        memory = self.memory.of(self.book.episodes[intent.episode].rule)
        scene = Scene(self.in_force(), self.facts(), self.recorder.draft())
        return ask_once_more(intent, memory.sight if memory else None, scene)

    def _look_at_actions(self, overtaken: frozenset[str] = frozenset()) -> None:
        """A preflight at once, beside the one of the calendar: of all, or of what is overtaken."""
        look = self.preflight.look_anew(overtaken) if overtaken else self.preflight.look()
        task = asyncio.create_task(look, name="preflight")
        self._looks.add(task)
        task.add_done_callback(lambda _: self.wake())
        task.add_done_callback(self._looks.discard)
        task.add_done_callback(self._supervise)

    def _supervise(self, task: asyncio.Task[None]) -> None:
        """A loop that ends by itself has failed, except the first preflight."""
        if task.cancelled() or self._failed is None or self._failed.done():
            return
        error = task.exception()
        if error is not None:
            self._failed.set_exception(error)
        elif task.get_name() != "preflight":
            self._failed.set_exception(RuntimeError(f"{task.get_name()} ended by itself"))


async def _until(stop: asyncio.Event) -> None:
    await stop.wait()


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
