"""`impact`: who is affected, written beside what is judged, and checked as that is."""

from __future__ import annotations

import pytest

from tests.policy.texts import at, folder, load, unmarked
from watchdog.core.spec import Impact, RuleSpec
from watchdog.policy.diff import compare

RATIO = """\
version: 1
rules:
  failing:
    severity: P1
    source: {source}
    threshold: {{bad: bad_total, total: all_total, over: 1m, breach_when: "> 5%"}}
{rest}"""
PROBE = """\
version: 1
rules:
  failing:
    severity: P1
    liveness: {http: "http://localhost:3000/health"}
    §impact: {increase: users_total}
"""


def written(impact: str, *, source: str = "prom", more: str = "") -> str:
    return RATIO.format(source=source, rest=f"    impact: {impact}\n{more}")


def loaded(text: str) -> RuleSpec:
    outcome = load(folder(team_a=text))
    assert outcome.errors == ()
    assert outcome.policy is not None
    return outcome.policy.rules["failing"]


@pytest.mark.parametrize(
    ("impact", "means"),
    [
        ("{increase: users_hit_total}", Impact("users_hit_total", grows=True)),
        (
            "{value: 'count(failed_by_user > 0)', of: wallets}",
            Impact("count(failed_by_user > 0)", grows=False, of="wallets"),
        ),
    ],
)
def test_it_is_read_as_written(impact: str, means: Impact) -> None:
    assert loaded(written(impact)).impact == means
    assert loaded(written(impact, source="app")).impact == means


def test_it_changes_nothing_of_how_the_rule_judges() -> None:
    without = loaded(RATIO.format(source="prom", rest=""))
    beside = loaded(written("{increase: users_total}"))
    assert (beside.sha256, beside.proof) == (without.sha256, without.proof)


def test_its_change_is_a_change_of_the_part_that_people_are_told_of() -> None:
    old = load(folder(team_a=written("{increase: users_total}"))).policy
    new = load(folder(team_a=written("{increase: wallets_total}"))).policy
    assert old is not None
    assert new is not None
    assert old.sha256 != new.sha256
    assert [change.text for change in compare(old, new)] == ["failing tells people something else"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (PROBE, "failing is a probe, which has no source that could be asked for an impact"),
        (
            RATIO.format(source="prom", rest="    §impact: {of: users}\n"),
            "impact has neither `increase` nor `value`",
        ),
        (
            RATIO.format(source="prom", rest="    §impact: {increase: a_total, value: b}\n"),
            "impact has both `increase` and `value`",
        ),
        (written("{increase: §'rate(users_total[5m])'}"), "impact.increase is no plain selector"),
        (written("{increase: §users_total offset}"), "impact.increase is no PromQL"),
        (written("{value: §'sum(('}"), "impact.value is no PromQL"),
        (written("{value: §'42'}"), "impact.value is no measured value"),
        (written("{value: §'time()'}"), "impact.value reads no metric"),
        (
            written("{value: §'histogram_fraction(0, 1, x_bucket)'}", source="app"),
            "impact.value: the function `histogram_fraction` is not evaluated here",
        ),
        (written("{value: users, of: §''}"), "is no word for what is counted"),
        (
            written("{value: §'sum(users)'}", more="    each: [db]\n"),
            "impact.value gives no label db, by which `each` tells its result apart",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(text: str, says: str) -> None:
    plain, line, column = unmarked(text)
    outcome = load(folder(team_a=plain))
    found = at(outcome.errors, "team-a/rules.yaml", line, column)
    assert any(says in problem for problem in found), [e.text for e in outcome.errors]
