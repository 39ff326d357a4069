"""The live path is a symbolic link to a release folder: the link changes, the folders stay.

The law: the link is replaced at once, by a rename. The tree that comes in first gets a place
beside the release that goes, since nobody else may enter the work area. What the link said
before stands in a record, durable before the link changes: afterwards nothing else tells.
The folder that was displaced stays where it is, and is never deleted by us: it is a release.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass

from watchdog.actions.tree import beneath
from watchdog.actions.tree.aside import mark_displaced
from watchdog.actions.tree.exchange import move, replace_link, sync
from watchdog.actions.tree.layout import Place, before
from watchdog.actions.tree.marker import generation_of
from watchdog.actions.tree.trees import Displaced

_MOST_BYTES = 1 << 16


@dataclass(frozen=True, slots=True)
class _Record:
    text: str  # of the link, before the swap
    displaced: str  # the folder that it led to
    placed: str  # where the tree that came in lies


class Links:
    """Implements `Trees`."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def live(self) -> str:
        return os.path.realpath(self._place.current, strict=True)

    def incoming(self, generation: str) -> str | None:
        record = self._record(generation)
        for path in (self._place.staged(generation), record.placed if record else ""):
            if path and path != self.live() and generation_of(path) == generation:
                return path
        return None

    def displaced(self, generation: str, hint: str) -> Displaced | None:
        record = self._record(generation)
        path = record.displaced if record else hint
        if not path or not os.path.isdir(path) or path == self.live():
            return None
        marked = generation_of(path) == before(generation)
        if not marked and generation_of(self.live()) != generation:
            return None  # the record was written, and the link never changed
        return Displaced(path, is_aside=marked)

    def swap_in(self, generation: str, incoming: str) -> None:
        displaced = self.live()
        text = os.readlink(self._place.current)
        placed = os.path.join(
            os.path.dirname(displaced), f"{self._place.name}-of-{generation[:12]}"
        )
        record = _Record(text, displaced, placed)
        new = self._place.own("link.json.new")
        beneath.write_new(new, json.dumps(asdict(record)).encode())
        os.rename(new, self._path(generation))
        sync(self._place)
        if incoming != placed:
            move(incoming, placed)
            sync(self._place, placed)
        target = placed
        if not text.startswith("/"):
            target = os.path.relpath(placed, os.path.realpath(self._place.parent))
        self._point(target)

    def finish(self, generation: str, key: str, displaced: Displaced) -> str:
        if not displaced.is_aside:
            mark_displaced(self._place, displaced.path, generation, key)
        return displaced.path

    def swap_back(self, generation: str, displaced: str) -> None:
        record = self._record(generation)
        text = record.text if record else displaced
        leads_to = os.path.realpath(os.path.join(self._place.parent, text))
        self._point(text if leads_to == os.path.realpath(displaced) else displaced)

    def stow(self, generation: str, hint: str) -> None:
        del hint  # the record tells
        record, staged = self._record(generation), self._place.staged(generation)
        if record is not None and record.placed != self.live():
            if not os.path.lexists(staged) and generation_of(record.placed) == generation:
                move(record.placed, staged)
            sync(self._place, record.placed)

    def _point(self, target: str) -> None:
        replace_link(self._place.current, target, self._place.own("link.new"))
        sync(self._place)

    def _path(self, generation: str) -> str:
        return self._place.own(f"link-{generation}.json")

    def _record(self, generation: str) -> _Record | None:
        raw = beneath.begin_of(
            self._place.work, (os.path.basename(self._path(generation)),), _MOST_BYTES
        )
        if raw is None:
            return None
        told = json.loads(raw)
        return _Record(told["text"], told["displaced"], told["placed"])
