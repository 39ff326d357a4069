"""Whether a swap took place, told by the trees alone; nothing is changed.

The law: FALSE only where the live path surely is what it was before this swap, with nobody at
work on it. A swap that was begun and cut off counts as done: it is finished or undone, never
left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from watchdog.actions.tree.layout import before
from watchdog.actions.tree.marker import generation_of
from watchdog.actions.tree.swap import Order, trees_of

Told = tuple[str, str]
"""A truth, and the reason for it."""


def forward_stands(order: Order) -> Told:
    """Raises TroubleError and OSError."""
    generation = order.generation
    if not os.path.isdir(order.place.current):
        return "true", "a swap was begun: nothing is in the live place"
    trees = trees_of(order.place)
    live = generation_of(trees.live())
    if live == generation:
        return "true", f"the live tree is of generation {generation}"
    if trees.incoming(generation) is not None:
        return "false", f"generation {generation} is staged, and the live tree is another"
    return "unknown", f"no tree of generation {generation} is live or staged"


def back_stands(order: Order) -> Told:
    """Raises TroubleError and OSError."""
    generation = order.generation
    if not os.path.isdir(order.place.current):
        return "true", "a swap was begun: nothing is in the live place"
    live = generation_of(trees_of(order.place).live())
    if live == before(generation):
        return "true", f"what generation {generation} displaced is live again"
    if live == generation:
        return "false", f"generation {generation} is live still"
    return "unknown", f"the live tree is neither {generation} nor what it displaced"


STANDS: dict[str, Callable[[Order], Told]] = {"forward": forward_stands, "back": back_stands}
