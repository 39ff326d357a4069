"""The platform's `procedure:` section: when people must look at it again, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.policy.texts import PLATFORM, RULES, VARS, at, folder, load, unmarked
from watchdog.core.procedure import Procedure
from watchdog.core.spec import Policy
from watchdog.core.words import Instant
from watchdog.policy.change import Change, Effect
from watchdog.policy.diff import compare, rearmed

SECTION = """\
procedure:
  document: https://wiki.example.org/rollback
  reviewed: 2026-11-01
"""


def policy(section: str = "") -> Policy:
    found = load(folder(PLATFORM + section, VARS, team_a=RULES))
    assert found.policy is not None, found.errors
    return found.policy


def test_it_is_overdue_when_its_time_after_the_whole_day_is_over() -> None:
    found = policy(SECTION + "  review_every: 30d\n").procedure
    assert found == Procedure("https://wiki.example.org/rollback", "2026-11-01", 30 * 86_400.0)
    due = datetime(2026, 12, 2, tzinfo=UTC).timestamp()
    assert not found.is_overdue(Instant(due - 1.0, 0.0))
    assert found.is_overdue(Instant(due, 0.0))
    ninety = policy(SECTION).procedure
    assert ninety is not None
    assert ninety.review_every_seconds == 90 * 86_400.0


def test_a_policy_without_it_is_the_one_that_it_was_and_a_review_is_applied() -> None:
    plain, reviewed = policy(), policy(SECTION)
    assert plain.procedure is None
    assert plain.sha256 != reviewed.sha256
    assert plain.rules == reviewed.rules
    (change,) = compare(plain, reviewed)
    said = "https://wiki.example.org/rollback was reviewed on 2026-11-01"
    assert change == Change(Effect.CHANGE, "procedure", said)
    (gone,) = compare(reviewed, plain)
    assert gone.text == "nobody asks for reviews of it any more"
    assert compare(reviewed, policy(SECTION)) == []
    assert rearmed(plain, reviewed) == ()


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ("§procedure: {reviewed: 2026-11-01}", "has no `document`"),
        ("§procedure: {document: wiki}", "Say when people last went through it"),
        ("procedure: {document: wiki, reviewed: §2026-13-01}", "2026-13-01 is no day"),
        ("procedure: {document: wiki, reviewed: §yesterday}", "Write it like 2026-11-01"),
        ('procedure: {document: §"", reviewed: 2026-11-01}', "an empty text"),
        ("procedure: {document: w, reviewed: 2026-11-01, review_every: §90}", "has no unit"),
        ("procedure: {document: w, reviewed: 2026-11-01, §owner: bob}", "owner"),
        ("procedure: §wiki", "mapping"),
    ],
)
def test_what_is_wrong_is_told_at_its_place(section: str, says: str) -> None:
    text, line, column = unmarked(PLATFORM + section + "\n")
    found = load(folder(text))
    assert found.policy is None
    assert any(says in told for told in at(found.errors, "platform.yaml", line, column)), (
        found.errors
    )
