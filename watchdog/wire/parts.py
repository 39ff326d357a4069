"""What an expectation is made of, and what each part answers about a document.

Every part tells whether it holds, None where a field was not to be read, and which fields and
values decided that. `expectation.py` has the law and the language; it makes these parts.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from watchdog.wire.choosing import Chosen, Counted
from watchdog.wire.kinds import SCALARS, Scalar, inside, kind_of, step_text, written

Key = str | int | Chosen | Counted


@dataclass(frozen=True, slots=True)
class Outcome:
    """`holds` is None where unknown. The texts are of the parts that decided."""

    holds: bool | None
    because: tuple[str, ...]
    seen: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    keys: tuple[Key, ...]

    @property
    def text(self) -> str:
        text = ""
        for key in self.keys:
            if isinstance(key, Chosen | Counted):
                text = key.around(text or "@")
            else:
                text = (text + step_text(key)).removeprefix(".")
        return text or "@"

    def told(self, value: object) -> str:
        """What it is; of a count, whose text is long and stands before it, the number alone."""
        counted = bool(self.keys) and isinstance(self.keys[-1], Counted)
        return f"there are {written(value)}" if counted else f"{self.text} is {written(value)}"

    def find(self, document: object) -> object:
        """The value there; None for null, and where there is nothing."""
        value = document
        for key in self.keys:
            value = _inside(value, key)
        return value

    def seen(self, document: object) -> str:
        """The value there; where there is none, what is there instead, as deep as it goes."""
        value = document
        for depth, key in enumerate(self.keys):
            inner = _inside(value, key)
            if inner is None:
                return f"{Path(self.keys[:depth]).text}: {written(value)}"
            value = inner
        return f"{self.text}: {written(value)}"

    def why_none(self, document: object) -> str:
        """Where `find` found nothing."""
        value = document
        for depth, key in enumerate(self.keys):
            inner = _inside(value, key)
            if inner is None and isinstance(key, Chosen | Counted):
                return key.why_none(value, Path(self.keys[:depth]).text)
            value = inner
        return f"{self.text} is missing or null"


@dataclass(frozen=True, slots=True)
class Literal:
    value: Scalar

    @property
    def text(self) -> str:
        return written(self.value)

    def find(self, _document: object) -> object:
        return self.value


@dataclass(frozen=True, slots=True)
class Flag:
    path: Path

    def judge(self, document: object) -> Outcome:
        value = self.path.find(document)
        seen = (self.path.seen(document),)
        if isinstance(value, bool):
            return Outcome(value, (f"{self.path.text} is {written(value)}",), seen)
        return Outcome(None, (_not(self.path, document, value, "true or false"),), seen)


@dataclass(frozen=True, slots=True)
class Comparison:
    op: str
    left: Path | Literal
    right: Path | Literal

    def judge(self, document: object) -> Outcome:
        sides = [(side, side.find(document)) for side in (self.left, self.right)]
        fields = [(side, value) for side, value in sides if isinstance(side, Path)]
        seen = tuple(side.seen(document) for side, _value in fields)
        wanted = self._wanted([kind_of(value) for _side, value in sides])
        unfit = [
            _not(side, document, value, wanted or "a scalar")
            for side, value in fields
            if kind_of(value) not in ({wanted} if wanted else SCALARS)
        ]
        if unfit:
            return Outcome(None, tuple(unfit), seen)
        if wanted is None:
            (left, one), (right, other) = sides
            odd = f"{left.text} is {kind_of(one)}, {right.text} is {kind_of(other)}"
            return Outcome(None, (odd,), seen)
        holds = _COMPARED[self.op](sides[0][1], sides[1][1])
        stands = f"{self.left.text} {SIGNS[self.op]} {self.right.text}"
        are = " and ".join(side.told(value) for side, value in fields)
        return Outcome(holds, (f"{stands} {'holds' if holds else 'does not hold'}: {are}",), seen)

    def _wanted(self, kinds: list[str]) -> str | None:
        """The type that both sides must have; None where only their equality of type counts."""
        if self.op not in EQUALITIES:
            return "a number"
        for side, kind in zip((self.left, self.right), kinds, strict=True):
            if isinstance(side, Literal):
                return kind
        return kinds[0] if kinds[0] == kinds[1] and kinds[0] in SCALARS else None


@dataclass(frozen=True, slots=True)
class Negation:
    inner: Part

    def judge(self, document: object) -> Outcome:
        outcome = self.inner.judge(document)
        holds = None if outcome.holds is None else not outcome.holds
        return Outcome(holds, outcome.because, outcome.seen)


@dataclass(frozen=True, slots=True)
class Connective:
    both: bool  # and; otherwise or
    parts: tuple[Part, ...]

    def judge(self, document: object) -> Outcome:
        outcomes = [part.judge(document) for part in self.parts]
        answers = [outcome.holds for outcome in outcomes]
        known = all(answers) if self.both else any(answers)
        holds = None if None in answers else known
        # What speaks for the answer: of an unknown whole the unknown parts, and so on.
        decided = [outcome for outcome in outcomes if outcome.holds is holds]
        return Outcome(
            holds,
            tuple(dict.fromkeys(text for one in decided for text in one.because)),
            tuple(dict.fromkeys(text for one in decided for text in one.seen)),
        )


Part = Flag | Comparison | Negation | Connective

SIGNS = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
EQUALITIES = frozenset({"eq", "ne"})
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lte": operator.le,
    "gt": operator.gt,
    "gte": operator.ge,
}


def _inside(value: object, key: Key) -> object:
    return key.inside(value) if isinstance(key, Chosen | Counted) else inside(value, key)


def _not(path: Path, document: object, value: object, wanted: str) -> str:
    if value is None:
        return path.why_none(document)
    return f"{path.text} is {kind_of(value)}, not {wanted}"
