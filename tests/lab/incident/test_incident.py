"""An incident record out of the journal: the same however late it is made, and whole."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import get_args
from zoneinfo import ZoneInfo

from tests.core.decisions.watch import (
    BLIND,
    BREACHED,
    HEALTHY,
    Watch,
    a_policy,
)
from tests.daemon.test_telemetry import made
from watchdog.core import entries as e
from watchdog.core.book import Book
from watchdog.core.hindsight import Task
from watchdog.core.impact import Cost
from watchdog.core.states import State
from watchdog.core.telling.notes import Fate
from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.words import Blind, Severity, Truth
from watchdog.lab.incident import Gathered, document, gather, incident_paper
from watchdog.lab.incident.signal import pictures
from watchdog.lab.incident.telling import told
from watchdog.lab.incident.written import action_text
from watchdog.lab.papers import Clock, html, markdown
from watchdog.lab.review import read_ledger

NASTY = "<script>alert(1)</script> | [x](javascript:y)"
RULES = """\
version: 1
actions:
  other:
    do: {run: [nothing]}
  # said of the next
  "pause":
    flag: redemption
    do:
      run: ["{{ tool }}", pause]     # by its own tool

  # said of the last
  last:
    do: {run: [all]}
playbooks:
  pause: [{action: pause}]
"""


def recorded(watch: Watch) -> list[e.Recorded]:
    return [e.Recorded(n, at, entry, "") for n, (at, entry) in enumerate(watch.journal, 1)]


def rolled_back() -> Watch:
    """Bad from 4 s before the breach; paused 2 s after the decision; a person undoes it."""
    watch = Watch(a_policy())
    with watch.draft() as draft:
        files = (("platform.yaml", RULES),)
        draft.add(e.PolicyApplied("sha of all", (), "alice", files=files))
        draft.add(e.FollowUpAdded("F1", "E9", Task.FIX, "eve", "2026-12-01", "other", "eve"))
    watch.run(2, HEALTHY)
    watch.seen["errors"].began = watch.now.plus(-3.0)
    watch.seen["errors"].cost = Cost(40.0)
    watch.run(4, BREACHED)
    with watch.draft() as draft:
        draft.add(e.StepTaken("I1", "change", "claimed", "exit status 0", 0.5, f"paused\n{NASTY}"))
    watch.now = watch.now.plus(2.0)
    watch.end()
    watch.now = watch.now.plus(3.0)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    assert watch.is_now(State.CONTAINED)
    watch.run(5, BLIND)
    with watch.draft() as draft:
        draft.add(e.BlindBegan("errors", Blind.NO_TRAFFIC, "no traffic"))
        draft.add(e.Acked("E1", "bob (uid 7)", NASTY))
        draft.add(e.ImpactTold("E1", "bob (uid 7)", tickets=14, feedback=NASTY, data_loss="none"))
        draft.add(e.ImpactTold("E1", "carol", tickets=15, affected=3.5, of="wallets"))
        draft.add(e.FollowUpAdded("F2", "E1", Task.TEST, "bob", "2026-12-01", NASTY, "carol"))
        draft.add(e.FollowUpClosed("F1", "eve", "of another"))
    watch.run(1, BLIND)
    hold = watch.hold()
    with watch.draft() as draft:
        draft.add(e.BlindEnded("errors", 1.0))
        draft.add(e.FollowUpClosed("F2", "bob", "tried"))
    watch.seen["errors"].recovered = Truth.TRUE
    watch.run(1, HEALTHY)
    watch.undo(watch.episode)
    watch.release(hold)
    watch.run(25, HEALTHY)
    assert watch.is_now(State.OK)
    return watch


def of(watch: Watch, episode: str = "E1") -> Gathered:
    found = gather(recorded(watch), episode)
    assert found is not None
    return found


def test_it_holds_all_that_happened_in_its_order() -> None:
    found = of(rolled_back())
    steps = [moment.what for moment in found.moments]
    in_order = [
        "breach", "pending", "decision", "acting", "change", "step", "read-back", "verifying",
        "contained", "blind", "acknowledged", "found out", "follow-up", "hold", "sees again",
        "follow-up closed", "service", "watched", "released", "ok",
    ]  # fmt: skip
    at = iter(steps)
    assert [what for what in in_order if what not in at] == [], steps
    assert [m.seq for m in found.moments] == sorted(m.seq for m in found.moments)
    assert "other" not in json.dumps(document(found)["follow_ups"]), "another's"


def test_its_times_are_exact() -> None:
    told_ = document(of(rolled_back()))
    assert told_["seconds"] == {
        "first_bad_to_breach": 4.0,
        "breach_to_effect": 5.0,
        "first_bad_to_effect": 9.0,
        "breach_to_contained": 8.0,
        "breach_to_recovered": 15.0,
        "first_bad_to_recovered": 19.0,
    }
    (do, undo) = told_["changes"]
    assert (do["direction"], do["outcome"], do["read_back"]) == ("do", "done", "enabled: false")
    assert (undo["direction"], undo["outcome"]) == ("undo", "done")
    assert told_["stays_rolled_back"] == []
    assert [gate["passed"] for gate in told_["decisions"][0]["gates"]] == [True] * 13


def test_the_newest_of_each_thing_that_people_found_out_counts_with_who_said_it() -> None:
    impact = document(of(rolled_back()))["impact"]
    said = {one["what"]: (one["value"], one["actor"]) for one in impact["found_out"]}
    assert said == {
        "tickets": (15, "carol"),
        "affected": (3.5, "carol"),
        "feedback": (NASTY, "bob (uid 7)"),
        "data_loss": ("none", "bob (uid 7)"),
    }
    assert [one["tickets"] for one in impact["said"]] == [14, 15], "nothing is taken back unsaid"
    assert impact["measured"]["failed events"] == "40"


def test_it_is_the_same_when_the_book_has_long_let_go_of_the_episode() -> None:
    watch = rolled_back()
    early = document(of(watch))
    for _ in range(320):  # more than the book, and the measures, keep
        watch.run(1, BREACHED)
        watch.run(1, HEALTHY)
    assert "E1" not in watch.book.episodes
    assert "E1" not in watch.book.measures.episodes
    late = document(of(watch))
    assert late.pop("record_ends") != early.pop("record_ends")
    assert late == early


def test_a_claim_that_was_given_up_without_a_reason_has_nothing_behind_a_colon() -> None:
    assert told(e.ClaimReleased("E1", "flag:x", "")) == ("claim given up", "flag:x")
    assert told(e.ClaimReleased("E1", "flag:x", "mended")) == ("claim given up", "flag:x: mended")


def test_what_was_retired_is_said_and_the_rest_is_told() -> None:
    watch = rolled_back()
    entries = recorded(watch)
    cut = next(one.seq for one in entries if isinstance(one.entry, e.IntentEnded))
    book = Book()
    for one in entries[:cut]:
        book.apply(one.entry, one.at)
    found = gather(entries[cut:], "E1", (cut, book))
    assert found is not None
    assert document(found)["seconds"] == document(of(watch))["seconds"]
    text = markdown(incident_paper(found, Clock()))
    assert f"The entries up to {cut} were retired" in text
    assert "P0, sandbox, team" in text
    assert gather(entries[cut:], "E77", (cut, book)) is None


def test_a_paper_of_it_holds_no_markup_but_its_own() -> None:
    watch = rolled_back()
    paper = incident_paper(of(watch), Clock(ZoneInfo("Europe/Zurich")))
    page, text = html(paper), markdown(paper)
    assert "<script" not in page
    assert NASTY not in text.replace(f"\npaused\n{NASTY}\n", ""), "but where it was printed"
    for told_ in (page, text):
        for heading in (
            "Investigate cause", "Document findings", "Implement fixes", "Test solutions",
            "Update procedures", "Train team members",
        ):  # fmt: skip
            assert heading in told_
        assert "CEST" in told_
        assert "passed" in told_
        assert "enabled: false" in told_
    assert page.count('<svg class="plot"') == 2
    assert "by its own tool" in page


def test_times_are_told_in_the_zone_of_the_people_and_once_where_it_is_utc() -> None:
    watch = rolled_back()
    text = markdown(incident_paper(of(watch), Clock(ZoneInfo("UTC"))))
    assert "Local" not in text
    assert " UTC)" not in text
    contacts = 'version: 1\nzone: "{{ home }}"\n'
    files = {
        "platform.yaml": RULES,
        "contacts.yaml": contacts,
        "vars/sandbox.yaml": "home: Asia/Tokyo\n",
    }
    with watch.draft() as draft:
        draft.add(e.PolicyApplied("sha of all", (), "alice", files=tuple(files.items())))
    assert of(watch).zone == ZoneInfo("Asia/Tokyo")
    assert read_ledger(recorded(watch)).zone == ZoneInfo("Asia/Tokyo")
    assert of(rolled_back()).zone is None, "of people that nobody names nothing is known"


def test_the_signal_is_plotted_as_far_as_the_record_holds_it() -> None:
    plot, cost = pictures(of(rolled_back()))
    assert set(cost.lines[0].values) == {40.0}
    (line,) = plot.lines
    assert line.dots
    assert set(line.values) == {0.5}
    assert [bound.value for bound in plot.bounds] == [0.05]
    assert [stretch.kind for stretch in plot.stretches] == ["blind"]
    assert [mark.tag for mark in plot.marks][:3] == ["bad", "breach", "acting"]


def test_an_action_is_shown_as_it_was_written_and_no_other() -> None:
    applied = e.PolicyApplied("sha", (), "alice", files=(("platform.yaml", RULES),))
    lines = action_text(applied, 'pause{flag="a"}').splitlines()
    assert lines[0] == '"pause":'
    assert lines[-1] == '    run: ["{{ tool }}", pause]     # by its own tool'
    assert action_text(applied, "all") == ""
    assert action_text(None, "pause") == ""
    assert action_text(replace(applied, files=()), "pause") == ""


def test_every_entry_of_an_episode_has_its_line() -> None:
    silent = {e.StepBegan, e.Unread, e.Paged, e.NoteTold}
    for kind in get_args(e.Entry):
        said = told(made(kind))
        assert (said is None) == (kind in silent), kind
        assert said is None or all(said), kind


def test_what_this_program_has_no_words_for_tells_itself() -> None:
    entry = e.EventReceived  # of no episode, and so without a sentence here
    what, text = told(made(entry)) or ("", "")
    assert what == "event.received"
    assert "channel it's [so]" in text


def test_each_message_is_told_with_what_became_of_it() -> None:
    watch = rolled_back()
    page = e.Paged(
        "episode:E1", Severity.P0, "up", NASTY, urgency=Urgency.NOW, note="N7", to=("x",)
    )
    with watch.draft() as draft:
        draft.add(page)
        draft.add(replace(page, key="episode:E2", note="N8"))
        draft.add(e.NoteTold(("N7", "N8"), "chat", Fate.SENT))
        draft.add(e.NoteTold(("N8",), "mail", Fate.SENT))
        draft.add(e.NoteTold(("N7",), "phone ada", Fate.GIVEN_UP, "engaged", attempts=3))
        draft.add(e.Escalated("E1", 1, ("lead",), "not acknowledged"))
        draft.add(e.Announced("A1", "E1", Topic.ANNOUNCED, ("users",), "down", NASTY, "carol"))
    messages = of(watch).messages[-2:]
    at = f"{watch.now.utc:%H:%M:%S}Z"
    assert [one.title for one in messages] == ["up", "down"]
    assert messages[0].fates == (
        f"chat: sent {at}",
        f"phone ada: given_up {at} after 3 attempts: engaged",
    )
    assert (messages[1].to, messages[1].by) == (("users",), "carol")
    escalated, announced = of(watch).moments[-2:]
    assert escalated.text == "step 2, to lead: not acknowledged"
    assert (announced.what, announced.actor) == ("announced", "carol")
