"""The platform's `drills:` section: what is planned, what is refused, what a load would change."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, RULES, VARS, at, folder, load, unmarked
from watchdog.core.drills import DrillKind, DrillPlan
from watchdog.core.spec import Policy
from watchdog.policy.change import Effect
from watchdog.policy.diff import compare, rearmed

SECTION = "drills: {full: {every: 90d}, config: {every: 30d, run: true, deadline: 5m}}\n"


def policy(section: str = "") -> Policy:
    found = load(folder(PLATFORM + section, VARS, team_a=RULES))
    assert found.policy is not None, found.errors
    return found.policy


def test_a_plan_is_read_and_arms_nothing() -> None:
    plain, planned = policy(), policy(SECTION)
    assert plain.drills == ()
    assert planned.drills == (
        DrillPlan(DrillKind.CONFIG, 30 * 86_400.0, run=True, deadline_seconds=300.0),
        DrillPlan(DrillKind.FULL, 90 * 86_400.0),
    )
    assert plain.sha256 != planned.sha256
    assert [one.text for one in compare(plain, planned)] == [
        "is due every 30d; the daemon starts it by itself",
        "is due every 90d; people run it",
    ]
    assert {one.text for one in compare(planned, plain)} == {"nobody asks for it any more"}
    assert compare(planned, policy(SECTION)) == []
    assert rearmed(plain, planned) == ()


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("drills: {§fulll: {every: 90d}}", "Did you mean full?"),
        ("drills: {§full: {run: false}}", "Say how often, like `every: 30d`"),
        ("drills: {full: {every: §90}}", "has no unit"),
        ("drills: {full: {every: 90d, §run: true}}", "a drill of kind full is people's"),
        ("drills: {disaster: {every: 365d, §run: true}}", "drill record disaster"),
    ],
)
def test_what_is_wrong_is_refused_where_it_stands(section: str, says: str) -> None:
    text, line, column = unmarked(PLATFORM + section + "\n")
    found = load(folder(text))
    assert found.policy is None
    assert any(says in told for told in at(found.errors, "platform.yaml", line, column)), (
        found.errors
    )


WORD = "    drilled_within: 45d\n    deadline: 10s\n"


def test_how_old_a_good_drill_may_be_belongs_to_the_actions_text() -> None:
    plain = policy()
    found = load(folder(PLATFORM.replace("    deadline: 10s\n", WORD), VARS, team_a=RULES))
    assert found.policy is not None, found.errors
    action, before = found.policy.actions["pause-redemption"], plain.actions["pause-redemption"]
    assert (action.drilled_within_seconds, before.drilled_within_seconds) == (45 * 86_400.0, None)
    assert action.sha256 != before.sha256
    assert rearmed(plain, found.policy) == ()
    asks = "the action pause-redemption asks people where no drill of it passed within 45d"
    assert told(plain, found.policy) == [(Effect.CHANGE, asks)]
    freed = "the action pause-redemption starts by itself whatever the age of its last drill"
    assert told(found.policy, plain) == [(Effect.WIDEN, freed)]


def told(old: Policy, new: Policy) -> list[tuple[Effect, str]]:
    return [(one.effect, one.text) for one in compare(old, new)]
