"""What was asked for `check --live`, and what came: plain values, judged by the lints beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from watchdog.core.naming import Values
from watchdog.policy.lint.finding import Hit, Named
from watchdog.policy.lint.ground import Ground
from watchdog.policy.problem import Path


@dataclass(frozen=True, slots=True)
class Wanted:
    """One plain selector of one rule: what must be there."""

    rule: str
    path: Path
    text: str  # as written
    name: str
    labels: tuple[str, ...]  # names that its matchers use
    selector: str = ""  # alone, without range or offset
    may_be_none: bool = False  # that it matches nothing is what the rule waits for


@dataclass(frozen=True, slots=True)
class Seen:
    """What a source said. `names` is None where it cannot tell its metrics' names.

    `labels` are the label names of each metric asked for. `past`: rule -> (seconds ago that its
    longest window begins, whether there was anything then).
    """

    failure: str = ""
    names: frozenset[str] | None = None
    labels: Mapping[str, frozenset[str]] = field(default_factory=dict)
    past: Mapping[str, tuple[float, bool]] = field(default_factory=dict)
    breached: Mapping[str, str] = field(default_factory=dict)  # rule -> the verdict's reason
    blind: Mapping[str, str] = field(default_factory=dict)  # the same, but for what one look lacks
    label_sets: Mapping[str, tuple[Values, ...]] = field(default_factory=dict)  # of `each` rules
    unmatched: frozenset[str] = frozenset()  # selectors without series of a metric that is there
    values: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """What a metric's label has: some values of it."""

    whole: bool = True  # all that it has was seen, and not only what was asked for


@dataclass(frozen=True, slots=True)
class Live:
    """All that was asked: sources by name, wanted selectors, actions that are not ready."""

    seen: Mapping[str, Seen]
    wanted: tuple[Wanted, ...]
    not_ready: Mapping[str, str] = field(default_factory=dict)
    alertmanager: Mapping[str, str] = field(default_factory=dict)  # replica -> why it is silent
    deaf: Mapping[str, str] = field(default_factory=dict)  # channel -> why nobody is believed
    untold: Mapping[str, str] = field(default_factory=dict)  # by whom nobody is told -> why
    host: str = ""  # where this is asked; "" where nobody says
    unknown: Mapping[str, str] = field(default_factory=dict)  # whose URL is no service's -> why


@dataclass(frozen=True, slots=True)
class LiveLint(Named):
    look: Callable[[Ground, Live], Iterator[Hit]]
