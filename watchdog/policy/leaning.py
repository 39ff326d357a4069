"""Where an owner's file leans on something of the platform's that is refused itself.

What is wrong there only follows from it, so it is not told: once the platform's file is mended,
it is right, or it is told then.
"""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.policy.nodes import Node, Place
from watchdog.policy.platform import GRANTS

_NAMING = frozenset({"source", "up", "from", "playbook", "up_to"})
_GRANTED = frozenset({"playbook", "up_to", "command"})


def leaning(node: Node, refused: frozenset[str] | None) -> Iterator[Place]:
    """Places of values that cannot be judged beside these names; None where none is known."""
    for item in node.items:
        yield from leaning(item, refused)
    for key, (_, child) in node.entries.items():
        unsure = refused is None or child.text in refused
        if key in _NAMING and child.kind == "scalar" and unsure:
            yield child.place
        if key in _GRANTED and (refused is None or GRANTS in refused):
            yield from (one.place for one in (child, *child.items))
        yield from leaning(child, refused)
