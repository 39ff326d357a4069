"""What the watchdog changes, each as it might be in the world: flags that answer and lie.

Effects are counted here and nowhere else: whatever the journal says, `effects` is what happened.
A request that was sent takes effect whether or not its sender lives to hear of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.simulation.machine import Held
from tests.simulation.service import Service
from tests.simulation.world import World
from watchdog.ports import Attempt, Attempted

STRANGER = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """A target is another than before. `key` is the intent's; STRANGER's is empty."""

    at: float
    target: str
    key: str
    before: str
    after: str


@dataclass(slots=True)
class Ledger:
    """Every effective change, in its order; who listens hears of each at once."""

    world: World
    effects: list[Effect] = field(default_factory=list)
    heard: Callable[[Effect], None] = lambda _: None
    asked: Callable[[str, str], None] = lambda _key, _target: None
    unheard: Callable[[Effect], None] = lambda _: None

    def changed(self, target: str, key: str, before: str, after: str) -> None:
        effect = Effect(self.world.now, target, key, before, after)
        self.effects.append(effect)
        if key:
            self.world.counts["effects"] += 1
            self.world.counts[f"effects on {target}"] += 1
        self.world.tell(f"EFFECT {target}: {before} -> {after} by {key or 'a stranger'}")
        self.heard(effect)

    def did_not_last(self, target: str) -> None:
        """A power cut took back the newest effect on a target: it never came to be."""
        ours = (x for x in reversed(self.effects) if x.target == target and x.key)
        newest = next(ours, None)
        if newest is not None:
            self.unheard(newest)


@dataclass(slots=True)
class Flags:
    """A flag service with versions and a served copy that may lag behind."""

    world: World
    service: Service
    ledger: Ledger
    on: dict[str, bool] = field(default_factory=dict)
    history: dict[str, list[tuple[float, bool]]] = field(default_factory=dict)
    lag_until: float = 0.0
    lag_seconds: float = 0.0

    def __post_init__(self) -> None:
        for name in ("a", "b", "c"):
            self.on[name] = True
            self.history[name] = [(-1.0, True)]

    def set(self, name: str, key: str, *, on: bool) -> None:
        was = self.on[name]
        if was is on:
            return
        self.on[name] = on
        self.history[name].append((self.world.now, on))
        (self.service.flags_off.discard if on else self.service.flags_off.add)(name)
        self.ledger.changed(f"flag:{name}", key, _word(was), _word(on))

    def shown(self, name: str) -> bool:
        """As served: perhaps as it was a few seconds ago."""
        lag = self.lag_seconds if self.world.now < self.lag_until and not self.world.calm else 0.0
        stood = [on for at, on in self.history[name] if at <= self.world.now - lag]
        return stood[-1] if stood else self.history[name][0][1]

    async def put(self, name: str, key: str, seconds: float, life: Held, *, on: bool) -> Attempt:
        """One request. Its fate is drawn when it is sent."""
        life.point()
        self.ledger.asked(key, f"flag:{name}")
        world, chance = self.world, self.world.chance
        takes = min(0.02 + 0.3 * chance.random(), seconds / 2)
        fate = self._fate()

        def happens() -> None:
            self.set(name, key, on=on)

        if fate in {"", "answer lost", "500, done"}:
            world.after(takes, f"the request of {key} arrives", happens)
        elif fate == "late":
            world.after(seconds * chance.random(), f"the request of {key} arrives late", happens)
        await asyncio.sleep(takes + 0.01)
        life.point()
        if fate in {"answer lost", "lost", "late"}:
            await asyncio.sleep(max(0.0, seconds - takes - 0.01))
            life.alive()
        return _ANSWERS[fate]

    def _fate(self) -> str:
        if not self.world.happens(0.35):
            return ""
        fate = self.world.chance.choice(
            ("answer lost", "lost", "late", "500, done", "500", "lies", "429", "401", "409", "down")
        )
        self.world.fault(f"flag request: {fate}")
        return fate


_ANSWERS = {
    "": Attempt(Attempted.CLAIMED, "answered 200"),
    "answer lost": Attempt(Attempted.UNKNOWN, "no answer within the deadline"),
    "lost": Attempt(Attempted.UNKNOWN, "no answer within the deadline"),
    "late": Attempt(Attempted.UNKNOWN, "no answer within the deadline"),
    "500, done": Attempt(Attempted.UNKNOWN, "answered 500"),
    "500": Attempt(Attempted.UNKNOWN, "answered 500"),
    "lies": Attempt(Attempted.CLAIMED, "answered 200"),
    "429": Attempt(Attempted.NOT_DONE, "answered 429", retry_after_seconds=1.0),
    "401": Attempt(Attempted.REFUSED, "answered 401"),
    "409": Attempt(Attempted.CONFLICT, "answered 409"),
    "down": Attempt(Attempted.NOT_DONE, "connection refused"),
}


def _word(on: bool) -> str:  # noqa: FBT001  # a conversion's only parameter
    return "on" if on else "off"
