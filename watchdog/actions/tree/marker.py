"""Which generation a tree is, as the tree itself tells it.

The law: what was done to a folder is decided by what is found in it, never by what is remembered
of it. The marker is a small file in the tree's root, no part of its manifest, and put there whole.
What cannot be understood is no marker.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from watchdog.actions.tree import beneath
from watchdog.actions.tree.layout import MARKER, Place

_MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Marker:
    """`displaced_by` is the generation that took this tree's place, `key` the intent it was for.

    `source` is what a staged tree is a copy of: one live folder may have several to go back to.
    `order` counts what swaps displaced: a clock may go back, and the time in a name with it.
    """

    generation: str
    digest: str = ""
    displaced_by: str = ""
    key: str = ""
    source: str = ""
    order: str = ""

    @property
    def place_in_order(self) -> int:
        """0 where it was not counted, by an older program: before all that were."""
        return int(self.order) if self.order.isascii() and self.order.isdigit() else 0


def marker_of(root: str) -> Marker | None:
    """Raises OSError where it is there and cannot be read."""
    raw = beneath.begin_of(root, (MARKER,), _MOST_BYTES)
    try:
        told = json.loads(raw or b"")
    except ValueError:
        return None
    if not isinstance(told, dict):
        return None
    texts = [told.get(name, "") for name in Marker.__slots__]
    if not all(isinstance(text, str) for text in texts) or not texts[0]:
        return None
    return Marker(*texts)


def generation_of(root: str) -> str:
    """Empty where it has none."""
    found = marker_of(root)
    return found.generation if found else ""


def mark(place: Place, root: str, marker: Marker) -> None:
    """Durably. Raises OSError."""
    new = place.own("marker.new")
    beneath.write_new(new, json.dumps(asdict(marker)).encode() + b"\n", 0o644)
    beneath.put(new, root, (MARKER,))
