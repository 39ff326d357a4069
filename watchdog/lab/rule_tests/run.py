"""Runs test files: each is read, found sensible, and every case of it is run by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from watchdog.core.alerting import alert_name
from watchdog.core.promql import Refused, check
from watchdog.core.promql.faults import EvaluationFault
from watchdog.core.text import duration
from watchdog.lab.rule_tests.alerting import Alert, Groups, RuleFailed
from watchdog.lab.rule_tests.checks import Check, Checker, as_alerts
from watchdog.lab.rule_tests.course import Course, run_course
from watchdog.lab.rule_tests.loaded import Feed, LoadedStore, vector_at
from watchdog.lab.rule_tests.notation import series_text
from watchdog.lab.rule_tests.sense import check_sense
from watchdog.lab.rule_tests.shapes import AlertTestShape
from watchdog.lab.rule_tests.suite import Case, Form, Suite, read_form, suite_of
from watchdog.lab.rule_tests.under_test import Loader
from watchdog.policy.problem import Findings, Problem


@dataclass(frozen=True, slots=True)
class Ran:
    """One case that was run. `course` is of our own rules, where the file names any."""

    case: Case
    checks: tuple[Check, ...]
    course: Course | None = None


@dataclass(frozen=True, slots=True)
class FileRan:
    """One test file in one environment: what was wrong with it, or what came of its cases."""

    file: str
    suite: Suite | None
    problems: tuple[Problem, ...] = ()
    advice: tuple[Problem, ...] = ()
    ran: tuple[Ran, ...] = ()
    environment: str | None = None  # where the file is run for several

    @property
    def checks(self) -> Iterator[Check]:
        return (check for ran in self.ran for check in ran.checks)

    @property
    def passed(self) -> bool:
        return not self.problems and all(check.passed for check in self.checks)


def run_files(paths: Iterable[Path], loader: Loader | None = None) -> tuple[FileRan, ...]:
    """Every file in its order, in every environment that it names; one that is wrong stops none."""
    loader = loader or Loader()
    return tuple(ran for path in paths for ran in _run_file(path, loader))


def _run_file(path: Path, loader: Loader) -> Iterator[FileRan]:
    findings = Findings()
    form = read_form(path, findings)
    if form is None:
        yield FileRan(str(path), None, tuple(sorted(set(findings.errors))))
        return
    environments = form.environments(loader)
    for environment in environments:
        ran = _run_in(environment, form, loader)
        yield replace(ran, environment=environment) if len(environments) > 1 else ran


def _run_in(environment: str | None, form: Form, loader: Loader) -> FileRan:
    findings, file = Findings(), str(form.path)
    suite = suite_of(form, environment, loader, findings)
    if suite is not None:
        check_sense(suite, findings)
    problems = tuple(sorted(set(findings.errors)))
    if suite is None or problems:
        return FileRan(file, None, problems)
    ran = tuple(_run(suite, case) for case in suite.cases)
    return FileRan(file, suite, advice=tuple(findings.advice), ran=ran)


def _run(suite: Suite, case: Case) -> Ran:
    ours = suite.rules.ours
    course = run_course(ours, case) if ours is not None else None
    checks = list(_promtool(suite, case, course))
    if course is not None:
        checks += _ours(case, course)
    return Ran(case, tuple(checks), course)


def _ours(case: Case, course: Course) -> Iterator[Check]:
    shape, checker = case.shape, Checker(case)
    for rule, why in sorted(course.failures.items()):  # a bug of ours: nothing it says counts
        yield checker.broken(case.at(), case.until, f"evaluation of {rule}", why)
    for index, test in enumerate(shape.rule_test):
        yield from checker.rule(index, test, course.standings[test.eval_time][test.rule])
    for index, episodes in enumerate(shape.episode_test):
        yield checker.episode(index, episodes, course)
    for index, actions in enumerate(shape.action_test):
        yield checker.actions(index, actions, course)
    for index, pages in enumerate(shape.page_test):
        yield checker.pages(index, pages, course)


def _promtool(suite: Suite, case: Case, course: Course | None) -> Iterator[Check]:
    """Promtool's own tests. A time between two passes sees what there was at the one before it."""
    shape, checker = case.shape, Checker(case)
    every = suite.shape.evaluation_interval
    store = LoadedStore()
    named = [(one.name, one.labels, one.values) for one in case.series]
    feed = Feed(named, shape.start_timestamp, case.interval_seconds, case.promtool_until)
    groups = Groups(
        suite.rules.theirs, suite.shape.group_eval_order, shape.external_labels, shape.external_url
    )
    pending = sorted(enumerate(shape.alert_rule_test), key=lambda item: item[1].eval_time)
    last = int(case.promtool_until / every + 1e-9)
    failed = ""
    for number in range(last + 1) if suite.rules.theirs else (last,):
        at = number * every
        feed.till(at, store)
        try:
            groups.evaluate(store, shape.start_timestamp + at)
        except RuleFailed as error:
            failed = f"{error.rule} at {duration(at)}: {error}"
            break
        while pending and pending[0][1].eval_time < at + every:
            index, test = pending.pop(0)
            got = groups.firing(test.alertname)
            if test.alertname not in suite.rules.alerts:
                got += _our_alerts(suite, test, course)
            yield checker.alerts(index, test, got)
    for index, test in pending:
        about = f"alert {test.alertname}"
        yield checker.broken(case.at("alert_rule_test", index), test.eval_time, about, failed)
    for index, asked in enumerate(shape.promql_expr_test):
        if failed:
            place = case.at("promql_expr_test", index)
            yield checker.broken(place, asked.eval_time, f"expression {asked.expr}", failed)
        else:
            yield _expression(suite, case, store, index)


def _our_alerts(suite: Suite, test: AlertTestShape, course: Course | None) -> list[Alert]:
    """The alert that a rule of ours shows as, where the name is one."""
    ours = suite.rules.ours
    if ours is None or course is None:
        return []
    found = []
    for name, standing in course.standings[test.eval_time].items():
        rule = ours.policy.rule(name)
        if rule is not None and alert_name(rule) == test.alertname:
            found += as_alerts(rule, standing, test)
    return found


def _expression(suite: Suite, case: Case, store: LoadedStore, index: int) -> Check:
    checker, test = Checker(case), case.shape.promql_expr_test[index]
    try:
        expression = check(test.expr)
        found = vector_at(expression, store, case.shape.start_timestamp + test.eval_time)
    except (Refused, EvaluationFault) as error:
        place = case.at("promql_expr_test", index, "expr")
        return checker.broken(place, test.eval_time, f"expression {test.expr}", str(error))
    got = [(series_text(one.name or "", one.labels), one.value) for one in found]
    return checker.samples(index, test, got, fuzzy=suite.shape.fuzzy_compare)
