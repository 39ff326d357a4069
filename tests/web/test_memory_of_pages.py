"""What pages remember: bounded, in order, each entry once."""

import asyncio
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from tests.web.policies import AVAILABILITY, ERROR_RATE, policy
from tests.web.watching import watching
from watchdog.core import entries as e
from watchdog.core.spec import RuleSpec
from watchdog.core.states import Event, State
from watchdog.core.telling.notes import Fate
from watchdog.core.words import (
    Blind,
    Instant,
    Severity,
    Status,
    Verdict,
    WindowReading,
    World,
)
from watchdog.engine import Views
from watchdog.web.chronicle import Chronicle
from watchdog.web.ledger import KEPT, Ledger, Query
from watchdog.web.rule_text import rule_text
from watchdog.web.trails import LOOKS_A_SECOND, MOST_POINTS, POINTS, Trails, wall_of

BEGAN = Instant(1_800_000_000.0, 1000.0)


def said(after: float, value: float | None, status: Status = Status.HEALTHY) -> Verdict:
    at = BEGAN.plus(after)
    blind = Blind.NO_DATA if status is Status.BLIND else None
    return Verdict(status, "", at, at.wall, blind=blind, value=value)


# -- trails ----------------------------------------------------------------------------------------


def test_a_day_fits_into_a_rules_share_and_no_breach_is_thinned_away() -> None:
    trails = Trails()
    for second in range(20_000):
        breached = second == 3000
        value = 0.9 if breached else 0.01
        status = Status.BREACHED if breached else Status.HEALTHY
        trails.look([(ERROR_RATE, said(second, value, status))], ())
    trail = trails.of(ERROR_RATE.name)
    assert trail is not None
    assert len(trail) <= MOST_POINTS
    moments = list(trail.moments())
    assert [one.steady for one in moments] == sorted({one.steady for one in moments})
    (worst,) = [one for one in moments if one.status is Status.BREACHED]
    assert worst.steady == BEGAN.plus(3000).steady
    assert worst.values[0] == pytest.approx(0.9)
    assert moments[0].steady < BEGAN.plus(600).steady, "about as far back as it began"
    gaps = [b.steady - a.steady for a, b in itertools.pairwise(moments)]
    assert max(gaps[-100:]) == 1.0, "what is new is fine"


def test_of_what_is_older_than_a_day_nothing_is_kept() -> None:
    trails = Trails()
    for minute in range(3 * 1440):
        trails.look([(ERROR_RATE, said(minute * 60.0, 0.01))], ())
    trail = trails.of(ERROR_RATE.name)
    assert trail is not None
    first = next(trail.moments())
    assert 2 * 86_400 - 7200 * 8 < first.steady - BEGAN.steady <= 2 * 86_400


def test_fewer_moments_can_be_asked_for_and_the_newest_is_always_among_them() -> None:
    trails = Trails()
    for second in range(500):
        trails.look([(ERROR_RATE, said(second, second / 500))], ())
    trail = trails.of(ERROR_RATE.name)
    assert trail is not None
    for since, most in ((0.0, 60), (BEGAN.plus(300).steady, 7), (BEGAN.plus(499).steady, 60)):
        found = list(trail.moments(since, most))
        assert 1 <= len(found) <= most
        assert found[-1].steady == trail.newest
        assert found[0].steady >= since
    assert list(trail.moments(trail.newest + 1)) == []


def test_blindness_is_a_gap_and_an_objective_keeps_each_window() -> None:
    trails = Trails()
    windows = tuple(
        WindowReading(seconds, 1.0, 10.0, 0.0, 1.0, 0.1, burn=seconds / 100, factor=14.4)
        for seconds in (3600.0, 300.0, 21_600.0, 1800.0)
    )
    burning = replace(said(0, 12.0), evidence=windows)
    trails.look([(AVAILABILITY, burning)], ())
    trails.look([(AVAILABILITY, said(1, None, Status.BLIND))], ())
    trail = trails.of(AVAILABILITY.name)
    assert trail is not None
    assert trail.windows == (300.0, 1800.0, 3600.0, 21_600.0)
    one, two = trail.moments()
    assert one.values == (3.0, 18.0, 36.0, 216.0)
    assert (two.status, two.values) == (Status.BLIND, (None,) * 4)


def test_with_very_many_rules_each_is_looked_at_in_its_turn_and_those_in_trouble_always() -> None:
    rules = [replace(ERROR_RATE, name=f"rule-{n}") for n in range(10 * LOOKS_A_SECOND)]
    trails, trouble = Trails(), rules[777].name
    for second in range(12):
        seen: list[tuple[RuleSpec, Verdict | None]] = [(r, said(second, 0.01)) for r in rules]
        before = {r.name: _length(trails, r.name) for r in rules}
        trails.look(seen, {trouble})
        looked = sum(_length(trails, r.name) > before[r.name] for r in rules)
        assert looked <= LOOKS_A_SECOND
    assert all(_length(trails, rule.name) >= 1 for rule in rules)
    assert _length(trails, trouble) == 12
    assert POINTS // len(rules) >= 60


def _length(trails: Trails, name: str) -> int:
    trail = trails.of(name)
    return 0 if trail is None else len(trail)


def test_a_rule_of_another_text_and_a_removed_one_begin_anew() -> None:
    trails = Trails()
    trails.look([(ERROR_RATE, said(0, 0.01)), (AVAILABILITY, said(0, 1.0))], ())
    trails.look([(replace(ERROR_RATE, sha256="new"), said(1, 0.02))], ())
    trail = trails.of(ERROR_RATE.name)
    assert trail is not None
    assert len(trail) == 1
    assert trails.of(AVAILABILITY.name) is None


def test_a_wall_clock_that_steps_moves_no_point_against_another() -> None:
    now = Instant(BEGAN.wall + 5000.0, BEGAN.steady + 100.0)  # it was set forward meanwhile
    assert wall_of(BEGAN.steady, now) == now.wall - 100.0


# -- decisions -------------------------------------------------------------------------------------


def decided(number: int, rule: str = "r", reason: str = "a hold") -> e.Decided:
    return e.Decided(
        f"D{number}", f"E{number}", rule, "pause", 0, World.LIVE, e.Ruling.REFUSED, reason,
        (), "p" * 64, "r" * 64, None,
    )  # fmt: skip


async def test_decisions_are_found_by_all_the_words_newest_first_page_by_page() -> None:
    ledger = Ledger()
    for number in range(1, KEPT + 501):
        rule = 'peg{db="a"}' if number % 100 == 0 else "redemption"
        entry = decided(number, rule, "Blast radius" if number % 7 == 0 else "a hold")
        ledger.heard(e.Recorded(number, BEGAN.plus(number), entry, "h"))
    assert (len(ledger), ledger.oldest) == (KEPT, 501)
    found = ledger.found(Query.of("RADIUS peg"), None, 5)
    assert await ledger.searched(Query.of("RADIUS peg"), None, 5) == found
    assert [one.decision for one in found] == ["D10500", "D9800", "D9100", "D8400", "D7700"]
    after = ledger.found(Query.of("radius peg"), found[-1].seq, 2)
    assert [one.decision for one in after] == ["D7000", "D6300"]
    assert ledger.found(Query.of("", rule="peg"), None, 1)[0].decision == "D10500"
    assert ledger.found(Query.of("", "allowed"), None, 1) == []


# -- the chronicle ---------------------------------------------------------------------------------


def _episode(number: int) -> list[e.Entry]:
    name = f"E{number}"
    verdict = said(0, 0.2, Status.BREACHED)
    return [
        e.EpisodeOpened(name, ERROR_RATE.name, "team", Severity.P0, World.LIVE, verdict),
        e.EpisodeMoved(name, State.OK, Event.BREACHED, State.PENDING, 0, "20% > 5%"),
        decided(number, ERROR_RATE.name),
        e.Paged(f"episode:{name}", Severity.P0, f"{name} is held", "a hold", note=f"N{number}"),
        e.NoteTold((f"N{number}", "N999"), "chat", Fate.SENT),
        e.EpisodeMoved(name, State.PENDING, Event.HEALTHY, State.OK, 0, "healthy again"),
    ]


async def test_what_was_before_and_what_comes_meanwhile_is_told_once_and_in_order(
    tmp_path: Path,
) -> None:
    async with watching(tmp_path, policy({}, (ERROR_RATE,), ()), runs=False) as watch:
        recorder = watch.engine.recorder
        for number in range(1, 61):
            draft = recorder.draft()
            for entry in _episode(number):
                draft.add(entry)
            recorder.commit(draft)
        chronicle = Chronicle(Views(watch.engine))
        was_read = chronicle.is_read
        reading = asyncio.create_task(chronicle.read_back())
        await asyncio.sleep(0)
        draft = recorder.draft()
        for entry in _episode(61):
            draft.add(entry)
        recorder.commit(draft)
        assert chronicle.timelines.of("E61") == [], "it waits for its turn"
        await reading
        assert (was_read, chronicle.is_read) == (False, True)
        for number in (1, 60, 61):
            moments = chronicle.timelines.of(f"E{number}")
            assert [one["what"] for one in moments] == ["moved", "decided", "moved"]
            (message,) = chronicle.timelines.messages(f"E{number}")
            assert message["title"] == f"E{number} is held"
            assert [(one["line"], one["fate"]) for one in message["fates"]] == [("chat", "sent")]
            (reading_then,) = chronicle.timelines.readings(f"E{number}")
            assert (reading_then.breached, reading_then.value) == (True, 0.2)
        newest = chronicle.ledger.found(Query(), None, 100)
        assert [one.decision for one in newest] == [f"D{n}" for n in range(61, 0, -1)]
        history = chronicle.history.of(ERROR_RATE.name, 4)
        assert [one["text"].split()[0] for one in history] == ["E61:", "E61", "E60:", "E60"]


# -- a rule's text ---------------------------------------------------------------------------------

FILE = """\
version: 1

rules:
  # The promise,
  # in two lines.
  first:
    severity: P0
    # inside
    slo:
      burn:

        - {budget: 2%}

  # About the second.
  second: {severity: P1}
other: 1
"""


def test_a_rules_text_is_cut_out_with_the_comment_above_it_and_none_of_the_next() -> None:
    files = {"team/rules.yaml": FILE}
    first = rule_text("team/rules.yaml:6:3", files)
    assert first is not None
    assert first.first == 4
    assert first.text.splitlines()[0] == "# The promise,"
    assert first.text.splitlines()[-1] == "      - {budget: 2%}"
    second = rule_text("team/rules.yaml:15:3", files)
    assert second is not None
    assert second.text == "# About the second.\nsecond: {severity: P1}"
    for where in ("team/other.yaml:6:3", "team/rules.yaml:99:3", "somewhere"):
        assert rule_text(where, files) is None


async def test_a_bug_in_telling_keeps_nothing_from_being_recorded(tmp_path: Path) -> None:
    async with watching(tmp_path, policy({}, (ERROR_RATE,), ()), runs=False) as watch:
        chronicle = Chronicle(Views(watch.engine))
        await chronicle.read_back()
        odd = replace(decided(1), rule=None)  # type: ignore[arg-type]  # as a bug would have it
        opened = e.EpisodeOpened("E1", ERROR_RATE.name, "t", Severity.P0, World.LIVE, None)
        for entry in (odd, opened):
            watch.engine.recorder.remember([e.Recorded(99, BEGAN, entry, "h")])
        assert chronicle.history.of(ERROR_RATE.name)[0]["text"] == "E1 opened"
