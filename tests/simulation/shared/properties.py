"""What must hold of every world with several daemons, beside what must hold of every world.

property                                                     looked at
----------------------------------------------------------   --------------------------------
one leads at a time, also by its own clock                   whenever another takes the lease
only who leads records, and nobody else in its epoch         at each entry, at the server
one effective change per fencing epoch, target and intent    at each effect, at the target
the lease is looked at right before each try                 at each try, by what was answered
what is heard of it too late is not believed                 at each try
no effect while the store is lost to all                     at each try
another leads within two lease times, where one could        twice a second
what was acknowledged stands                                 whenever a daemon is told
who follows believes what who leads believes                 in the calm at the end
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from tests.simulation.outside import Outside
from tests.simulation.people import People
from tests.simulation.policies import Text
from tests.simulation.properties import Properties
from tests.simulation.service import Delivered
from tests.simulation.shared.daemon import Daemon
from tests.simulation.shared.owned import OWNER
from tests.simulation.shared.server import Appended, Server
from tests.simulation.starting_laws import UNDER_WAY_SECONDS
from tests.simulation.targets import Effect
from tests.simulation.trees import TARGET as CONFIG
from watchdog.core import entries as e
from watchdog.engine.hosts.sending import PROMPT_SECONDS
from watchdog.engine.retention import snapshot
from watchdog.store import chain
from watchdog.store.postgres.line import CALL_SECONDS
from watchdog.store.trouble import Place

RIGHT_BEFORE_SECONDS = CALL_SECONDS + 0.5
"""How old an answer may be that is the newest one: a call may take so long, and no longer."""
SLACK_SECONDS = 2.0
"""For a pass, and for who asks every half second and is answered late."""
COMPARED_SECONDS = 30.0
"""Before the end: books are held against one another while nothing is appended."""
_PLACE = Place("the simulated server", "Look at the seed.", "nothing is accepted here")


@dataclass(frozen=True, slots=True)
class Look:
    """What who acts was told of the lease, by the very task that acts."""

    at: float
    frozen_seconds: float  # of the process, by then
    until: float  # by which it runs out, as it was then
    epoch: int


class SharedProperties(Properties):
    """Hears every entry once, from the server, and every effect."""

    under_way_seconds = UNDER_WAY_SECONDS + PROMPT_SECONDS + 0.5
    """What is done on another host waits there to be taken, until it is taken back."""

    def __init__(
        self,
        server: Server,
        daemons: Sequence[Daemon],
        outside: Outside,
        people: People,
        texts: dict[str, Text],
    ) -> None:
        super().__init__(server.machine, outside, people, texts)
        self.server = server
        self.daemons = {one.name: one for one in daemons}
        self.longest_silence = 0.0
        self.lost_since: float | None = None  # the store, to all
        self.on_look: Callable[[Daemon, str], None] = lambda _daemon, _task: None
        self._writer: Daemon | None = None
        self._began: dict[str, Daemon] = {}  # intent -> who opened it
        self._looks: WeakKeyDictionary[asyncio.Task[Any], Look] = WeakKeyDictionary()
        self._writers: dict[int, str] = {}
        self._stopped: set[str] = set()  # intents that were tried by who had been stopped
        self._tried: dict[str, int] = {}  # intent -> the epoch in which it was tried last
        self._changes: Counter[tuple[int, str, str]] = Counter()
        self._led_at = 0.0
        self._told_silence = False
        self._same: set[str] = set()
        server.appended = self._appended
        server.looked = self._looked
        server.taken = self._taken
        server.yielded = self._yielded
        outside.ledger.asked = self._asked
        for one in daemons:
            one.about_to = self._about_to
            one.trying = self._trying
            one.acknowledged = self._acknowledged

    # -- the record --------------------------------------------------------------------------------

    def wall_off(self) -> float:
        return self._writer.machine.wall_off if self._writer is not None else 0.0

    def delivered(self, rule: str, intent: str = "") -> Sequence[Delivered]:
        whose = self._began.get(intent) or next(
            (one for one in self.daemons.values() if one.leads), None
        )
        return tuple(whose.delivered.get(rule, ())) if whose is not None else ()

    def _appended(self, one: Appended) -> None:
        lease = self.server.lease
        self._writer = self.daemons[one.who.partition(" ")[0]]
        if (lease.session, lease.epoch) != (one.who, one.epoch) or lease.expires_at <= one.at:
            self.world.violated(
                "only who leads records",
                f"{one.who} in epoch {one.epoch}; {lease.session} leads in {lease.epoch}",
            )
        first = self._writers.setdefault(one.epoch, one.who)
        if first != one.who:
            self.world.violated("one records in an epoch", f"{first} and {one.who}: {one.epoch}")
        recorded = chain.recorded(one.row, _PLACE)
        if isinstance(recorded.entry, e.IntentOpened):
            self._began[recorded.entry.intent] = self._writer
        self.heard(recorded)

    def _acknowledged(self, recorded: e.Recorded) -> None:
        rows = self.server.rows
        if recorded.seq > len(rows) or rows[recorded.seq - 1].hash != recorded.hash:
            self.world.violated("acknowledged writes survive", f"entry {recorded.seq} is another")

    # -- who leads ---------------------------------------------------------------------------------

    def _taken(self, who: str) -> None:
        """By its own clock the one before must have ended before another begins."""
        self.world.counts["takeovers"] += 1
        self._led_at = self.world.now  # should it die at once, the time begins anew
        name = who.partition(" ")[0]
        for one in self.daemons.values():
            if one.name != name and one.leads:
                self.world.violated("one leads at a time", f"{who}, and {one.name} still believes")

    def _yielded(self, who: str) -> None:
        """From this moment on another may lead."""
        process = self.daemons[who.partition(" ")[0]].process
        if process is not None and process.owner.name == who and process.leads:
            self.world.violated("one leads at a time", f"{who} gives it up, and believes on")

    def _looked(self, who: str, runs: bool) -> None:  # noqa: FBT001  # as the server tells it
        process = self.daemons[who.partition(" ")[0]].process
        task = asyncio.current_task() if OWNER.get() is not None else None  # else it comes late
        if task is not None and process is not None:
            owner = process.owner
            lease = self.server.lease
            until = lease.expires_at if runs else float("-inf")
            self._looks[task] = Look(owner.now(), owner.frozen_seconds(), until, lease.epoch)
            self.on_look(self.daemons[who.partition(" ")[0]], task.get_name())

    def watch(self) -> None:
        """Twice a second: does somebody lead, and could somebody?"""
        now, daemons = self.world.now, self.daemons.values()
        leaders = [one for one in daemons if one.leads]
        if len(leaders) > 1:
            self.world.violated("one leads at a time", ", ".join(one.name for one in leaders))
        for one in daemons:
            well = one.runs and one.sees and not one.way.cut and not one.way.is_flaky
            well = well and not self.machine.disk.full  # who cannot record does not lead
            if not well:
                one.well_since = float("inf")
            else:
                one.well_since = max(min(one.well_since, now), one.way.lost_at)
        if any(one.runs for one in leaders) or self._is_kept_half_cut_off():
            self._led_at, self._told_silence = now, False
        could = min(one.well_since for one in daemons)
        silent = now - max(self._led_at, could)
        self.longest_silence = max(self.longest_silence, silent)
        most = 2.0 * max(one.lease_seconds for one in daemons) + SLACK_SECONDS
        if silent > most and not self._told_silence:
            self._told_silence = True
            self.world.violated("another leads within two lease times", f"{silent:.1f} s")

    def _is_kept_half_cut_off(self) -> bool:
        """Whose questions arrive, and to whom answers do not, keeps the lease and cannot lead."""
        lease = self.server.lease
        holder = self.daemons.get(lease.holder)
        if holder is None or lease.expires_at <= self.world.now:
            return False
        return holder.process is not None and holder.way.is_flaky

    # -- effects -----------------------------------------------------------------------------------

    def _asked(self, key: str, target: str) -> None:
        """What must hold of a start must have held when who was stopped last looked."""
        if key not in self._stopped:
            self.starting.asked(key, target)

    def _about_to(self, daemon: Daemon) -> None:
        """It has heard the answer: is it still so?"""
        task = asyncio.current_task()
        look = self._looks.get(task) if task is not None else None
        if look is not None and self.world.now > look.until:
            late = self.world.now - look.until
            self.world.violated(
                "what is heard of the lease too late is not believed",
                f"{daemon.name}: {late:.1f} s",
            )

    def _trying(self, daemon: Daemon, key: str) -> None:
        """A process reaches for a target."""
        assert daemon.process is not None
        owner, lease = daemon.process.owner, self.server.lease
        task = asyncio.current_task()
        look = self._looks.get(task) if task is not None else None
        self._stopped.discard(key)
        if look is None:
            self.world.violated("the lease is looked at right before", f"not for {key}")
            return
        frozen = owner.frozen_seconds() - look.frozen_seconds
        ran = owner.now() - look.at - frozen
        self._tried[key] = look.epoch
        if ran > RIGHT_BEFORE_SECONDS or look.until < look.at:
            said = "" if look.until >= look.at else ", and it was over"
            self.world.violated(
                "the lease is looked at right before", f"{owner.name}, {key}: {ran:.1f} s ago{said}"
            )
        if self.lost_since is not None and owner.now() - self.lost_since - frozen > (
            RIGHT_BEFORE_SECONDS
        ):
            self.world.violated("no effect while the store is lost", f"{owner.name}, {key}")
        if lease.epoch != look.epoch or lease.expires_at <= owner.now():
            self._stopped.add(key)
            self.world.counts["tries of who was stopped right before"] += 1
            self.world.tell(f"{owner.name} tries {key} after its epoch {look.epoch}")

    def excused(self, effect: Effect) -> bool:
        """Set, and not toggled: it changes something again where a person has put it back."""
        back = [x for x in self.outside.ledger.effects if x.target == effect.target][-2:-1]
        excused = effect.key in self._stopped and bool(back) and back[0].key != effect.key
        self.world.counts["changes of who was stopped right before"] += excused
        return excused

    def _effect(self, effect: Effect) -> None:
        super()._effect(effect)
        if not effect.key:
            return
        what = self._tried.get(effect.key, 0), effect.target, effect.key
        self._changes[what] += 1
        if self._changes[what] > (2 if effect.target == CONFIG else 1):
            self.world.violated("one change per epoch, target and intent", str(what))

    # -- the end -----------------------------------------------------------------------------------

    def compare(self) -> None:
        """Who follows, and has read all that there is, believes what who leads believes."""
        leader = next((one for one in self.daemons.values() if one.leads), None)
        if leader is None or leader.process is None or leader.process.engine.recorder.waits:
            return
        book = leader.process.engine.book
        for one in self.daemons.values():
            process = one.process
            if one is leader or process is None or not process.ready:
                continue
            if process.engine.recorder.last_seq != self.server.end().seq:
                continue
            if snapshot(process.engine.book) == snapshot(book):
                self._same.add(one.name)
            else:
                self.world.violated("who follows believes the same", f"{one.name} does not")

    def all_at_the_end(self) -> None:
        """The calm is over: what had to come about?"""
        self.catch_up()
        leader = next((one for one in self.daemons.values() if one.leads), None)
        self.at_the_end(leader.process if leader is not None else None)
        for one in self.daemons.values():
            if one is not leader and one.name not in self._same:
                self.world.violated("who follows believes the same", f"{one.name} never caught up")
