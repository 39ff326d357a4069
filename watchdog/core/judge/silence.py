"""What it means that selectors match nothing, of answers whose parts were not seen from inside."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from watchdog.core.judge.presence import Need, needs
from watchdog.core.promql import ParseFault
from watchdog.core.promql.standing_in import stood_in


@dataclass(frozen=True, slots=True)
class Silence:
    """Selectors as the parser writes them. Nobody misses those of `replaced`."""

    asked: frozenset[str] = frozenset()  # their silence is what the expression asks about
    replaced: frozenset[str] = frozenset()  # another side of an `or` stands in

    @property
    def counts(self) -> bool:
        """Whether it was an observation: that nothing is there was seen when it was asked."""
        return bool(self.asked or self.replaced)


def silence_of(expression: str, missing: Iterable[str]) -> Silence:
    silent = frozenset(missing)
    return _of(expression, silent) if silent else Silence()


@lru_cache(maxsize=4096)
def _of(expression: str, silent: frozenset[str]) -> Silence:
    try:
        known = needs(expression)
        asked = frozenset(one for one in silent if known.of(one) is Need.ASKED)
        return Silence(asked, stood_in(expression, silent))
    except ParseFault:  # longer than is read here: nothing is excused
        return Silence()
