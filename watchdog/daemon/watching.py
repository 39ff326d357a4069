"""Watches the rules folder: whatever is saved there is checked and reported, and never loaded.

The kernel tells of changes at once; but its word ends with the folder that it was asked about, and
it is silent about what a link leads to. So the folder is looked at every few seconds as well, by
the names, times and numbers of its files. A watch that fails says so and is set up anew: it
must neither die in silence nor end the watch of the rules themselves.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import structlog
from watchfiles import awatch

LOOK_EVERY_SECONDS = 5.0
_MOST_FILES = 10_000

Print = tuple[tuple[object, ...], ...]


class RulesWatch:
    """Calls `look` after every change of the folder."""

    def __init__(
        self,
        folder: Path,
        look: Callable[[], Awaitable[object]],
        every_seconds: float = LOOK_EVERY_SECONDS,
    ) -> None:
        self._folder = folder
        self._look = look
        self._every_seconds = every_seconds
        self._seen: Print = ()
        self._trouble = ""

    async def forever(self) -> None:
        """Never ends by itself. Looks once at the start: nobody saw what changed before that."""
        while True:
            try:
                await self._compare()
                await self._until_it_moves()
            except Exception as error:  # noqa: BLE001  # whatever it is, it is said and tried again
                self._told(f"{type(error).__name__}: {error}")
                await asyncio.sleep(self._every_seconds)

    async def _until_it_moves(self) -> None:
        """Watch this very folder; returns when another one stands in its place."""
        own = self._folder.stat()
        changes = awatch(
            self._folder,
            recursive=True,
            yield_on_timeout=True,
            rust_timeout=round(self._every_seconds * 1000),
            stop_event=asyncio.Event(),
        )
        try:
            async for _ in changes:
                await self._compare()
                self._told("")
                now = self._folder.stat()
                if (now.st_dev, now.st_ino) != (own.st_dev, own.st_ino):
                    return
        finally:
            await changes.aclose()

    async def _compare(self) -> None:
        found = await asyncio.to_thread(_print, self._folder)
        if found != self._seen:
            await self._look()
            self._seen = found

    def _told(self, trouble: str) -> None:
        if trouble != self._trouble:
            log = structlog.get_logger()
            if trouble:
                log.error("policy.unwatched", folder=str(self._folder), error=trouble)
            else:
                log.info("policy.watched_again", folder=str(self._folder))
            self._trouble = trouble


def _print(folder: Path) -> Print:
    """What changes when anything in the folder does; links are followed."""
    found: list[tuple[object, ...]] = []
    for number, path in enumerate(_paths(folder)):
        if number > _MOST_FILES:
            break
        try:
            about = path.stat()
        except OSError as error:
            found.append((str(path), error.errno))
            continue
        found.append(
            (
                str(path),
                about.st_dev,
                about.st_ino,
                about.st_mtime_ns,
                about.st_size,
                about.st_mode,
                about.st_uid,
            )
        )
    return tuple(found)


def _paths(folder: Path) -> Iterator[Path]:
    yield folder
    try:
        inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in inside:
        path = Path(entry.path)
        if path.is_dir() and path.parent == folder and not entry.name.startswith("."):
            yield path
            try:
                yield from sorted(path.iterdir())
            except OSError:
                continue
        else:
            yield path
