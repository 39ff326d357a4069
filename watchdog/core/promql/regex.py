"""Regular expressions of label matchers: RE2's meaning, whole values only, in linear time.

Python's own engine differs from RE2 in meaning here and there, and can run for ever on a value
that a service chooses. So patterns are compiled to a small state machine of our own: its time
grows with the length of the value times that of the pattern, whatever both are. What it does not
know is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from watchdog.core.promql.faults import Unsupported
from watchdog.core.promql.regex_reader import (
    Char,
    Choice,
    Edge,
    Reader,
    Repeat,
    Sequence,
    Test,
    Tree,
)

_MAX_STATES = 4000
_REMEMBERED = 4096
_SPECIAL = frozenset("\\.+*?()|[]{}^$")


@dataclass(slots=True)
class _State:
    """A character to take (`test`) or an edge to be at, or neither; then on to any of `then`."""

    test: Test | None = None
    edge: Edge | None = None
    then: list[int] = field(default_factory=list)


class Pattern:
    """A compiled pattern; `matches` is true only when the whole value matches."""

    __slots__ = ("_first", "_known", "_last", "_literals", "_states", "text")

    def __init__(self, text: str) -> None:
        """Raises ParseFault or Unsupported."""
        self.text = text
        self._known: dict[str, bool] = {}
        self._literals: frozenset[str] | None = None
        self._states: list[_State] = []
        self._first = self._last = 0
        if not _SPECIAL - {"|"} & set(text):
            self._literals = frozenset(text.split("|"))
            return
        tree = Reader(text).whole()
        self._last = self._state(_State())
        self._first = self._build(tree, self._last)

    @property
    def size(self) -> int:
        """What it takes to keep, counted in states."""
        return max(len(self._states), len(self.text) // 100, 1)

    @property
    def only(self) -> str | None:
        """The one value that matches, where the pattern is nothing but a text."""
        known = self._literals
        return next(iter(known)) if known is not None and len(known) == 1 else None

    def matches(self, value: str) -> bool:
        if self._literals is not None:
            return value in self._literals
        known = self._known.get(value)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[value] = self._run(value)
        return known

    def _state(self, state: _State) -> int:
        if len(self._states) >= _MAX_STATES:
            raise Unsupported("a regular expression this large", self.text)
        self._states.append(state)
        return len(self._states) - 1

    def _build(self, tree: Tree, then: int) -> int:
        """Lay the tree out so that it goes on to state `then`; gives its first state."""
        match tree:
            case Char(test):
                return self._state(_State(test=test, then=[then]))
            case Edge():
                return self._state(_State(edge=tree, then=[then]))
            case Sequence(parts):
                for part in reversed(parts):
                    then = self._build(part, then)
                return then
            case Choice(options):
                return self._state(_State(then=[self._build(option, then) for option in options]))
            case Repeat(inner, least, most):
                if most is None:
                    loop = self._state(_State(then=[then]))
                    self._states[loop].then.append(self._build(inner, loop))
                    then = loop
                else:
                    after = then
                    for _ in range(most - least):
                        then = self._state(_State(then=[after, self._build(inner, then)]))
                for _ in range(least):
                    then = self._build(inner, then)
                return then

    def _run(self, value: str) -> bool:
        current = self._reach([self._first], start=True, end=not value)
        for position, char in enumerate(value, start=1):
            states = self._states
            nexts = [
                states[index].then[0]
                for index in current
                if (test := states[index].test) is not None and test(char)
            ]
            if not nexts:
                return False
            current = self._reach(nexts, start=False, end=position == len(value))
        return self._last in current

    def _reach(self, todo: list[int], *, start: bool, end: bool) -> set[int]:
        """All states that follow without taking a character."""
        found: set[int] = set()
        while todo:
            index = todo.pop()
            if index in found:
                continue
            found.add(index)
            state = self._states[index]
            if state.test is None and (state.edge is None or (end if state.edge.end else start)):
                todo.extend(state.then)
        return found
