"""What must hold of every world, seen from outside: at the targets, on the disk, in the record.

property                                                     looked at
----------------------------------------------------------   --------------------------------
effects per episode, rung and target at most one             at each effect, at the target
every effect has an earlier durable intent                   when it is asked for, on the disk
no effect without `for` of valid samples of the rule's text  when it is asked for
no BLIND sample counts towards a breach                      the same: blind ones add nothing
a system restore needs its unexpired, unused approvals       at each restore, by who said yes
the live tree is always one known generation                 at each effect, and at the start
cooldown and budget hold under any clock                     in true time, at each effect
stopped or shadow means no effects                           when it is asked for, at each effect
only edges of the table                                      at each entry
journal gapless, its chain verifies after every crash        at each start
acknowledged writes survive                                  at each start
done is said only of what is so                              at each ended intent, at the target
an undo is a person's, a start follows a decision            at each entry
queues and memory bounded                                    every 20 s
same seed, same trace                                        by the tests
a sustained breach is acted on or escalated                  in the calm at the end
no decision stays open                                       in the calm at the end
every outcome is told                                        at the end: a page after it
what takes effect after it was given up is told              at the end, where it stands
a gap in judging withholds the sign of life                  the service manager of the world
a restart gets ready, from whatever the disk holds           in the calm, and by dying loudly

told is said only of what came                               at each note, at the channel
every outcome is sent at least once                          in the calm at the end
who does not answer leads to the next                        in the calm at the end

one effect per fencing epoch and target                      shared/properties.py, of several
no secret in any sink                                        adapters' tests: no secret is here
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.simulation.machine import IDENTITY, PLACE, Machine
from tests.simulation.outside import Outside
from tests.simulation.people import People
from tests.simulation.policies import Text
from tests.simulation.process import SimProcess
from tests.simulation.restorer import NEEDED
from tests.simulation.restorer import TARGET as SYSTEM
from tests.simulation.service import Delivered
from tests.simulation.starting_laws import UNDER_WAY_SECONDS, StartingLaws
from tests.simulation.targets import Effect
from tests.simulation.telling import TellingLaws
from tests.simulation.trees import TARGET as CONFIG
from tests.simulation.world import EPOCH
from watchdog.core import entries as e
from watchdog.core.episode import TABLE
from watchdog.core.spec import ValueThreshold
from watchdog.core.standing import MANUAL
from watchdog.core.states import State
from watchdog.core.telling.notes import NoteTold
from watchdog.core.words import Direction, Instant
from watchdog.ports import JournalError
from watchdog.store import chain, schema
from watchdog.store.schema import Base

MOST_SHOWN = 260
MOST_OPEN_SECONDS = 75.0
"""Longer than any deadline, and any `within`, of the policies."""
LOOKED_AT_SECONDS = 30.0
"""By then whoever leads has looked at what may come late."""
MOST_KEPT = 200
"""Far more than anything that waits for something in a world that goes on."""
_BASE = Base(0, schema.genesis(IDENTITY).hash, Instant(0, 0), b"", "")


class Properties:
    """Hears every durable entry and every effect; lives as long as the world."""

    under_way_seconds = UNDER_WAY_SECONDS

    def __init__(
        self, machine: Machine, outside: Outside, people: People, texts: dict[str, Text]
    ) -> None:
        self.machine = machine
        self.world = machine.world
        self.outside = outside
        self.seen = 0
        self.said_at = 0.0  # in true time, when the entry that is heard was drafted
        self.found = 0  # rows at the newest start
        self.hashes: list[str] = []  # of every row that was acknowledged, by its number
        self.intents: dict[str, e.IntentOpened] = {}
        self.opened_at: dict[str, float] = {}
        self.ended: dict[str, e.IntentEnded] = {}
        self.rules: dict[str, str] = {}  # episode -> its rule
        self.reopening: set[str] = set()
        self.untold: dict[str, e.IntentEnded] = {}  # by the key under which people are told
        self.came: dict[str, Effect] = {}  # intent -> its effect, after it had been given up
        self.seen_late: set[str] = set()  # targets of which that was told
        self.decisions: dict[str, e.Decided] = {}
        self.done: Counter[tuple[str, str, str, str]] = Counter()
        self.by: dict[tuple[str, str, str, str], Effect] = {}  # the newest of each
        self.strange: dict[str, float] = {}  # target -> when somebody else changed it last
        self.on_intent: Callable[[], None] = lambda: None
        self.on_request: Callable[[], None] = lambda: None
        self.starting = StartingLaws(self, people, texts)
        self.telling = TellingLaws(self.world, outside.post)
        self._takes: dict[type[e.Entry], Callable[[Any], None]] = {
            e.EpisodeOpened: self._episode,
            e.EpisodeMoved: self._moved,
            e.Decided: self._decided,
            e.IntentOpened: self._opened,
            e.IntentEnded: self._ended,
            e.CameLate: lambda entry: self.seen_late.add(entry.target),
            e.Paged: self._told,
            NoteTold: self.telling.told,
            e.ApprovalAsked: lambda _: self.on_request(),
            e.PolicyApplied: lambda entry: self.starting.applied(entry.sha256, self.said_at),
        }
        outside.ledger.heard = self._effect
        outside.ledger.unheard = self._did_not_last
        outside.ledger.asked = self.starting.asked

    # -- the record --------------------------------------------------------------------------------

    def catch_up(self) -> None:
        """Before a start: what is on the disk now, as a new process will find it.

        What a killed process had committed and not synced is found, and may still be lost; it is
        acknowledged with the first that the new one writes, before which that does nothing.
        """
        disk = self.machine.disk
        disk.roll_back()
        try:
            chain.verified_end(disk.rows, _BASE, None, PLACE)
        except JournalError as error:
            self.world.violated("the chain verifies after every crash", str(error))
        for number, wanted in enumerate(self.hashes):
            if number >= len(disk.rows) or disk.rows[number].hash != wanted:
                self.world.violated("acknowledged writes survive", f"entry {number + 1} is gone")
                break
        del self.hashes[len(disk.rows) :]
        self.seen = min(self.seen, len(disk.rows))
        self.found = len(disk.rows)
        self._take_found(disk.synced)
        self._whole_tree()

    def heard(self, recorded: e.Recorded) -> None:
        """An entry is durable, and was told."""
        self._take_found(self.found)
        self._take_in(recorded)

    def _take_found(self, upto: int) -> None:
        for row in self.machine.disk.rows[self.seen : upto]:
            self._take_in(chain.recorded(row, PLACE))

    def _take_in(self, recorded: e.Recorded) -> None:
        if recorded.seq != self.seen + 1:
            self.world.violated("gapless", f"{recorded.seq} follows {self.seen}")
        self.seen = recorded.seq
        self.hashes.append(recorded.hash)
        entry = recorded.entry
        if isinstance(entry, e.Paged):
            self.telling.raised(entry, recorded.at.wall)
        row = self.machine.disk.rows[recorded.seq - 1]
        self.world.tell(f"#{row.seq} {row.hash[:8]} {row.kind} {row.body[:MOST_SHOWN]}")
        # On a full disk it was said before it could be recorded.
        said_at = recorded.at.wall - EPOCH - self.wall_off()
        lately = self.world.now - 120.0 <= said_at <= self.world.now
        self.said_at = said_at if lately else self.world.now
        take = self._takes.get(type(entry))
        if take is not None:
            take(entry)

    def wall_off(self) -> float:
        """By how much the wall clock of whoever wrote it is wrong."""
        return self.machine.wall_off

    def delivered(self, rule: str, intent: str = "") -> Sequence[Delivered]:
        """What the sources gave to whoever began an intent, or leads in the end."""
        del intent  # there is one
        return tuple(self.outside.service.delivered.get(rule, ()))

    def _episode(self, entry: e.EpisodeOpened) -> None:
        self.rules[entry.episode] = entry.rule
        self.world.counts["episodes"] += 1
        if entry.reopens:
            self.reopening.add(entry.episode)

    def _moved(self, entry: e.EpisodeMoved) -> None:
        if TABLE.get((entry.before, entry.event)) is not entry.after:
            self.world.violated("only edges of the table", str(entry))

    def _decided(self, entry: e.Decided) -> None:
        self.decisions[entry.decision] = entry
        gate = entry.reason.partition(":")[0] if entry.ruling is e.Ruling.REFUSED else ""
        self.world.counts[f"decided {entry.ruling.value} {gate}".strip()] += 1

    def _opened(self, entry: e.IntentOpened) -> None:
        self.intents[entry.intent] = entry
        self.opened_at[entry.intent] = self.world.now
        self.on_intent()
        if entry.direction is Direction.UNDO:
            if not entry.actor:
                self.world.violated("an undo is a person's", str(entry))
            return
        decided = self.decisions.get(entry.decision)
        if decided is None or decided.ruling is not e.Ruling.ALLOWED:
            self.world.violated("a start follows a decision", str(entry))

    def _ended(self, entry: e.IntentEnded) -> None:
        """Success is said only of what is so, by the target's own history."""
        self.ended[entry.intent] = entry
        self.world.counts[f"ended {entry.outcome.value}"] += 1
        if entry.outcome is not e.Outcome.ABANDONED or entry.direction is Direction.UNDO:
            self.untold[f"episode:{entry.episode}"] = entry
        if entry.outcome not in {e.Outcome.DONE, e.Outcome.FOUND}:
            return
        since = self.opened_at.get(entry.intent, self.world.now) - 12.0  # served late
        if not self._stood(entry, since):
            self.world.violated("done is said only of what is so", _short(entry))

    def _told(self, entry: e.Paged) -> None:
        self.untold.pop(entry.key, None)

    def _stood(self, entry: e.IntentEnded, since: float) -> bool:
        """Whether the target stood as desired at any time from then on."""
        forth = entry.direction is Direction.DO
        if entry.target == SYSTEM:
            return self.outside.helper.restores > 0 or not self.outside.service.suffers("system")
        if entry.target == CONFIG:
            facts = dict(self.intents[entry.intent].facts)
            meant = facts.get("build_sha" if forth else "present_build_sha")
            stands = self.outside.tree.live.content == meant  # by a swap or undo just before
            return stands or any(x.key == entry.intent for x in self.outside.ledger.effects)
        history = self.outside.flags.history[entry.target.removeprefix("flag:")]
        later = [on for at, on in history if at > since]
        before = [on for at, on in history if at <= since][-1:]
        return any(on is not forth for on in (*before, *later))

    # -- the targets -------------------------------------------------------------------------------

    def _effect(self, effect: Effect) -> None:
        self._whole_tree()
        if not effect.key:
            self.strange[effect.target] = effect.at
            return
        intent = self.intents.get(effect.key) or self.starting.on_disk(effect.key)
        if intent is None:
            self.world.violated("every effect was intended", str(effect))
            return
        self._at_most_one(effect, intent)
        over = self.ended.get(effect.key)
        if over is not None and over.outcome not in {e.Outcome.DONE, e.Outcome.FOUND}:
            self.world.counts["effects after they were given up"] += 1
            self.came[effect.key] = effect
            self.seen_late.discard(effect.target)
        self.starting.took_effect(effect, intent)
        if effect.target == SYSTEM:
            self._was_approved(effect, intent)

    def _at_most_one(self, effect: Effect, intent: e.IntentOpened) -> None:
        """Of one episode, rung and target: one there, and one on the way back."""
        what = _slot(effect, intent)
        if self.done[what] and (self.excused(effect) or self._nobody_knew(what)):
            return
        self.done[what] += 1
        self.by[what] = effect
        most = 2 if effect.target == CONFIG else 1
        if self.done[what] > most:
            self.world.violated("at most one effect", f"{what}: {self.done[what]} by {effect}")
        if most == 2 and self.done[what] == 2 and not self._went_back(intent):
            self.world.violated("at most one effect", f"{what}: exchanged twice by {effect}")

    def _nobody_knew(self, what: tuple[str, str, str, str]) -> bool:
        """Whether the one before came when its process was dead, and a stranger took it back before
        anybody looked: the record knows of none, and the breach goes on.
        """
        before = self.by[what]
        over = self.ended.get(before.key)
        known = over is None or over.outcome in {e.Outcome.DONE, e.Outcome.FOUND}
        taken_back = self.strange.get(before.target, -1.0) > before.at
        return taken_back and not known and before.target not in self.seen_late

    def excused(self, effect: Effect) -> bool:
        """Whether it came from a process that was stopped between its last look and the effect."""
        del effect  # whoever is alone has nobody who changes it back meanwhile
        return False

    def _did_not_last(self, effect: Effect) -> None:
        """What a power cut took back before it was synced may be done once more."""
        intent = self.intents.get(effect.key) or self.starting.on_disk(effect.key)
        if intent is not None:
            self.done[_slot(effect, intent)] -= 1

    def _went_back(self, intent: e.IntentOpened) -> bool:
        """Whether its own record says that the way back was begun before."""
        rows = self.machine.disk.rows[: self.machine.disk.synced]
        wanted = f'"intent":"{intent.intent}"'
        return any(
            row.kind == "intent.step_began" and wanted in row.body and '"back: change"' in row.body
            for row in rows
        )

    def _was_approved(self, effect: Effect, intent: e.IntentOpened) -> None:
        """By people who said so in time, each approval used for one restore."""
        helper = self.outside.helper
        decision = next((d for d, key in helper.begun.items() if key == effect.key), "")
        who = self.starting.yeses(decision, signed=True)
        if len(who) < NEEDED:
            self.world.violated("a restore needs its approvals", f"{sorted(who)} for {effect}")
        if not intent.approved_by:
            self.world.violated("a restore is never automatic", str(effect))

    def _whole_tree(self) -> None:
        why_not = self.outside.tree.is_whole()
        if why_not:
            self.world.violated("the live tree is one known generation", why_not)

    # -- the process -------------------------------------------------------------------------------

    def bounded(self, process: SimProcess) -> None:
        """Queues and memory."""
        engine = process.engine
        sizes = {
            "waiting drafts": len(engine.recorder._waiting),
            "work under way": engine.runner.active,
            "episodes at hand": len(engine.book.episodes) // 2,
            "retired sources": len(engine.pollers.retired),
        }
        for what, size in sizes.items():
            if size > MOST_KEPT:
                self.world.violated("queues and memory are bounded", f"{what}: {size}")

    def at_the_end(self, process: SimProcess | None) -> None:
        """The calm is over: what had to come about?"""
        for key, entry in self.untold.items():
            self.world.violated("every outcome is told", f"{key}: {_short(entry)}")
        if process is None or not process.ready:
            self.world.violated("a restart gets ready", "no pass was completed in the calm")
            return
        book, policy = process.engine.book, process.engine.in_force()
        for effect in self._untold_late(process):
            self.world.violated("what takes effect late is told", str(effect))
        self.telling.at_the_end(process.engine)
        for intent in book.intents.values():
            self.world.violated("no decision stays open", str(intent.entry))
        for one in book.open_episodes():
            age = process.engine.ports.clock.now().steady - one.moved.steady
            if one.state in {State.ACTING, State.VERIFYING} and age > MOST_OPEN_SECONDS:
                self.world.violated("no decision stays open", f"{one.id} is {one.state.value}")
        for rule in policy.rules.values():
            kept = self.delivered(rule.name)
            assert isinstance(rule.signal, ValueThreshold)
            limit = rule.signal.bound.limit
            lasting = [d for d in kept if d.at > self.world.now - 60.0]
            if not lasting or not all(d.value is not None and d.value > limit for d in lasting):
                continue
            ep = book.open_episode(rule.name)
            if ep is None or ep.state is State.PENDING:
                said = "has no episode" if ep is None else "is still pending"
                self.world.violated("a sustained breach is acted on or told", f"{rule.name} {said}")

    def _untold_late(self, process: SimProcess) -> Iterator[Effect]:
        """What stands as it was asked for by nobody who still holds it."""
        book = process.engine.book
        for effect in self.came.values():
            newest = [x for x in self.outside.ledger.effects if x.target == effect.target][-1]
            forth = self.intents[effect.key].direction is Direction.DO
            if newest is effect and forth and effect.target.startswith("flag:"):
                lately = self.world.now - effect.at < LOOKED_AT_SECONDS
                known = effect.target in self.seen_late or book.claimants(effect.target)
                if not lately and not known:
                    yield effect

    def counts_as_manual(self, intent: e.IntentOpened) -> bool:
        return self.rules.get(intent.episode) == MANUAL


def _slot(effect: Effect, intent: e.IntentOpened) -> tuple[str, str, str, str]:
    """What may take effect once."""
    whose = intent.intent if intent.direction is Direction.UNDO else intent.episode
    return whose, intent.action, intent.direction.value, effect.target


def _short(entry: e.Entry) -> str:
    return str(entry)[:MOST_SHOWN]
