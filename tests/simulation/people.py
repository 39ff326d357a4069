"""People: they hold, release, acknowledge, approve, deny, undo, close, roll back, edit, at random.

What they said and when is kept here as the truth against which starts are held.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.simulation.process import SimProcess
from tests.simulation.restorer import Signature
from tests.simulation.world import World
from watchdog.core.approvals import Means, restores_system
from watchdog.core.book import Episode
from watchdog.core.hindsight import ImpactTold, Task
from watchdog.core.spec import Scope
from watchdog.core.states import State
from watchdog.engine import Done, OrderRefused, Person, Wanted
from watchdog.ports import JournalError

NAMES = ("alice", "bob", "carol")


@dataclass(slots=True)
class HoldKnown:
    """A hold that its person was told is recorded."""

    name: str
    scope: Scope
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Yes:
    """Somebody was told that their approval is taken."""

    who: str
    episode: str
    decision: str
    at: float
    expires: float


@dataclass(slots=True)
class People:
    world: World
    holds: dict[str, HoldKnown] = field(default_factory=dict)
    yeses: list[Yes] = field(default_factory=list)
    through: dict[str, float] = field(default_factory=dict)  # episode -> of stops until then

    def do_something(self, process: SimProcess) -> None:
        """One person does one thing, if it is to be done at all."""
        chance = self.world.chance
        name = chance.choice(NAMES)
        orders: list[tuple[int, Callable[[SimProcess, str], Awaitable[None]]]] = [
            (2, self._hold),
            (3, self._release),
            (2, self._ack),
            (1, self._look_back),
            (8, self._approve),
            (1, self._deny),
            (5, self._undo),
            (5, self._close),
            (3, self._act),
            (2, self._roll_back),
            (2, self._apply),
        ]
        order = chance.choices([o for _, o in orders], [w for w, _ in orders])[0]
        process.spawn(self._ordered(process, name, order))

    def answer(self, process: SimProcess) -> None:
        """Somebody who was asked says yes."""
        name = self.world.chance.choice(NAMES)
        process.spawn(self._ordered(process, name, self._approve))

    async def _ordered(
        self,
        process: SimProcess,
        name: str,
        order: Callable[[SimProcess, str], Awaitable[None]],
    ) -> None:
        what = order.__name__.strip("_")
        elsewhere = process.elsewhere()
        if elsewhere:
            self.world.tell(f"{name}: {what}: {elsewhere}")
            return
        try:
            await order(process, name)
        except OrderRefused as refused:
            self.world.counts["refused orders"] += 1
            self.world.tell(f"{name}: {what}: refused: {refused}")
        except JournalError as error:
            self.world.tell(f"{name}: {what}: {error}")

    def _told(self, name: str, done: Done) -> None:
        self.world.counts["orders"] += 1
        self.world.tell(f"{name}: {done.effect.splitlines()[0]}")

    async def _hold(self, process: SimProcess, name: str) -> None:
        chance = self.world.chance
        scope = chance.choice(
            (Scope("all"), Scope("rule", "errors"), Scope("target", "flag:a"), Scope("rule", "peg"))
        )
        seconds = chance.choice((None, 10.0, 20.0, 40.0))
        now = self.world.now
        done = process.orders.stops.hold(
            _person(name), scope, "wait", for_seconds=seconds, silence=False, dry=False
        )
        self._told(name, done)
        if done.data.get("recorded"):
            hold = str(done.data["hold"])
            until = float("inf") if seconds is None else now + seconds
            self.holds[hold] = HoldKnown(hold, scope, self.world.now, until)

    async def _release(self, process: SimProcess, name: str) -> None:
        for hold in list(process.engine.book.holds):
            self.holds.pop(hold, None)
            self._told(name, process.orders.stops.release(_person(name), hold, "go on", dry=False))

    async def _ack(self, process: SimProcess, name: str) -> None:
        for ep in self._some(process, *State):
            self._told(name, process.orders.episodes.ack(_person(name), ep.id, "seen", dry=False))

    async def _look_back(self, process: SimProcess, name: str) -> None:
        """Of any episode that ever was: what it cost, and what is to be done, or is done."""
        chance, said = self.world.chance, process.orders.hindsight
        episode = f"E{chance.randint(1, max(1, process.engine.book.counts.get('E', 0)))}"
        told = ImpactTold(episode, name, tickets=chance.randint(0, 9))
        self._told(name, said.impact(_person(name), told, dry=False))
        wanted = Wanted(episode, chance.choice(tuple(Task)), name, "2099-01-01", "look again")
        self._told(name, said.add(_person(name), wanted, dry=False))
        opened = process.engine.book.lessons.open()
        if chance.random() < 0.5:
            done = chance.choice(opened).entry.follow_up
            self._told(name, said.close(_person(name), done, "done", dry=False))

    async def _approve(self, process: SimProcess, name: str) -> None:
        for ep in self._some(process, State.AWAITING):
            request = process.engine.book.requests.open.get(ep.id)
            if request is None:
                continue
            action = process.engine.in_force().actions[request.asked.action]
            signs = restores_system(action) and self.world.chance.random() < 0.8
            means, proof = Means.SOCKET, ""
            asked = request.asked
            expires = (
                self.world.now + asked.expires.steady - process.engine.ports.clock.now().steady
            )
            now = self.world.now
            if signs:
                means, proof = Means.SSH, f"signature-{name}-{asked.decision}"
                process.outside.helper.signatures.append(
                    Signature(
                        name,
                        asked.decision,
                        asked.plan,
                        asked.anchor,
                        asked.requester,
                        now,
                        expires,
                    )
                )
            self.yeses.append(Yes(name, ep.id, asked.decision, now, expires))
            try:
                done = process.orders.approvals.approve(
                    _person(name),
                    ep.id,
                    "I read the plan",
                    through_hold=self.world.chance.random() < 0.2,
                    dry=False,
                    means=means,
                    proof=proof,
                )
            except OrderRefused:
                self.yeses.pop()
                raise
            self._told(name, done)

    async def _deny(self, process: SimProcess, name: str) -> None:
        for ep in self._some(process, State.AWAITING):
            done = process.orders.approvals.deny(_person(name), ep.id, "no", dry=False)
            self._told(name, done)

    async def _undo(self, process: SimProcess, name: str) -> None:
        chance = self.world.chance
        for ep in self._some(process, State.CONTAINED, State.LATCHED, State.VERIFYING, State.HELD):
            done = await process.orders.rollbacks.undo(
                _person(name), ep.id, "over", force=chance.random() < 0.4, dry=False
            )
            self._told(name, done)

    async def _close(self, process: SimProcess, name: str) -> None:
        for ep in self._some(process, State.LATCHED):
            done = process.orders.episodes.close(_person(name), ep.id, "settled", dry=False)
            self._told(name, done)

    async def _act(self, process: SimProcess, name: str) -> None:
        for ep in self._some(process, State.HELD, State.PENDING):
            through = self.world.chance.random() < 0.3
            done = process.orders.episodes.act(
                _person(name), ep.id, "I looked", through_hold=through, dry=False
            )
            if through:
                self.through[ep.id] = self.world.now
            self._told(name, done)

    async def _roll_back(self, process: SimProcess, name: str) -> None:
        action = self.world.chance.choice(("pause-a", "pause-b", "config", "system"))
        done = await process.orders.rollbacks.rollback(
            _person(name), action, "technical", "by hand", through_hold=False, dry=False
        )
        self._told(name, done)

    async def _apply(self, process: SimProcess, name: str) -> None:
        applied = process.engine.book.policy
        assert applied is not None
        text = process.texts[applied.sha256].edited(self.world.chance)
        process.apply(text)
        self.world.tell(f"{name} applies {text}")

    def _some(self, process: SimProcess, *states: State) -> list[Episode]:
        found = [ep for ep in process.engine.book.open_episodes() if ep.state in states]
        return [self.world.chance.choice(found)] if found else []


def _person(name: str) -> Person:
    return Person(name, counts=True)
