"""What was put into words for one who looked, for the next: most that look find what they know.

A verdict, and what is left of a budget, is one frozen value between two samples. Known by the
rule's name and by being the very same value, so nothing old is ever shown for something new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")
Shown = TypeVar("Shown")


class Known(Generic[Value, Shown]):
    """Of each name the last. What is shown is not to be changed."""

    def __init__(self, show: Callable[[Value], Shown]) -> None:
        self._show = show
        self._known: dict[str, tuple[Value, Shown]] = {}

    def of(self, name: str, value: Value) -> Shown:
        known = self._known.get(name)
        if known is None or known[0] is not value:
            known = self._known[name] = value, self._show(value)
        return known[1]
