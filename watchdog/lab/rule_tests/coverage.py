"""What the tests of a rules folder reached, and what they did not: rules, verdicts, states, gates.

A rule counts as tested when a check names it; a state or gate counts wherever it was reached in a
run, asked about or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchdog.core import entries as e
from watchdog.core.naming import family_of
from watchdog.core.states import State
from watchdog.core.words import Status
from watchdog.lab.rule_tests.course import Course, refused_gates
from watchdog.lab.rule_tests.run import FileRan
from watchdog.lab.rule_tests.shapes import GATES
from watchdog.lab.rule_tests.suite import Case, Suite
from watchdog.lab.rule_tests.under_test import Ours


@dataclass(slots=True)
class Coverage:
    """Of one rules folder, or of the Prometheus rule files of the tests (`folder` is empty)."""

    folder: str
    rules: dict[str, str] = field(default_factory=dict)  # what is to be tested -> its place
    tested: set[str] = field(default_factory=set)
    verdicts: dict[str, set[Status]] = field(default_factory=dict)
    states: set[State] = field(default_factory=set)
    gates: set[str] = field(default_factory=set)

    @property
    def untested(self) -> Mapping[str, str]:
        return {name: place for name, place in self.rules.items() if name not in self.tested}

    @property
    def states_missed(self) -> tuple[str, ...]:
        return tuple(state.value for state in State if state not in self.states)

    @property
    def gates_missed(self) -> tuple[str, ...]:
        return tuple(gate for gate in GATES if gate not in self.gates)

    def verdicts_missed(self, rule: str) -> tuple[str, ...]:
        seen = self.verdicts.get(rule, set())
        return tuple(status.value for status in Status if status not in seen)


def coverage_of(files: Iterable[FileRan]) -> tuple[Coverage, ...]:
    """One for each rules folder, and one for all rule files of Prometheus."""
    found: dict[str, Coverage] = {}
    for file in files:
        if file.suite is None:
            continue
        ours = file.suite.rules.ours
        if file.suite.rules.theirs:
            _theirs(file.suite, found.setdefault("", Coverage("")))
        if ours is not None:
            key = str(ours.folder.resolve())
            coverage = found.setdefault(key, Coverage(str(ours.folder)))
            coverage.rules |= {name: ours.place_of(name) for name in sorted(ours.tested)}
            for ran in file.ran:
                coverage.tested |= named_in(ran.case, ours) & ours.policy.rules.keys()
                if ran.course is not None:
                    _reached(ran.course, coverage)
    return tuple(found.values())


def named_in(case: Case, ours: Ours) -> set[str]:
    """The rules that the checks of a case name; of a member its family."""
    shape = case.shape
    names = {r for test in shape.alert_rule_test for r in ours.rules_of_alert(test.alertname)}
    names |= {test.rule for test in shape.rule_test}
    names |= {test.rule for test in shape.episode_test}
    names |= {test.rule or "" for test in shape.action_test}
    names |= {test.rule or "" for test in shape.page_test}
    names |= {one.rule or "" for test in shape.action_test for one in test.exp_actions}
    return {family_of(name) for name in names - {""}}


def _theirs(suite: Suite, coverage: Coverage) -> None:
    for group in suite.rules.theirs:
        coverage.rules |= {rule.name: rule.place.text for rule in group.rules if rule.alerts}
    for case in suite.cases:
        coverage.tested |= {test.alertname for test in case.shape.alert_rule_test}


def _reached(course: Course, coverage: Coverage) -> None:
    coverage.states.add(State.OK)
    for rule, statuses in course.verdicts.items():
        coverage.verdicts.setdefault(family_of(rule), set()).update(statuses)
    for recorded in course.log:
        entry = recorded.entry
        if isinstance(entry, e.EpisodeMoved):
            coverage.states.add(entry.after)
        elif isinstance(entry, e.Decided):
            coverage.gates.update(refused_gates(entry))
