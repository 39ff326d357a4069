"""The report of a hand-made history: every number is known beforehand."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from tests.core.decisions.watch import BREACHED, HEALTHY, Watch, a_policy, a_rule
from watchdog.core import entries as e
from watchdog.core.book import Book
from watchdog.core.drills import DrillKind, DrillStage, DrillTold, Timed
from watchdog.core.hindsight import Task
from watchdog.core.impact import Cost
from watchdog.core.spec import Impact as Asked
from watchdog.core.states import State
from watchdog.core.urgency import Urgency
from watchdog.core.words import Blind, Instant, Severity, Truth
from watchdog.lab.papers import Clock, html, markdown, plain
from watchdog.lab.review import read_ledger, review, review_paper
from watchdog.lab.review.spreads import Spread, Window, spread
from watchdog.lab.review.trends import Step, trend

DAY = 86_400.0
BEGAN = datetime(2026, 9, 21, 12, tzinfo=UTC).timestamp()  # a Monday


def rolled_back(watch: Watch, *, bad_before: float, took: float, failed: float) -> str:
    """Breached for 4 s, paused after `took`, contained 3 s later, resumed after 10 s."""
    watch.run(2, HEALTHY)
    watch.seen["errors"].recovered = Truth.UNKNOWN
    watch.seen["errors"].began = watch.now.plus(1.0 - bad_before)
    watch.seen["errors"].cost = Cost(failed, failed / 2, "wallets")
    watch.run(4, BREACHED)
    watch.now = watch.now.plus(took)
    watch.end()
    watch.now = watch.now.plus(3.0)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    watch.run(1)
    watch.now = watch.now.plus(9.0)
    watch.seen["errors"].status = HEALTHY
    watch.undo(watch.episode)
    watch.seen["errors"].recovered = Truth.TRUE
    watch.run(25, HEALTHY)
    assert watch.is_now(State.OK)
    return watch.episode.id


def told(watch: Watch, *entries: e.Entry) -> None:
    with watch.draft() as draft:
        for entry in entries:
            draft.add(entry)


def later(watch: Watch, days: float) -> None:
    """Nothing happens meanwhile."""
    watch.now = watch.now.plus(days * DAY)


@pytest.fixture(scope="module")
def watch() -> Watch:
    """Three weeks: one rollback that was right, one late and false, one drill, and a blip."""
    rule = a_rule(impact=Asked("wallets", grows=True, of="wallets"), cooldown_seconds=60.0)
    made = Watch(a_policy(rule))
    made.now = Instant(BEGAN, 5000.0)
    made.journal = [(made.now, entry) for _, entry in made.journal]
    first = rolled_back(made, bad_before=2.0, took=2.0, failed=100.0)
    told(
        made,
        e.Marked(first, "true", "bob"),
        e.ImpactTold(first, "bob", tickets=3, satisfaction=4.0, data_loss="none"),
        e.ImpactTold(first, "bob", tickets=5),
        e.FollowUpAdded("F1", first, Task.FIX, "bob", "2026-09-23", "a timeout", "bob"),
        e.FollowUpAdded("F2", first, Task.TEST, "eve", "2026-09-30", "try it", "bob"),
        e.Paged("episode:E1", Severity.P0, "x", "y", urgency=Urgency.NOW),
        e.Paged("episode:E1", Severity.P0, "x", "y", silenced=True, urgency=Urgency.NOW),
    )
    later(made, 7)
    told(made, e.FollowUpClosed("F1", "bob", "rolled out"), e.BlindBegan("errors", Blind.NAN, "x"))
    later(made, 60 / DAY)
    told(made, e.BlindEnded("errors", 60.0), e.Slept(20.0))
    second = rolled_back(made, bad_before=6.0, took=40.0, failed=30.0)
    told(
        made,
        e.Marked(second, "false", "eve"),
        e.ImpactTold(second, "eve", satisfaction=2.0, data_loss="two orders"),
    )
    later(made, 7)
    drill = rolled_back(made, bad_before=2.0, took=1.0, failed=7.0)
    told(made, e.Marked(drill, "drill", "bob"))
    made.run(2, HEALTHY)
    made.run(1, BREACHED)  # not for as long as it must last
    made.run(2, HEALTHY)
    return made


def recorded(watch: Watch) -> list[e.Recorded]:
    return [e.Recorded(n, at, entry, "") for n, (at, entry) in enumerate(watch.journal, 1)]


def window(watch: Watch, days: float = 30.0) -> Window:
    until = watch.now.plus(0.5)
    return Window(until.plus(-days * DAY), until)


def test_every_number_is_what_happened(watch: Watch) -> None:
    found = review(read_ledger(recorded(watch)), window(watch))
    assert (found.episodes, found.by_hand, found.passing, found.open_now) == (2, 0, 1, 0)
    assert (found.rules, found.severities) == ({"errors": 2}, {"P0": 2})
    assert (found.recovered, found.undone, found.would_act, found.calls) == (2, 3, 0, 1)

    rollbacks = found.rollbacks
    assert (rollbacks.count, rollbacks.in_time_ratio) == (2, 0.5)
    assert {k: v for k, v in rollbacks.ended.items() if v} == {"in_time": 1, "late": 1}
    assert (rollbacks.by, rollbacks.actions) == ({"itself": 2}, {"pause": 2})
    assert rollbacks.seconds == Spread(2, 21.0, 40.0, 40.0)

    assert found.detect == Spread(2, 4.0, 6.0, 6.0)
    assert found.effect == Spread(2, 3.0 + 21.0, 43.0, 43.0)
    assert found.contain == Spread(2, 27.0, 46.0, 46.0)
    assert found.recover == Spread(2, 38.0, 57.0, 57.0)

    # From the first bad sample to the containment, the drill's as well: it did fail.
    failed = (2.0 + 8.0) + (6.0 + 46.0) + (2.0 + 7.0)
    assert found.services == {"errors": failed}
    assert found.features == {"flag:redemption": 3 * 13.0}
    assert found.downtime_seconds == failed + 3 * 10.0, "3 s of each pause are both"
    assert (found.blind_seconds, found.unwatched_seconds) == ({"errors": 60.0}, 20.0)

    assert (found.false_actions, found.acted, found.acted_unmarked) == (("E2",), 2, 0)
    assert (found.drills.episodes, found.drills.drills) == (("E3",), ())
    assert found.begins_at == Instant(BEGAN, 5000.0)


def test_impact_is_measured_and_the_newest_that_people_said(watch: Watch) -> None:
    impact = review(read_ledger(recorded(watch)), window(watch)).impact
    assert (impact.affected, impact.failed_events, impact.unknown) == ({"wallets": 65.0}, 130.0, 0)
    assert (impact.tickets, impact.satisfaction, impact.satisfaction_said) == (5, 3.0, 2)
    assert (impact.data_loss, impact.no_data_loss) == (("E2: two orders",), 1)
    assert impact.data_loss_unsaid == 0


def test_tickets_that_nobody_counted_are_not_none(watch: Watch) -> None:
    ledger = read_ledger(recorded(watch))

    def told(days: float) -> str:
        text = markdown(review_paper(review(ledger, window(watch, days)), {}, Clock()))
        return text.partition("Support tickets")[2].partition("\n")[0]

    assert "5, said of 1 of 2 episodes" in told(30.0)
    assert "not known: nobody said" in told(8.0)
    assert "no episode" in told(0.001)


def test_follow_ups_are_late_by_their_day(watch: Watch) -> None:
    found = review(read_ledger(recorded(watch)), window(watch)).follow_ups
    assert (found.added, found.closed, found.closed_late) == (2, 1, 1)
    assert (found.open, found.overdue) == (1, 1)
    assert found.seconds_to_close == Spread(1, 7 * DAY, 7 * DAY, 7 * DAY)


def test_only_what_lies_in_the_time_counts(watch: Watch) -> None:
    found = review(read_ledger(recorded(watch)), window(watch, days=8.0))
    assert (found.episodes, found.rollbacks.count, found.false_actions) == (1, 1, ("E2",))
    assert (found.impact.tickets, found.impact.tickets_said) == (None, 0)
    assert found.services == {"errors": 52.0 + 9.0}
    assert (found.follow_ups.added, found.follow_ups.closed) == (0, 1)
    assert found.begins_at is None
    none = review(read_ledger([]), window(watch))
    assert (none.episodes, none.rollbacks.in_time_ratio, none.detect) == (0, None, Spread(0))


def test_trends_are_by_weeks_and_months_of_the_calendar(watch: Watch) -> None:
    ledger = read_ledger(recorded(watch))
    weeks = trend(ledger, window(watch), Step.WEEK)
    assert [(one.name, one.cut) for one in weeks] == [
        ("2026-W39", True), ("2026-W40", False), ("2026-W41", True),
    ]  # fmt: skip
    assert [one.rollbacks for one in weeks] == [1, 1, 0]
    assert [one.not_in_time for one in weeks] == [0, 1, 0]
    assert [one.false_actions for one in weeks] == [0, 1, 0]
    assert [one.effect_median for one in weeks] == [5.0, 43.0, None]
    assert [one.recover_median for one in weeks] == [19.0, 57.0, None]
    assert [one.downtime_seconds for one in weeks] == [20.0, 62.0, 19.0]
    assert [one.blind_seconds for one in weeks] == [0.0, 60.0, 0.0]
    assert [one.satisfaction for one in weeks] == [4.0, 2.0, None]
    months = trend(ledger, window(watch), Step.MONTH)
    assert [(one.name, one.episodes) for one in months] == [("2026-09", 2), ("2026-10", 0)]
    assert sum(one.downtime_seconds for one in months) == 20.0 + 62.0 + 19.0


def test_what_is_retired_is_counted_from_what_the_book_still_had(watch: Watch) -> None:
    entries = recorded(watch)
    cut = next(one.seq for one in entries if isinstance(one.entry, e.FollowUpClosed))
    book = Book()
    for one in entries[:cut]:
        book.apply(one.entry, one.at)
    late = review(read_ledger(entries[cut:], (cut, book)), window(watch))
    whole = review(read_ledger(entries), window(watch))
    assert late.retired == cut
    for same in ("episodes", "services", "features", "downtime_seconds", "recover", "follow_ups"):
        assert getattr(late, same) == getattr(whole, same), same
    assert late.rollbacks.count == whole.rollbacks.count
    assert late.rollbacks.by == {"itself": 1, "not on record": 1}
    assert "not on record" in markdown(review_paper(late, {}, Clock()))


def test_each_form_tells_the_same_and_none_is_markup(watch: Watch) -> None:
    nasty = e.ImpactTold("E2", "eve", data_loss="<script>1</script>")
    ledger = read_ledger([*recorded(watch), e.Recorded(9999, watch.now, nasty, "")])
    found = review(ledger, window(watch))
    trends = {step: trend(ledger, window(watch), step) for step in Step}
    paper = review_paper(found, trends, Clock())
    page, text = html(paper), markdown(paper)
    assert "<script" not in page + text
    for form in (page, text):
        assert "1 of 2 (50%)" in form
        assert "E3" in form
        assert "within the SLA" in form
        assert "urgent pages: 1" in form
        assert "in_time" not in form
        assert "untimed" not in form
    assert page.count('<svg class="plot"') == 12, "six curves, by week and by month"
    as_json = json.loads(json.dumps({**plain(found), "trends": plain(trends)}, allow_nan=False))
    assert as_json["rollbacks"]["ended"]["late"] == 1
    assert as_json["trends"]["week"][1]["name"] == "2026-W40"


def test_drills_are_told_with_their_times_and_what_was_missed(watch: Watch) -> None:
    def drill(n: int, days_ago: float, took: float | None) -> e.DrillEnded:
        stages = (Timed(DrillStage.READ_BACK, took, 30.0, "the action's `sla`"),)
        ended = watch.now.wall - days_ago * DAY
        why = () if took else ("read-back: never reached",)
        kind = DrillKind.FEATURE_FLAG
        told = DrillTold(kind, not why, ended, "pause", 25.0, stages, why, "on <my> laptop")
        return e.DrillEnded(f"T{n}", told, "alice")

    missed = e.DrillMissed(DrillKind.FULL, 0.0)
    ran = (drill(1, 40, 3.0), drill(2, 9, 2.0), drill(3, 2, None), drill(4, 1, 4.0))
    more: list[e.Entry] = [*ran, missed]
    late = [e.Recorded(9000 + n, watch.now, one, "") for n, one in enumerate(more)]
    ledger = read_ledger([*recorded(watch), *late])
    found = review(ledger, window(watch)).drills
    assert [(one.name, one.passed) for one in found.drills] == [
        *(("T2", True), ("T3", False), ("T4", True)),
    ], "T1 ended before, whenever it was recorded"
    flag, full = found.kinds
    assert (flag.run, flag.passed, flag.missed) == (3, 2, 0)
    assert flag.rollback == Spread(2, 3.0, 4.0, 4.0)
    assert (full.what, full.run, full.missed) == ("full", 0, 1)
    weeks = trend(ledger, window(watch), Step.WEEK)
    assert [(one.drills, one.drills_failed, one.drill_median) for one in weeks[-3:]] == [
        *((1, 0, 2.0), (2, 1, 4.0), (0, 0, None)),
    ]
    text = markdown(review_paper(review(ledger, window(watch)), {Step.WEEK: weeks}, Clock()))
    assert "| feature-flag | 3 | 2 | 1 | 0 | 3s | 4s | 25s |" in text
    assert "| FAILED |  |  |  | alice | read-back: never reached; on &lt;my&gt; laptop |" in text


def test_a_spread_tells_the_middle_and_the_worst() -> None:
    assert spread([None]) == Spread(0)
    assert spread([3.0, 1.0, None]) == Spread(2, 2.0, 3.0, 3.0)
    assert spread(float(n) for n in range(1, 21)) == Spread(20, 10.5, 18.0, 20.0)
