"""Prometheus's rule files: groups of alerting and recording rules, read for a test.

What would change an evaluation and cannot be done here is refused by name; an expression must be
one that is evaluated here, a template one of `template.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from watchdog.core.promql import Expression, Refused, check
from watchdog.lab.rule_tests.loaded import why_not
from watchdog.lab.rule_tests.shapes import Interval, Some, Text, Texts, Time
from watchdog.lab.rule_tests.template import BadTemplate, Template
from watchdog.policy.base import Shape
from watchdog.policy.nodes import BadText, Place
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.shape import shape_of
from watchdog.policy.tree import read_tree


class RuleShape(Shape):
    record: Text = ""
    alert: Text = ""
    expr: str
    for_: Time = Field(0.0, alias="for")
    keep_firing_for: Time = 0.0
    labels: Texts
    annotations: Texts


class GroupShape(Shape):
    name: str
    interval: Interval | None = None  # promtool evaluates at `evaluation_interval`, so this does
    query_offset: Annotated[Time, Field(le=0)] = 0.0
    limit: Text = ""
    labels: Texts
    rules: Some[RuleShape]


class RuleFileShape(Shape):
    groups: Some[GroupShape]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a group. `name` is its `alert` or `record`."""

    name: str
    alerts: bool
    expression: Expression
    for_seconds: float
    keep_firing_seconds: float
    labels: tuple[tuple[str, Template], ...]
    annotations: tuple[tuple[str, Template], ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    rules: tuple[Rule, ...]
    place: Place


def read_groups(text: str, file: str, findings: Findings) -> tuple[Group, ...]:
    """The groups of one rule file, in order; what is wrong with it is in `findings`."""
    try:
        tree = read_tree(text, file, texts=True)
    except BadText as bad:
        findings.refuse(bad.place, bad.what, bad.remedy)
        return ()
    if tree is None or "groups" not in tree.entries:
        place = tree.place if tree else Place(file, 1, 1)
        findings.refuse(place, "the file has neither `groups` nor lies in a rules folder",
            "Name a rule file of Prometheus, or a file of a rules folder.")  # fmt: skip
        return ()
    entry = Entry(file, tree.place, tree)
    shape = shape_of(RuleFileShape, entry, findings)
    if shape is None:
        return ()
    return tuple(_group(group, index, entry, findings) for index, group in enumerate(shape.groups))


def _group(group: GroupShape, index: int, entry: Entry, findings: Findings) -> Group:
    path = ("groups", index)
    if group.limit not in {"", "0"}:
        findings.refuse(
            entry.key_at(*path, "limit"),
            "`limit` of a group is not supported by this version",
            "Remove it in a copy for the test.",
        )
    rules = tuple(
        rule
        for number, shape in enumerate(group.rules)
        for rule in _rule(shape, group, (*path, "rules", number), entry, findings)
    )
    return Group(group.name, rules, entry.at(*path))


def _rule(
    shape: RuleShape,
    group: GroupShape,
    path: tuple[str | int, ...],
    entry: Entry,
    findings: Findings,
) -> Iterator[Rule]:
    place = entry.at(*path)
    if bool(shape.alert) == bool(shape.record):
        findings.refuse(place, "a rule is either an `alert` or a `record`", "Write one of them.")
        return
    if shape.record and (shape.for_ or shape.keep_firing_for or shape.annotations):
        what = "a recording rule with `for`, `keep_firing_for` or `annotations`"
        findings.refuse(place, what, "Only an alert has these.")
        return
    before = len(findings.errors)
    try:
        expression = check(shape.expr)
    except Refused as error:
        findings.refuse(entry.at(*path, "expr"), *why_not(error))
        return
    labels = {**group.labels, **shape.labels}
    rule = Rule(
        shape.alert or shape.record,
        bool(shape.alert),
        expression,
        shape.for_,
        shape.keep_firing_for,
        _templates(labels, shape, (*path, "labels"), entry, findings),
        _templates(shape.annotations, shape, (*path, "annotations"), entry, findings),
        place,
    )
    if len(findings.errors) == before:
        yield rule


def _templates(
    texts: dict[str, str],
    shape: RuleShape,
    path: tuple[str | int, ...],
    entry: Entry,
    findings: Findings,
) -> tuple[tuple[str, Template], ...]:
    found = []
    for name, text in texts.items():
        try:
            found.append((name, Template.of(text) if shape.alert else Template.plain(text)))
        except BadTemplate as bad:
            findings.refuse(entry.at(*path, name), bad.what, bad.remedy)
    return tuple(found)
