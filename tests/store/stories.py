"""Entries as they might follow one another on a bad day, for the tests of this folder."""

from __future__ import annotations

import math

from watchdog.core.entries import (
    Decided,
    Entry,
    EpisodeOpened,
    GateAnswer,
    HoldPlaced,
    IntentOpened,
    Ruling,
)
from watchdog.core.spec import Scope
from watchdog.core.words import (
    Direction,
    Instant,
    Mode,
    Severity,
    Status,
    Verdict,
    WindowReading,
    World,
)

NOON = Instant(1_790_000_000.25, 5_000.5)


def verdict() -> Verdict:
    return Verdict(
        Status.BREACHED,
        "burn 21.4 > 14.4 over 1h and 5m",
        NOON,
        value=math.nan,
        evidence=(WindowReading(3600.0, 20.0, 100.0, 0.0, 1.0, 0.2, math.inf, 14.4),),
    )


def opened(number: int = 1) -> Entry:
    return EpisodeOpened(
        episode=f"E{number}",
        rule="redemption-error-rate",
        owner="redemption-team",
        severity=Severity.P1,
        world=World.LIVE,
        verdict=verdict(),
    )


def decided(number: int = 1) -> Entry:
    return Decided(
        decision=f"D{number}",
        episode=f"E{number}",
        rule="redemption-error-rate",
        action="pause-redemption",
        rung=0,
        world=World.LIVE,
        ruling=Ruling.ALLOWED,
        reason="every gate passed",
        gates=(GateAnswer("hold", passed=True, reason="none"),),
        policy_sha256="p" * 64,
        rule_sha256="r" * 64,
        verdict=verdict(),
        inputs={"mode": Mode.ARMED, "burn": math.inf, "targets": ["flag:a"]},
    )


def intended(number: int = 1) -> Entry:
    return IntentOpened(
        intent=f"I{number}",
        episode=f"E{number}",
        action="pause-redemption",
        target="flag:btc_mainnet_redemption",
        direction=Direction.DO,
        deadline=NOON.plus(30.0),
    )


def held(number: int = 1) -> Entry:
    return HoldPlaced(f"H{number}", Scope("all"), "deploy", "uid 0", NOON.plus(60.0))


def trouble(number: int = 1) -> tuple[Entry, ...]:
    """What one breach appends at once."""
    return opened(number), decided(number), intended(number)
