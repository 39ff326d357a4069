"""Who is there, for whoever decides by it: silence of the store is nobody's absence."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from watchdog.clock import Kernel, SystemClock
from watchdog.engine.hosts.who import Who
from watchdog.ports import Presence

LEASE = 10.0
ADA = Presence("ada", "a-host", "1", sees=True)


def bob(seconds_ago: float) -> Presence:
    return Presence("bob", "b-host", "1", sees=True, seconds_ago=seconds_ago)


@dataclass
class Time:
    """A machine's uptime, set by hand."""

    up: float = 1000.0
    clock: SystemClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = SystemClock(Kernel("a boot", time.time, lambda: self.up))


def names(found: tuple[Presence, ...]) -> list[str]:
    return [one.name for one in found]


def test_nobody_is_gone_because_the_store_is_silent_and_each_may_be_heard_of_afterwards() -> None:
    at = Time()
    who = Who(at.clock, LEASE)
    assert not who.is_known
    who.met((ADA, bob(0.2)))
    at.up += 60.0
    assert names(who.counted()) == ["ada", "bob"]
    assert names(who.heard_of()) == [], "as it is"

    who.met((ADA, bob(60.0)))  # we are the first to reach it
    assert names(who.counted()) == ["ada", "bob"]
    at.up += 1.0
    who.met((ADA, bob(61.0)))
    assert names(who.counted()) == ["ada", "bob"]
    for _ in range(int(LEASE)):
        at.up += 1.0
        who.met((ADA, bob(70.0)))
    assert names(who.counted()) == ["ada"], "it had its time"


def test_who_is_silent_while_others_are_heard_of_or_has_left_is_gone() -> None:
    at = Time()
    who = Who(at.clock, LEASE)
    who.met((ADA, bob(LEASE)))
    assert names(who.counted()) == ["ada"]
    at.up += 60.0
    who.met((ADA, bob(70.0)))
    assert names(who.counted()) == ["ada"], "it was gone before"

    who.met((ADA, bob(0.0)))
    at.up += 60.0
    who.met((ADA,))
    assert names(who.counted()) == ["ada"], "it has left in order"
