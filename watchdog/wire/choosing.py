"""One element of a list, chosen by what it says of itself; and how many say so.

    (flags[?name == 'a'] | [0].on)      a field of the one that is meant
    length(grants[?may == 'x']) >= `1`  how many there are

The law: an element is meant only if it has every field of the condition, of the literal's own
type and with just that value; a field that is missing is no match, but where `null` is asked for.
Where none is meant, or more
than one, there is nothing to read: which of two was meant, nobody knows. Only a list can be
counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.wire.kinds import Scalar, inside, kind_of, step_text, written


@dataclass(frozen=True, slots=True)
class Same:
    """A field of an element that has just this value; None where it has none, or null."""

    keys: tuple[str | int, ...]
    value: Scalar | None

    @property
    def text(self) -> str:
        name = "".join(map(step_text, self.keys)).removeprefix(".") or "@"
        value = f"'{self.value}'" if isinstance(self.value, str) else written(self.value)
        return f"{name} == {value}"

    def split(self, *, all_of: bool) -> tuple[Condition, ...]:  # noqa: ARG002  # as of several
        return (self,)

    def is_met(self, element: object) -> bool:
        value = element
        for key in self.keys:
            value = inside(value, key)
        return kind_of(value) == kind_of(self.value) and value == self.value


@dataclass(frozen=True, slots=True)
class Several:
    """Conditions of which all must be met, or any."""

    all_of: bool
    parts: tuple[Condition, ...]

    @property
    def text(self) -> str:
        texts = (f"({p.text})" if isinstance(p, Several) else p.text for p in self.parts)
        return (" && " if self.all_of else " || ").join(texts)

    def split(self, *, all_of: bool) -> tuple[Condition, ...]:
        """Its parts, where they may as well stand in a larger one of this kind."""
        return self.parts if self.all_of is all_of else (self,)

    def is_met(self, element: object) -> bool:
        return (all if self.all_of else any)(part.is_met(element) for part in self.parts)


Condition = Same | Several


@dataclass(frozen=True, slots=True)
class Chosen:
    """The one element of a list that meets a condition."""

    condition: Condition

    def around(self, list_text: str) -> str:
        return f"{list_text}[?{self.condition.text}] | [0]"

    def inside(self, value: object) -> object:
        """The element; None where none is meant, or more than one."""
        found = _meeting(value, self.condition)
        return found[0] if found is not None and len(found) == 1 else None

    def why_none(self, value: object, list_text: str) -> str:
        """Where `inside` found none."""
        found = _meeting(value, self.condition)
        if found is None or not isinstance(value, list):
            return f"{list_text} is {'missing or null' if value is None else 'no list'}"
        if not value:
            return f"{list_text} is empty: nothing has {self.condition.text}"
        count = f"{len(found)} elements" if found else f"none of the {len(value)} elements"
        return f"{count} of {list_text} have {self.condition.text}"


@dataclass(frozen=True, slots=True)
class Counted:
    """How many elements of a list meet a condition."""

    condition: Condition

    def around(self, list_text: str) -> str:
        return f"length({list_text}[?{self.condition.text}])"

    def inside(self, value: object) -> object:
        found = _meeting(value, self.condition)
        return None if found is None else len(found)

    def why_none(self, value: object, list_text: str) -> str:
        return f"{list_text} is {'missing or null' if value is None else 'no list'}"


def _meeting(value: object, condition: Condition) -> list[object] | None:
    if not isinstance(value, list):
        return None
    return [element for element in value if condition.is_met(element)]
