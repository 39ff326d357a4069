"""The trees of one live path: which is live, which comes in, which was displaced.

A live path is a folder, or a symbolic link to one (`links`); what is done with either is the
same (`swap`), and where it lies differs.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Protocol

from watchdog.actions.tree.aside import find_aside, mark_displaced, marked, put_aside
from watchdog.actions.tree.exchange import exchange, move, sync
from watchdog.actions.tree.layout import Place, before
from watchdog.actions.tree.marker import generation_of


@dataclass(frozen=True, slots=True)
class Displaced:
    path: str
    is_aside: bool  # False: the swap that displaced it was cut off before it was put aside


class Trees(Protocol):
    """All raise OSError; TroubleError where it cannot be told."""

    def live(self) -> str:
        """The root of the live tree."""
        ...

    def incoming(self, generation: str) -> str | None:
        """The tree that waits to be swapped in."""
        ...

    def displaced(self, generation: str, hint: str) -> Displaced | None:
        """What the swap to the generation displaced; `hint` is where it was last seen."""
        ...

    def swap_in(self, generation: str, incoming: str) -> None:
        """Put it in the live place, durably."""
        ...

    def finish(self, generation: str, key: str, displaced: Displaced) -> str:
        """Mark it and put it where it stays; its path."""
        ...

    def swap_back(self, generation: str, displaced: str) -> None:
        """Put it in the live place again, durably."""
        ...

    def stow(self, generation: str, hint: str) -> None:
        """What was live until it was swapped back waits again to be swapped in."""
        ...


class Folders:
    """The live path is a folder: folders change places."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def live(self) -> str:
        return self._place.current

    def incoming(self, generation: str) -> str | None:
        staged = self._place.staged(generation)
        return staged if generation_of(staged) == generation else None

    def displaced(self, generation: str, hint: str) -> Displaced | None:
        staged = self._place.staged(generation)
        if os.path.lexists(staged) and generation_of(staged) != generation:
            return Displaced(staged, is_aside=False)
        if hint and generation_of(hint) == before(generation):
            return Displaced(hint, is_aside=True)
        found = find_aside(self._place, generation)
        return None if found is None else Displaced(found, is_aside=True)

    def swap_in(self, _generation: str, incoming: str) -> None:
        exchange(self._place, self._place.current, incoming)

    def finish(self, generation: str, key: str, displaced: Displaced) -> str:
        if displaced.is_aside:
            return displaced.path
        mark_displaced(self._place, displaced.path, generation, key)
        return put_aside(self._place, displaced.path)

    def swap_back(self, _generation: str, displaced: str) -> None:
        exchange(self._place, self._place.current, displaced)

    def stow(self, generation: str, hint: str) -> None:
        staged = self._place.staged(generation)
        if not os.path.lexists(staged):
            named = [path for path, _ in marked(self._place)]
            for path in [hint, *named] if hint else named:
                if generation_of(path) == generation:
                    move(path, staged)
                    break
        sync(self._place)
