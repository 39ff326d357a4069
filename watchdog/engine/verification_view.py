"""Verification as people are shown it: of an episode, of an action. Plain data; reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchdog.core.spec import ActionSpec
from watchdog.core.verification import NamedCheck
from watchdog.core.verified import Known, Run
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.engine.engine import Engine
from watchdog.engine.shapes_verified import (
    CheckedShape,
    CheckShape,
    LastCheckedShape,
    VerificationShape,
)
from watchdog.engine.verdict_view import utc


@dataclass(frozen=True, slots=True)
class CheckNow:
    """The newest of one check, for metrics."""

    truth: Truth
    age_seconds: float


def verification_now(engine: Engine) -> Mapping[tuple[str, str], CheckNow]:
    """By action and check, of what is in force and was ever looked at."""
    now, last = engine.ports.clock.now(), engine.book.verifications.last
    found = {}
    for action, checks in engine.in_force().verification.items():
        for check in checks:
            known = last.get(action, {}).get(check.name)
            if known is not None:
                age = max(0.0, now.steady - known.at.steady)
                found[action, check.name] = CheckNow(known.entry.truth, age)
    return found


def episode_verification(engine: Engine, episode: str) -> list[VerificationShape]:
    """Every verification of an episode, oldest first, as far as they are kept at hand."""
    return [run_view(engine, run) for run in engine.book.verifications.of(episode)]


def run_view(engine: Engine, run: Run) -> VerificationShape:
    began = run.began
    known = {c.name: c for c in engine.in_force().verification.get(began.action, ())}
    return {
        "verification": began.verification,
        "action": began.action,
        "direction": began.direction.value,
        "began": utc(run.at),
        "by": began.actor,
        "told": run.line,
        "checks": [
            _ended(one, known.get(name))
            if (one := run.known.get(name)) is not None
            else _under_way(
                name, engine.verifying.latest.get((began.verification, name)), known.get(name)
            )
            for name in began.checks
        ],
    }


def action_verification(engine: Engine, action: ActionSpec) -> list[CheckShape]:
    """The checks of an action, each with what was last found."""
    now = engine.ports.clock.now()
    last = engine.book.verifications.last.get(action.name, {})
    return [
        {
            "check": check.name,
            "looks_at": check.about,
            "says": check.says,
            "after": [one.value for one in check.after],
            "within_seconds": check.within_seconds,
            "last": _last(last.get(check.name), now),
        }
        for check in engine.in_force().verification.get(action.name, ())
    ]


def _last(known: Known | None, now: Instant) -> LastCheckedShape | None:
    if known is None:
        return None
    return {
        "verification": known.entry.verification,
        "truth": known.entry.truth.value,
        "reason": known.entry.reason,
        "at": utc(known.at),
        "seconds_ago": max(0.0, now.steady - known.at.steady),
    }


def _ended(known: Known, check: NamedCheck | None) -> CheckedShape:
    entry = known.entry
    return {
        "check": entry.check,
        "says": check.says if check is not None else "",
        "truth": entry.truth.value,
        "reason": entry.reason,
        "looks": entry.looks,
        "seconds": entry.seconds,
        "look_seconds": entry.look_seconds,
        "output": entry.output,
        "at": utc(known.at),
    }


def _under_way(name: str, latest: CheckReading | None, check: NamedCheck | None) -> CheckedShape:
    """`truth` is None until it is known; the reason is that of the last look."""
    return {
        "check": name,
        "says": check.says if check is not None else "",
        "truth": None,
        "reason": f"last: {latest.truth.value}: {latest.reason}" if latest is not None else "",
        "looks": None,
        "seconds": None,
        "look_seconds": None,
        "output": "",
        "at": None,
    }
