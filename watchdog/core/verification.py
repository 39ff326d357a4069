"""Verification after a rollback: the named checks of an action, as written and as recorded.

Laws
* What a check says decides nothing. No state, gate, deadline or undo waits for one, or asks what
  it said: an episode goes the same way at the same times whether its checks hold, fail or hang. So
  they are no part of an action, its hash or what is approved of it.
* A check only looks. It is bounded in time and in what is kept of it, and a command of one has no
  shell.
* It holds by one look that holds. It fails by the last look of its time alone, and a look that
  proves nothing leaves it unknown.
* What was begun on the record is ended on it, each check by itself, whatever dies in between: what
  had not ended is looked at again.
* A later change of the same target is another state than the one that was to be verified: what had
  not ended by then is unknown for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from watchdog.core.probes import Probe
from watchdog.core.text import duration, shortened
from watchdog.core.words import Direction, Truth

MOST_CHECKS = 20
"""Of one action."""

MOST_OUTPUT = 2000
"""Characters kept of what a check printed."""

_MOST_REASON = 160  # of each, where all are told in one line


@dataclass(frozen=True, slots=True)
class NamedCheck:
    """One question that is asked when an action's effect was read back."""

    name: str
    how: Probe
    about: str  # what is looked at: "GET https://mycelia.example/health"
    after: tuple[Direction, ...]
    deadline_seconds: float  # of one look
    within_seconds: float  # how long it is looked at again until it holds
    page: bool  # whether its failure calls somebody now
    says: str  # what it is for, in the words of whoever wrote it


@dataclass(frozen=True, slots=True)
class VerificationBegan:
    """About to look. By itself after the `intent` that was proven, or as `actor` asked: then each
    check is looked at once.
    """

    verification: str  # "V7"
    episode: str  # "" where somebody asked about an action that no episode holds
    action: str
    target: str
    direction: Direction
    checks: tuple[str, ...]
    intent: str = ""
    actor: str = ""
    kind: Literal["aside.verification.began"] = "aside.verification.began"


@dataclass(frozen=True, slots=True)
class VerificationChecked:
    """What came of one check."""

    verification: str
    episode: str
    action: str
    check: str
    truth: Truth
    reason: str
    looks: int  # how often it was looked at by the process that ended it
    seconds: float  # from the beginning until this was known
    look_seconds: float  # that the last look took
    output: str = ""  # of a command, bounded
    kind: Literal["aside.verification.checked"] = "aside.verification.checked"


VerificationEntry = VerificationBegan | VerificationChecked


def checks_after(checks: Iterable[NamedCheck], direction: Direction) -> tuple[NamedCheck, ...]:
    """Those that say something of this change."""
    return tuple(check for check in checks if direction in check.after)


def after_what(action: str, direction: Direction) -> str:
    return action if direction is Direction.DO else f"the undo of {action}"


_WORDS = {Truth.TRUE: "holds", Truth.FALSE: "fails", Truth.UNKNOWN: "is not known"}


def told_began(entry: VerificationBegan) -> str:
    """In a sentence, for a timeline."""
    what = after_what(entry.action, entry.direction)
    asked = f", asked for by {entry.actor}" if entry.actor else ""
    return f"{entry.verification}: after {what}, looks at {', '.join(entry.checks)}{asked}"


def told_checked(entry: VerificationChecked) -> str:
    looks = f", {entry.looks} looks" if entry.looks > 1 else ""
    after = f" (known after {duration(entry.seconds)}{looks})"
    return f"{entry.verification} {entry.check} {_WORDS[entry.truth]}: {entry.reason}{after}"


def in_short(known: Sequence[VerificationChecked], missing: Sequence[str]) -> str:
    """As "5 of 6 hold; por-attestation fails: 31m old, more than 30m"."""
    held = sum(one.truth is Truth.TRUE for one in known)
    parts = [f"{held} of {len(known) + len(missing)} hold"]
    for truth in (Truth.FALSE, Truth.UNKNOWN):
        found = (one for one in known if one.truth is truth)
        word = _WORDS[truth]
        parts += [f"{one.check} {word}: {shortened(one.reason, _MOST_REASON)}" for one in found]
    if missing:
        parts.append(f"under way: {', '.join(missing)}")
    return "; ".join(parts)
