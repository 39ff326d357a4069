"""What was expected beside what came: every check of a test, passed or not, in words.

One check is one thing that a test file says about one time. Its place is the line that says it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from watchdog.core import entries as e
from watchdog.core.alerting import ADDED, ALERTNAME
from watchdog.core.naming import is_of
from watchdog.core.samples import Labels
from watchdog.core.spec import RuleSpec
from watchdog.core.states import State
from watchdog.core.text import duration
from watchdog.lab.rule_tests.alerting import Alert
from watchdog.lab.rule_tests.course import Course, Standing
from watchdog.lab.rule_tests.notation import series_of, series_text
from watchdog.lab.rule_tests.shapes import (
    ActionTestShape,
    AlertTestShape,
    EpisodeTestShape,
    ExprTestShape,
    PageTestShape,
    RuleTestShape,
)
from watchdog.lab.rule_tests.suite import Case
from watchdog.policy.nodes import Place

NOTHING = ("nothing",)
_DUST = 1e-6


@dataclass(frozen=True, slots=True)
class Check:
    """One comparison. `expected` and `got` are lines to be read one below the other."""

    case: str
    place: Place
    at_seconds: float
    about: str  # "the alert X", "the state of X"
    passed: bool
    expected: tuple[str, ...] = ()
    got: tuple[str, ...] = ()
    broken: str = ""  # it could not be compared: why


class Checker:
    """Makes the checks of one case."""

    def __init__(self, case: Case) -> None:
        self._case = case

    def check(
        self, place: Place, at: float, about: str, expected: Sequence[str], got: Sequence[str]
    ) -> Check:
        same = list(expected) == list(got)
        return self.said(place, at, about, expected, got, passed=same)

    def said(  # one check, all that is said about it
        self,
        place: Place,
        at: float,
        about: str,
        expected: Sequence[str],
        got: Sequence[str],
        *,
        passed: bool,
    ) -> Check:
        return Check(
            self._case.title,
            place,
            at,
            about,
            passed,
            tuple(expected) or NOTHING,
            tuple(got) or NOTHING,
        )

    def broken(self, place: Place, at: float, about: str, why: str) -> Check:
        return Check(self._case.title, place, at, about, passed=False, broken=why)

    # -- promtool's ----------------------------------------------------------------------------

    def alerts(self, index: int, test: AlertTestShape, got: Sequence[Alert]) -> Check:
        """All alerts of a name, by labels and annotations."""
        expected = [
            Alert(
                _labels({**alert.exp_labels, ALERTNAME: test.alertname}),
                _labels(alert.exp_annotations),
            )
            for alert in test.exp_alerts
        ]
        return self.check(
            self._case.at("alert_rule_test", index),
            test.eval_time,
            f"alert {test.alertname}",
            sorted(map(_alert_text, expected)),
            sorted(map(_alert_text, got)),
        )

    def samples(
        self, index: int, test: ExprTestShape, got: Sequence[Sampled], *, fuzzy: bool
    ) -> Check:
        """A vector, by labels and exact values (their neighbours too where `fuzzy`)."""
        expected = sorted(
            ((series_text(*series_of(s.labels)), s.value) for s in test.exp_samples),
            key=lambda sample: sample[0],
        )
        found = sorted(got, key=lambda sample: sample[0])
        same = [name for name, _ in expected] == [name for name, _ in found] and all(
            _equal(one, two, fuzzy=fuzzy)
            for (_, one), (_, two) in zip(expected, found, strict=True)
        )
        return self.said(
            self._case.at("promql_expr_test", index),
            test.eval_time,
            f"expression {test.expr}",
            [f"{name} {value!r}" for name, value in expected],
            [f"{name} {value!r}" for name, value in found],
            passed=same,
        )

    # -- ours ----------------------------------------------------------------------------------

    def rule(self, index: int, test: RuleTestShape, standing: Standing) -> Iterator[Check]:
        """Each thing that is said of a rule, at its own line."""

        def one(key: str, about: str, expected: Sequence[str], got: Sequence[str]) -> Check:
            place = self._case.at("rule_test", index, key)
            return self.check(place, test.eval_time, f"{about} of {test.rule}", expected, got)

        verdict = standing.verdict
        status = "no verdict yet" if verdict is None else verdict.status.value
        reason = "" if verdict is None else verdict.reason
        if test.exp_verdict is not None and test.exp_blind is None:
            same = status == test.exp_verdict.value
            got = [status] if same else [f"{status}: {reason}"]
            yield one("exp_verdict", "verdict", [test.exp_verdict.value], got)
        if test.exp_blind is not None:
            blind = verdict.blind.value if verdict is not None and verdict.blind else status
            same = blind == test.exp_blind.value
            got = [blind] if same else [f"{blind}: {reason}"]
            yield one("exp_blind", "blindness", [test.exp_blind.value], got)
        if test.exp_reason is not None:
            place = self._case.at("rule_test", index, "exp_reason")
            yield self.said(
                place,
                test.eval_time,
                f"reason of {test.rule}",
                [f"... {test.exp_reason} ..."],
                [reason],
                passed=test.exp_reason in reason,
            )
        if test.exp_state is not None:
            same = standing.state is test.exp_state
            why = f": {standing.reason}" if standing.reason and not same else ""
            got = [f"{standing.state.value}{why}"]
            yield one("exp_state", "state", [test.exp_state.value], got)
        if test.exp_refused is not None:
            yield one("exp_refused", "gates that refuse", sorted(test.exp_refused),
                sorted(standing.refused))  # fmt: skip

    def episode(self, index: int, test: EpisodeTestShape, course: Course) -> Check:
        names = {
            entry.episode: entry.rule
            for _, entry in course.until(test.eval_time)
            if isinstance(entry, e.EpisodeOpened)
        }
        got = [
            (at, entry.after.value)
            for at, entry in course.until(test.eval_time)
            if isinstance(entry, e.EpisodeMoved) and names[entry.episode] == test.rule
        ]
        expected = [(step.at, step.state.value) for step in test.exp_states]
        return self._listed(
            ("episode_test", index), test.eval_time, f"states of {test.rule}", expected, got
        )

    def actions(self, index: int, test: ActionTestShape, course: Course) -> Check:
        """Decisions that were no refusals, in the order of time."""
        got = [
            (at, f"{entry.rule}: {entry.ruling.value} {entry.action}")
            for at, entry in course.until(test.eval_time)
            if isinstance(entry, e.Decided)
            and entry.ruling is not e.Ruling.REFUSED
            and (test.rule is None or is_of(entry.rule, test.rule))
        ]
        expected = [
            (one.at, f"{one.rule or test.rule}: {one.ruling.value} {one.action}")
            for one in test.exp_actions
        ]
        about = f"actions of {test.rule}" if test.rule else "actions"
        return self._listed(("action_test", index), test.eval_time, about, expected, got)

    def pages(self, index: int, test: PageTestShape, course: Course) -> Check:
        got = [
            (at, paged)
            for at, paged, rule in _pages(course, test.eval_time)
            if test.rule is None or is_of(rule, test.rule)
        ]
        same = len(got) == len(test.exp_pages) and all(
            (one.at is None or abs(one.at - at) < _DUST)
            and one.severity in {None, paged.severity}
            and (one.title is None or one.title in paged.title)
            for one, (at, paged) in zip(test.exp_pages, got, strict=True)
        )
        expected = [
            f"{_when(one.at)}{one.severity.value if one.severity else 'any severity'} "
            f"{f'... {one.title} ...' if one.title else 'any title'}"
            for one in test.exp_pages
        ]
        return self.said(
            self._case.at("page_test", index),
            test.eval_time,
            f"pages about {test.rule}" if test.rule else "pages",
            expected,
            [f"{_when(at)}{paged.severity.value} {paged.title}" for at, paged in got],
            passed=same,
        )

    def _listed(
        self,
        path: tuple[str | int, ...],
        at: float,
        about: str,
        expected: Sequence[tuple[float | None, str]],
        got: Sequence[tuple[float, str]],
    ) -> Check:
        """Texts with their times; a time that is not expected is not compared."""
        same = len(expected) == len(got) and all(
            want == seen and (when is None or abs(when - time) < _DUST)
            for (when, want), (time, seen) in zip(expected, got, strict=True)
        )
        return self.said(
            self._case.at(*path),
            at,
            about,
            [f"{_when(when)}{text}" for when, text in expected],
            [f"{_when(when)}{text}" for when, text in got],
            passed=same,
        )


Sampled = tuple[str, float]
"""A series as text, and its value."""


def as_alerts(rule: RuleSpec, standing: Standing, test: AlertTestShape) -> list[Alert]:
    """Our rule as the Prometheus API shows it: firing from `for` on, until its episode ends.

    Its labels are those with which Alertmanager is told of it. What the watchdog adds to an alert
    by itself is there only where the test speaks of it, so that a test of the alert that the rule
    was read from tests the rule as well; so is the annotation `episode`, which is running text.
    """
    if standing.state in {State.OK, State.WATCHED, State.PENDING}:
        return []
    named = {name for alert in test.exp_alerts for name in alert.exp_labels}
    labels = {name: text for name, text in standing.labels if name in named or name not in ADDED}
    annotations = {"summary": rule.summary, "runbook": rule.runbook}
    if any("episode" in alert.exp_annotations for alert in test.exp_alerts):
        annotations["episode"] = f"{standing.episode} is {standing.state.value}: {standing.reason}"
    return [Alert(_labels(labels), _labels(annotations))]


def _labels(texts: dict[str, str]) -> Labels:
    return tuple(sorted((name, text) for name, text in texts.items() if text))


def _alert_text(alert: Alert) -> str:
    """Labels, and annotations below them."""
    name = dict(alert.labels)[ALERTNAME]
    others = tuple(pair for pair in alert.labels if pair[0] != ALERTNAME)
    lines = [series_text(name, others)]
    lines += [f"  {key}: {text}" for key, text in alert.annotations]
    return "\n".join(lines)


def _equal(one: float, two: float, *, fuzzy: bool) -> bool:
    """As promtool compares: exactly, so that NaN equals nothing."""
    near = fuzzy and two in {math.nextafter(one, math.inf), math.nextafter(one, -math.inf)}
    return one == two or near


def _when(seconds: float | None) -> str:
    return "" if seconds is None else f"{duration(seconds)} "


def _pages(course: Course, until: float) -> Iterator[tuple[float, e.Paged, str]]:
    """Pages that reach people, each with the rule that it is about."""
    rules: dict[str, str] = {}
    for at, entry in course.until(until):
        if isinstance(entry, e.EpisodeOpened):
            rules[f"episode:{entry.episode}"] = entry.rule
        elif isinstance(entry, e.Paged) and not entry.silenced:
            about = entry.key.removeprefix("rule:").removesuffix(":blind")
            yield at, entry, rules.get(entry.key, about)
