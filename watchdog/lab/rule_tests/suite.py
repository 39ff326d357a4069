"""One test file, read: its cases, the rules that it names, and where all of it stands.

A file that names several environments is as many suites: one form, with the rules of each.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchdog.core.samples import Labels
from watchdog.lab.rule_tests.notation import BadNotation, Values, series_of, values_of
from watchdog.lab.rule_tests.reading import Unreadable, text_of
from watchdog.lab.rule_tests.shapes import CaseShape, FileShape
from watchdog.lab.rule_tests.under_test import Loader, UnderTest, find_rules
from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.shape import shape_of
from watchdog.policy.tree import read_tree


@dataclass(frozen=True, slots=True)
class Input:
    """One input series. `source` is the only one that shows it, None where all do."""

    name: str
    labels: Labels
    values: Values
    source: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """One entry of `tests`."""

    title: str
    shape: CaseShape
    series: tuple[Input, ...]
    interval_seconds: float
    entry: Entry

    def at(self, *path: str | int) -> Place:
        return self.entry.at(*path)

    @property
    def promtool_until(self) -> float:
        """The last time that promtool's own tests ask about."""
        shape = self.shape
        times = [test.eval_time for test in shape.alert_rule_test]
        return max(times + [test.eval_time for test in shape.promql_expr_test], default=0.0)

    @property
    def until(self) -> float:
        """The last time that anything is compared at."""
        shape = self.shape
        times = [test.eval_time for test in shape.rule_test]
        times += [test.eval_time for test in shape.episode_test]
        times += [test.eval_time for test in shape.action_test]
        times += [test.eval_time for test in shape.page_test]
        return max([*times, self.promtool_until])


@dataclass(frozen=True, slots=True)
class Form:
    """A test file that has the right form, before any rules are loaded for it."""

    path: Path
    shape: FileShape
    entry: Entry
    tree: Node

    def environments(self, loader: Loader) -> tuple[str | None, ...]:
        """Those that it is run for; None is the only one that the rules' folder serves."""
        if loader.environment is not None:
            return (loader.environment,)
        several = tuple(self.shape.environments or ())
        if loader.prefers in several:
            return (loader.prefers,)
        return several or (self.shape.environment,)


@dataclass(frozen=True, slots=True)
class Suite:
    """A whole test file, in one environment."""

    file: str
    shape: FileShape
    rules: UnderTest
    cases: tuple[Case, ...]
    entry: Entry


def read_form(path: Path, findings: Findings) -> Form | None:
    """The file's form, or None with all that is wrong in `findings`."""
    file = str(path)
    try:
        tree = read_tree(text_of(path), file, texts=True)
    except Unreadable as error:
        findings.errors.append(error.problem)
        return None
    except BadText as bad:
        findings.refuse(bad.place, bad.what, bad.remedy)
        return None
    if tree is None or tree.kind != "mapping":
        place = Place(file, 1, 1) if tree is None else tree.place
        what = "the file is empty" if tree is None else "the file is no mapping"
        findings.refuse(place, what, "Begin it with `rule_files:` and `tests:`.")
        return None
    entry = Entry(path.name, tree.place, tree)
    shape = shape_of(FileShape, entry, findings)
    if shape is None:
        return None
    names = shape.group_eval_order
    twice = next((i for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        place = entry.at("group_eval_order", twice)
        findings.refuse(place, f"the group {names[twice]} stands twice", "Keep one of the two.")
    _check_environments(shape, entry, findings)
    return None if findings.errors else Form(path, shape, entry, tree)


def suite_of(
    form: Form, environment: str | None, loader: Loader, findings: Findings
) -> Suite | None:
    """The form's tests in one environment, or None with all that is wrong in `findings`."""
    shape, entry = form.shape, form.entry
    rules = find_rules(shape.rule_files, environment, form.path.parent, entry, loader, findings)
    several = f" [{environment}]" if len(form.environments(loader)) > 1 else ""
    cases = tuple(
        _case(one, index, several, form, findings)
        for index, one in enumerate(shape.tests)
        if environment is None or environment in (one.environments or [environment])
    )
    return None if findings.errors else Suite(str(form.path), shape, rules, cases, entry)


def _check_environments(shape: FileShape, entry: Entry, findings: Findings) -> None:
    if shape.environment is not None and shape.environments is not None:
        what = "the file says `environment` and `environments`"
        findings.refuse(entry.key_at("environments"), what, "Keep one of the two.")
    ours: list[str | None] = [shape.environment, *(shape.environments or ())]
    for number, case in enumerate(shape.tests):
        for index, name in enumerate(case.environments or ()):
            if name not in ours:
                what = f"{name} is none of the file's environments"
                remedy = f"Write environments: [{name}, ...] at the head of the file, or remove it."
                findings.refuse(entry.at("tests", number, "environments", index), what, remedy)


def _case(one: CaseShape, index: int, several: str, form: Form, findings: Findings) -> Case:
    """`several` follows the title, where the file is run for several environments."""
    found = form.tree.entries["tests"][1].items[index]
    entry = Entry(f"tests.{index}", found.place, found)
    series: dict[tuple[str, Labels, str | None], Input] = {}
    for number, each in enumerate(one.input_series):
        place = entry.at("input_series", number, "series")
        try:
            name, labels = series_of(each.series)
            place_of_values = entry.at("input_series", number, "values")
            key = (name, labels, each.source)
            if key in series:
                findings.refuse(
                    place, f"the series {each.series} stands twice", "Keep one of them."
                )
            place = place_of_values
            series[key] = Input(name, labels, values_of(each.values), each.source)
        except BadNotation as bad:
            findings.refuse(place, bad.what, bad.remedy)
    interval = one.interval or form.shape.evaluation_interval
    title = f"{one.name or f'test {index + 1}'}{several}"
    return Case(title, one, tuple(series.values()), interval, entry)
