"""The shapes of verification: what was begun, what came of each check, what an action has."""

from __future__ import annotations

from typing_extensions import TypedDict

from watchdog.engine.shape_words import DirectionWord, TruthWord, Utc


class CheckedShape(TypedDict):
    check: str
    says: str
    truth: TruthWord | None  # None while it is under way
    reason: str
    looks: int | None
    seconds: float | None
    look_seconds: float | None
    output: str
    at: Utc | None


class VerificationShape(TypedDict):
    verification: str
    action: str
    direction: DirectionWord
    began: Utc
    by: str
    told: str
    checks: list[CheckedShape]


class LastCheckedShape(TypedDict):
    verification: str
    truth: TruthWord
    reason: str
    at: Utc
    seconds_ago: float


class CheckShape(TypedDict):
    check: str
    looks_at: str
    says: str
    after: list[DirectionWord]
    within_seconds: float
    last: LastCheckedShape | None
