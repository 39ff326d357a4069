"""What an action would restore, for the gates: its anchor, and the trouble that it must predate."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.book import Book, Episode
from watchdog.core.spec import ActionSpec, RatioThreshold, RuleSpec, Slo


@dataclass(frozen=True, slots=True)
class Restorable:
    """The gates' inputs about what would be restored, by their names there."""

    anchor_margin: float | None
    anchor: str
    anchor_known_by: float | None
    first_bad: float | None
    quarantined: str


def restorable(action: ActionSpec, book: Book, first_bad: float | None) -> Restorable:
    found = book.anchors.now.get(action.name)
    bad = book.anchors.bad.get(found.digest) if found is not None else None
    return Restorable(
        anchor_margin=action.anchor_margin_seconds,
        anchor=found.digest if found is not None else "",
        anchor_known_by=book.anchors.known_by(found) if found is not None else None,
        first_bad=first_bad,
        quarantined=bad.episode if bad is not None else "",
    )


def first_bad_of(rule: RuleSpec, ep: Episode) -> float | None:
    """The wall time from which on samples may have been bad: a window is breached after them."""
    if ep.breached_at is None:
        return None
    match rule.signal:
        case Slo(pairs=pairs):
            window = max(pair.short_seconds for pair in pairs)
        case RatioThreshold(over_seconds=window):
            pass
        case _:
            window = 0.0
    return ep.breached_at.wall - window
