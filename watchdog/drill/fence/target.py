"""What a drill may touch. Paths are followed to where they lead: a link out of it is outside."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path

FACT = re.compile(r"\$\{(?:anchor|present)\.version\}", re.ASCII)
"""What is put in later: a version, which is no way to another place (`core.filling_in`)."""

_BEHIND = re.compile(r"(?:[/?][\w.~/?=&%+:,-]*)?", re.ASCII)
"""Behind the server's name: no user, fragment, quote or space, nor what some read as a slash."""


@dataclass(frozen=True, slots=True)
class Target:
    """One origin, one folder with all that is in it, and the names of the drill's credentials."""

    url: str
    root: Path
    credentials: frozenset[str] = frozenset()

    def serves(self, url: str) -> bool:
        plain = FACT.sub("1", url)
        behind = plain.removeprefix(self.url)
        known = plain.startswith(self.url) and _BEHIND.fullmatch(behind) is not None
        return known and "://" not in behind

    def holds(self, path: str | Path) -> bool:
        """Whether an absolute path lies in the folder, by its name and by where it leads.

        A pattern is held where all that it names now is.
        """
        text = FACT.sub("1", str(path))
        place = Path(text)
        if not place.is_absolute() or ".." in place.parts or "\0" in text:
            return False
        return self._is_within(place) and all(map(self._leads_within, (place, *_named(place))))

    def leads_out(self, name: str, folder: str | None) -> bool:
        """Whether something of that name lies in the folder and is a way out of the target."""
        if folder is None or not name or "\0" in name:
            return False
        place = Path(folder, name)
        try:
            there = place.is_symlink() or place.exists()
        except OSError:
            return False  # no name of a file: too long
        return there and not self._leads_within(place)

    def _is_within(self, place: Path) -> bool:
        return place == self.root or self.root in place.parents

    def _leads_within(self, place: Path) -> bool:
        try:
            root, led = self.root.resolve(), place.resolve()
        except (OSError, RuntimeError):  # links that lead in a circle
            return False
        return led == root or root in led.parents


def _named(pattern: Path) -> list[Path]:
    """What a path's last part names as a pattern."""
    if not pattern.parent.is_dir() or not set(pattern.name) & set("*?["):
        return []
    return [one for one in pattern.parent.iterdir() if fnmatch.fnmatchcase(one.name, pattern.name)]
