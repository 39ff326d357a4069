"""Selectors: which series an expression means, and what they show at one time."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import promql_parser as parser

from watchdog.core.promql.faults import Unsupported
from watchdog.core.promql.parsing import parsed
from watchdog.core.promql.regex import Pattern
from watchdog.core.samples import Failure, Fault, Point
from watchdog.core.series import SeriesStore
from watchdog.core.words import Blind

_OPERATORS = {
    str(parser.MatchOp.Equal): "=",
    str(parser.MatchOp.NotEqual): "!=",
    str(parser.MatchOp.Re): "=~",
    str(parser.MatchOp.NotRe): "!~",
}

_REGEX = frozenset({"=~", "!~"})
_NAMED = ("__name__", "=")

Condition = tuple[str, str, str]  # label, operator, value


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a label that a series lacks is the same as an empty one."""

    label: str
    operator: str  # = != =~ !~
    value: str
    pattern: Pattern | None = field(default=None, compare=False, repr=False)

    @property
    def only(self) -> str | None:
        """The one value that is meant, "" among them; None where there may be others."""
        if self.operator == "=":
            return self.value
        return self.pattern.only if self.operator == "=~" and self.pattern is not None else None

    def matches(self, value: str) -> bool:
        if self.pattern is not None:
            return self.pattern.matches(value) is (self.operator == "=~")
        return (value == self.value) is (self.operator == "=")


@dataclass(frozen=True, slots=True)
class Selector:
    """An instant selector. `name` is None when no exact metric name is asked for."""

    name: str | None
    matchers: tuple[Matcher, ...] = ()  # without the exact name

    @classmethod
    def parse(cls, text: str) -> Selector:
        """One plain selector, `http_requests_total{code=~"5.."}`. Raises Refused."""
        node = parsed(text)
        if not isinstance(node, parser.VectorSelector):
            raise Unsupported(
                "anything but one selector", text, "write a metric name with its label matchers"
            )
        if node.offset is not None:
            raise Unsupported("the modifier `offset`", text, "select without it")
        return cls.of(node)

    @classmethod
    def of(cls, node: parser.VectorSelector) -> Selector:
        """From the parser's tree, whatever its `offset`. Raises Refused."""
        found = node.prettify()
        if node.at is not None:
            raise Unsupported("the modifier `@`", found)
        if node.matchers.or_matchers:
            raise Unsupported("`or` between label matchers", found)
        matchers = tuple(
            Matcher(label, operator, value, Pattern(value) if operator in _REGEX else None)
            for label, operator, value in _conditions(node)
        )
        return cls(exact_name(node), matchers)

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a series (`labels` without `__name__`) is meant."""
        if self.name is not None and name != self.name:
            return False
        return all(
            matcher.matches(name if matcher.label == "__name__" else labels.get(matcher.label, ""))
            for matcher in self.matchers
        )

    @property
    def exact(self) -> tuple[tuple[str, str], ...]:
        """Labels that every series meant has with exactly this value."""
        return tuple((m.label, m.only) for m in self.matchers if m.only and m.label != "__name__")

    @property
    def text(self) -> str:
        return _text(self.name, ((m.label, m.operator, m.value) for m in self.matchers))


@dataclass(frozen=True, slots=True)
class View:
    """A selector and how far before the moment it looks."""

    selector: Selector
    text: str
    offset_seconds: float = 0.0


def view_of(node: parser.VectorSelector) -> View:
    """From the parser's tree. Raises Refused."""
    selector = Selector.of(node)
    if node.offset is None:
        return View(selector, selector.text)
    seconds = node.offset.total_seconds()
    if seconds < 0:
        raise Unsupported(
            "a negative `offset`", node.prettify(), "what has not happened yet cannot be asked for"
        )
    shifted = parser.display_duration(node.offset)
    return View(selector, f"{selector.text} offset {shifted}", seconds)


def exact_name(node: parser.VectorSelector) -> str | None:
    """The one metric name that is asked for, also where it is written as a matcher."""
    if node.name is not None:
        return node.name
    asked = (value for label, operator, value in _raw(node) if (label, operator) == _NAMED)
    return next(asked, None)


def selector_text(node: parser.VectorSelector) -> str:
    """The selector alone, without offset and `@`, as PromQL."""
    if node.matchers.or_matchers:
        return node.prettify()
    return _text(exact_name(node), _conditions(node))


def _raw(node: parser.VectorSelector) -> Iterator[Condition]:
    for matcher in node.matchers.matchers:
        yield matcher.name, _OPERATORS[str(matcher.op)], matcher.value


def _conditions(node: parser.VectorSelector) -> Iterator[Condition]:
    """All but the exact name."""
    named = ("__name__", "=", exact_name(node))
    return (condition for condition in _raw(node) if condition != named)


def _text(name: str | None, conditions: Iterable[Condition]) -> str:
    texts = [f"{label}{op}{_quoted(value)}" for label, op, value in conditions]
    if name is None:
        return f"{{{','.join(texts)}}}"
    if not (name.isascii() and name.replace(":", "_").isidentifier()):
        return f"{{{','.join([f'__name__={_quoted(name)}', *texts])}}}"
    return f"{name}{{{','.join(texts)}}}" if texts else name


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def select(selector: Selector, store: SeriesStore, at: float) -> tuple[Point, ...]:
    """The raw samples that the selector shows at `at`, each with its own time.

    Look-back and staleness are Prometheus': what has vanished, or is older than 5 minutes, is
    not shown. Raw counters for windows come from here.
    """
    points: list[Point] = []
    for series in store.matching(selector):
        sample = series.instant(at)
        if sample is not None:
            points.append(Point(series.labels, sample[1], sample[0]))
    return tuple(points)


def no_room(
    name: str | None, store: SeriesStore, at: float, range_seconds: float
) -> Failure | None:
    """Whether series of this name (None: any) were refused by the full store within the range.

    Then what the store shows of them is not the whole, and must not be judged.
    """
    if not store.refused(name, at, range_seconds):
        return None
    reason = (
        f"{'some series' if name is None else name} found no room beside "
        f"{store.max_series} others of this source; raise its max_series"
    )
    return Failure(Fault.OURS, Blind.TOO_MANY_SERIES, reason)
