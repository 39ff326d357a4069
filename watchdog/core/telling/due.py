"""Which steps of a matter are due: those whose time has come, and that were not taken.

The law: a step is known by what it is and not by its place, since contacts may change in
mid-episode. One that was taken before a step is due was not that step, whatever it told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from watchdog.core.draft import Draft
from watchdog.core.telling.contacts import Step, Unless
from watchdog.core.telling.routing import names_of
from watchdog.core.words import Instant

Since = Mapping[Unless, Instant | None]
"""From when the steps of each kind are counted; None where they are not yet."""

_ROUNDED_SECONDS = 1.0
"""How far the time of a step on the record may lie before its own, by rounding."""


def due_steps(
    matter: str, steps: Sequence[Step], since: Since, draft: Draft
) -> list[tuple[int, Step]]:
    """With their numbers, in their order."""
    found, left = [], list(draft.book.notes.steps.get(matter, ()))
    # The latest first: what was taken late enough for it may stand for one that is due before.
    for number, step in sorted(enumerate(steps), key=lambda one: -one[1].after_seconds):
        begun = since.get(step.unless)
        if begun is None:
            continue
        due_at = begun.steady + step.after_seconds
        known = (names_of(step.tell), step.by, step.unless.value)
        enough = due_at - _ROUNDED_SECONDS
        match = next((one for one in left if one[0] == known and one[1].steady >= enough), None)
        if match is not None:
            left.remove(match)
        elif draft.now.steady >= due_at:
            found.append((number, step))
    return sorted(found, key=lambda one: one[0])
