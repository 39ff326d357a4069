"""How text is laid out for people: calm, within the terminal's width, whole lines when piped.

On a terminal long text wraps under its own indent; in a pipe every line stays one line, so that
it can be searched. Text from outside is never read as markup and moves no cursor.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from watchdog.core.text import both_ends, duration, printable

STYLES = {
    "healthy": "green",
    "breached": "bold red",
    "blind": "yellow",
    "ready": "green",
    "not ready": "red",
    "calm": "green",
    "busy": "yellow",
    "look": "bold yellow",
    "dead": "bold red",
    "ok": "green",
    "pending": "yellow",
    "shadowed": "dim",
    "held": "yellow",
    "awaiting": "bold yellow",
    "acting": "bold yellow",
    "verifying": "yellow",
    "contained": "cyan",
    "watched": "cyan",
    "latched": "bold red",
    "pass": "green",
    "REFUSES": "red",
    "allowed": "green",
    "refused": "yellow",
}
"""The same word has the same colour everywhere; the word always stands there too."""


class Terminal(Console):
    """Prints text as it is, but for what would move the cursor, which stands escaped.

    Nothing in it is markup, and nothing is an emoji: `rules.yaml:100:3` is a line, not a grade.
    """

    def __init__(self, *, stderr: bool = False, soft_wrap: bool = False) -> None:
        super().__init__(
            stderr=stderr, soft_wrap=soft_wrap, highlight=False, markup=False, emoji=False
        )

    def render_str(self, text: str, **how: Any) -> Text:
        calm = "\n".join(printable(both_ends(line)) for line in text.split("\n"))
        return super().render_str(calm, **how)


class Page:
    """Writes to stdout."""

    def __init__(self) -> None:
        self._console = Terminal()
        self._begun = False

    @property
    def width(self) -> int:
        return self._console.width

    def line(self, *parts: str | Text, indent: int = 0) -> None:
        """One thing said; parts are put together as they are."""
        text = Text()
        for part in parts:
            text.append_text(part if isinstance(part, Text) else plain(part))
        self._begun = True
        if self._console.is_terminal:
            self._console.print(Padding(text, (0, 0, 0, indent)))
        else:
            self._console.print(Text(" " * indent) + text, soft_wrap=True)

    def title(self, text: str) -> None:
        """A heading, after a blank line."""
        if self._begun:
            self._console.print()
        self.line(plain(text, "bold"))

    def rows(
        self,
        rows: Iterable[tuple[str, ...]],
        *,
        indent: int = 2,
        right: frozenset[int] = frozenset(),
    ) -> None:
        """Columns as wide as they must be; the last one wraps. Known words are coloured."""
        kept = list(rows)
        if not kept:
            return
        widths = [max(len(row[i]) for row in kept) for i in range(len(kept[0]) - 1)]
        lead = indent + sum(width + 2 for width in widths)
        end = max(len(row[-1]) for row in kept) if len(kept[0]) - 1 in right else 0
        for *cells, last in kept:
            text = Text()
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True)):
                shown = cell.rjust(width) if i in right else cell.ljust(width)
                text.append_text(plain(shown, STYLES.get(cell, "")))
                text.append("  ")
            self._row(text, plain(last.rjust(end), STYLES.get(last, "")), indent, lead)

    def _row(self, head: Text, last: Text, indent: int, lead: int) -> None:
        self._begun = True
        if not self._console.is_terminal:
            self._console.print(Text(" " * indent) + head + last, soft_wrap=True)
            return
        # Where too little is left beside the columns, the last one goes below them.
        room = self._console.width - lead
        if room < 24 and len(last) > room:
            self._console.print(Padding(head, (0, 0, 0, indent)))
            self._console.print(Padding(last, (0, 0, 0, indent + 4)))
            return
        first, *rest = last.wrap(self._console, max(room, 8)) or [Text()]
        self._console.print(Text(" " * indent) + head + first, soft_wrap=True)
        for more in rest:
            self._console.print(Text(" " * lead) + more, soft_wrap=True)

    def short(self, text: str, used: int) -> str:
        """What fits beside `used` columns on a terminal; all of it in a pipe."""
        room = max(8, self._console.width - used)
        if not self._console.is_terminal or len(text) <= room:
            return text
        return text[: room - 3].rstrip() + "..."


def plain(text: str, style: str = "") -> Text:
    """Text from outside as it is, without what would move the cursor."""
    return Text("".join(c if c.isprintable() else " " for c in text), style)


def word(text: str) -> Text:
    """A word that has a colour of its own."""
    return plain(text, STYLES.get(text, ""))


def clock(iso: str, now: datetime) -> str:
    """A UTC time as short as it is clear: 21:04:31Z today, 2026-11-21 21:04Z before."""
    at = datetime.fromisoformat(iso).astimezone(UTC)
    return f"{at:%H:%M:%S}Z" if at.date() == now.date() else f"{at:%Y-%m-%d %H:%M}Z"


def ago(iso: str, now: datetime) -> str:
    """How long ago; "0s" where clocks differ."""
    return span(max(0.0, (now - datetime.fromisoformat(iso)).total_seconds()))


def until(iso: str, now: datetime) -> str:
    return span(max(0.0, (datetime.fromisoformat(iso) - now).total_seconds()))


def span(seconds: float) -> str:
    """A duration in at most two units: 4ms, 1.2s, 12s, 3m20s, 2h5m, 3d4h."""
    if seconds < 9.95:
        return duration(round(seconds, 1 if seconds >= 0.95 else 3))
    step = 1 if seconds < 3600 else 60 if seconds < 86400 else 3600
    return duration(round(seconds / step) * step)
