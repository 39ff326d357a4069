"""A mapping of a foreign file, read field by field; what nobody took is reported as dropped."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from watchdog.core.text import seconds_of
from watchdog.policy.importers.report import Report
from watchdog.policy.nodes import Node, Place
from watchdog.policy.scalars import shown

_YEAR_SECONDS = 31_536_000
_UNKNOWN = "nothing here knows what it means"


class Fields:
    """`path` is how the mapping is called in the report, empty for a document's top."""

    def __init__(self, node: Node, path: str, report: Report) -> None:
        self.node = node
        self.path = path
        self.report = report
        self._taken: set[str] = set()

    @property
    def place(self) -> Place:
        return self.node.place

    def __contains__(self, key: str) -> bool:
        found = self.node.entries.get(key)
        return found is not None and not _is_null(found[1])

    def named(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def at(self, key: str) -> Place:
        """The key's place, or the mapping's where the key is missing."""
        found = self.node.entries.get(key)
        return found[0] if found else self.place

    def value_at(self, key: str) -> Place:
        found = self.node.entries.get(key)
        return found[1].place if found else self.place

    def take(self, key: str) -> Node | None:
        """The value, which counts as read from now on; None for a missing one and for null."""
        self._taken.add(key)
        found = self.node.entries.get(key)
        return None if found is None or _is_null(found[1]) else found[1]

    def text(self, key: str) -> str | None:
        """A scalar as it is written, or None with what is wrong reported."""
        node = self.take(key)
        if node is None:
            return None
        if node.kind != "scalar":
            remedy = "Write out what is merged there." if key == "<<" else "Write one value."
            self.report.error(node.place, f"{self.named(key)} is a {node.kind}", remedy)
            return None
        return node.text

    def needed(self, key: str) -> str | None:
        """A text that must be there and say something."""
        broken = len(self.report.findings.errors)
        found = self.text(key)
        if (found is None or not found.strip()) and broken == len(self.report.findings.errors):
            self.report.error(self.at(key), f"there is no {self.named(key)}", "Add it.")
            return None
        return found

    def flag(self, key: str, *, otherwise: bool) -> bool:
        found = self.text(key)
        if found is None:
            return otherwise
        if found.lower() not in {"true", "false"}:
            what = f"{self.named(key)} is neither true nor false: {shown(found)}"
            self.report.error(self.value_at(key), what, "Write true or false.")
        return found.lower() == "true"

    def seconds(self, key: str) -> float | None:
        """A duration; 0 and a missing one are None."""
        found = self.text(key)
        if found is None or found.strip() in {"", "0"}:
            return None
        seconds = duration_of(found.strip())
        if seconds is None:
            what = f"{self.named(key)} is no duration: {shown(found)}"
            self.report.error(self.value_at(key), what, "Write it like 30s, 5m or 1h30m.")
        return seconds or None

    def inside(self, key: str) -> Fields | None:
        """A mapping; where it is none, that is reported."""
        node = self.take(key)
        if node is None:
            return None
        if node.kind != "mapping":
            what = f"{self.named(key)} is no mapping"
            self.report.error(node.place, what, "Write it as KEY: VALUE lines.")
            return None
        return Fields(node, self.named(key), self.report)

    def each(self, key: str) -> Iterator[Fields]:
        """The mappings of a list; each is closed after its turn."""
        for node in self.items(key):
            path = f"{self.named(key)}[]"
            if node.kind != "mapping":
                self.report.error(node.place, f"{path} is no mapping", "Write KEY: VALUE lines.")
                continue
            fields = Fields(node, path, self.report)
            yield fields
            fields.close()

    def items(self, key: str) -> list[Node]:
        node = self.take(key)
        if node is None:
            return []
        if node.kind != "list":
            what = f"{self.named(key)} is no list"
            self.report.error(node.place, what, "Begin each item with a hyphen.")
            return []
        return node.items

    def texts(self, key: str) -> dict[str, tuple[Place, str]]:
        """A mapping of texts, like labels: name -> (its place, text)."""
        fields = self.inside(key)
        found: dict[str, tuple[Place, str]] = {}
        if fields is None:
            return found
        for name in fields.node.entries:
            text = fields.text(name)
            if text is not None:
                found[name] = (fields.at(name), text)
        return found

    def drop(self, key: str, what: str, remedy: str = "") -> None:
        """Read a field only to say that it goes."""
        if self.take(key) is not None:
            self.report.dropped(self.at(key), self.named(key), what, remedy)

    def close(self) -> None:
        """Report what nobody took."""
        for key, (place, node) in self.node.entries.items():
            if key not in self._taken and not _is_null(node):
                self.report.dropped(place, self.named(key), _UNKNOWN)


def decimal_of(fields: Fields, key: str) -> Decimal | None:
    """A number exactly as it is written, or None with what is wrong reported."""
    text = fields.text(key)
    if text is None:
        return None
    try:
        number = Decimal(text.strip()) if len(text) <= 40 else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or number.adjusted() > 15:
        what = f"{fields.named(key)} is no number: {shown(text)}"
        fields.report.error(fields.value_at(key), what, "Write it like 99.9.")
        return None
    return number


def _is_null(node: Node) -> bool:
    return node.kind == "scalar" and node.value is None


def duration_of(text: str) -> float | None:
    """A duration as Prometheus writes it, years too."""
    years, y, rest = text.partition("y")
    if y and years.isdecimal() and len(years) < 4:
        more = seconds_of(rest) if rest else 0.0
        return None if more is None else int(years) * _YEAR_SECONDS + more
    return seconds_of(text)
