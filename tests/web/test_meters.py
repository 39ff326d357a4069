"""Counting: what an entry adds, and what a source that breaks its promises adds."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from prometheus_client.samples import Sample

from tests.web.policies import policy, source
from watchdog.core import entries as e
from watchdog.core.gates import GATES as ASKED
from watchdog.core.measured import Service
from watchdog.core.measures import Act, Measure
from watchdog.core.samples import Failure, Fault, Reading
from watchdog.core.spec import Endpoint, Scrape
from watchdog.core.states import Event, State
from watchdog.core.telling.contacts import Channel, Contacts, Webhook
from watchdog.core.telling.notes import Fate, NoteTold
from watchdog.core.words import Blind, Direction, Instant, Severity, World
from watchdog.web.metrics import Meters
from watchdog.web.metrics.meters import GATES, ruling_gate

NOW = Instant(1_700_000_000.0, 100.0)
APP = source("app", Scrape(Endpoint("http://127.0.0.1:1/metrics")))


def value(meters: Meters, short: str, **labels: str) -> float:
    found = meters.registry.get_sample_value(f"slo_watchdog_{short}", labels)
    return 0.0 if found is None else found


def refusal(*gates: e.GateAnswer, reason: str) -> e.Decided:
    return e.Decided(
        "D1", "E1", "r", "a", 0, World.SHADOW, e.Ruling.REFUSED, reason, gates, "", "", None
    )


def ended(direction: Direction, outcome: e.Outcome) -> e.IntentEnded:
    return e.IntentEnded("I1", "E1", "pause", "flag:x", direction, outcome, "", "", 2.0)


def heard(meters: Meters, *entries: e.Entry) -> None:
    for seq, entry in enumerate(entries, 1):
        meters.heard(e.Recorded(seq, NOW, entry, ""))


class Breaking:
    """A source that breaks its promise never to raise, or answers that it failed."""

    name = "app"

    def __init__(self, how: BaseException | Failure | None, seconds: float = 0.0) -> None:
        self._how = how
        self._seconds = seconds

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        del wanted
        await asyncio.sleep(self._seconds)
        if isinstance(self._how, BaseException):
            raise self._how
        return Reading("app", at, 0.25, failure=self._how)

    async def aclose(self) -> None:
        """Nothing to close."""


def test_every_gate_that_is_asked_has_its_counter() -> None:
    assert len(GATES) == len(ASKED)
    named = {gate.__name__ for gate in ASKED}
    assert set(GATES) == (named - {"stops"}) | {"hold"}


def test_the_first_gate_that_refused_is_the_one_that_counts() -> None:
    answers = (
        e.GateAnswer("evidence", passed=True, reason=""),
        e.GateAnswer("hold", passed=False, reason="H1"),
        e.GateAnswer("mode", passed=False, reason="observe"),
    )
    meters = Meters()
    heard(meters, refusal(*answers, reason="hold: H1"), refusal(reason="mode: no playbook"))
    assert ruling_gate(refusal(*answers, reason="hold: H1")) == "hold"
    assert value(meters, "refusals_total", world="shadow", gate="hold") == 1
    assert value(meters, "refusals_total", world="shadow", gate="mode") == 1
    assert value(meters, "decisions_total", world="shadow", ruling="refused") == 2


@pytest.mark.parametrize(
    ("direction", "outcome", "counted"),
    [
        (Direction.DO, e.Outcome.DONE, 1),
        (Direction.DO, e.Outcome.FOUND, 0),  # nothing of ours took effect
        (Direction.DO, e.Outcome.FAILED, 0),
        (Direction.UNDO, e.Outcome.DONE, 0),
    ],
)
def test_only_our_own_effect_is_timed_from_the_breach(
    direction: Direction, outcome: e.Outcome, counted: int
) -> None:
    meters = Meters()
    meters.effects_from({"E1": 7.0}.get)
    heard(meters, ended(direction, outcome))
    assert value(meters, "breach_to_effect_seconds_count", action="pause") == counted
    labels = {"action": "pause", "direction": direction.value, "outcome": outcome.value}
    assert value(meters, "actions_total", **labels) == 1


def measured(
    *acts: Act, world: World = World.LIVE, contained: Instant | None = None
) -> Callable[[str], Measure]:
    one = Measure("E1", "r", Severity.P1, world, NOW.plus(-9.0), NOW.plus(-12.0), lasted=True)
    one.acts, one.contained = list(acts), contained
    return {"E1": one}.__getitem__


@pytest.mark.parametrize(
    ("outcome", "took", "counted_as"),
    [
        (e.Outcome.DONE, 5.0, "in_time"),
        (e.Outcome.DONE, 11.0, "late"),
        (e.Outcome.FAILED, 5.0, "failed"),
        (e.Outcome.UNKNOWN, 5.0, "unknown"),
    ],
)
def test_a_rollback_is_counted_by_how_it_ended(
    outcome: e.Outcome, took: float, counted_as: str
) -> None:
    meters = Meters()
    act = Act("I1", "pause", "flag:x", NOW.plus(-took), 10.0, "", outcome, NOW)
    meters.measures_from(measured(act))
    heard(meters, ended(Direction.DO, outcome))
    assert value(meters, "rollbacks_total", action="pause", ended=counted_as) == 1
    done = outcome is e.Outcome.DONE
    assert value(meters, "rollback_duration_seconds_sum", action="pause") == (took if done else 0)
    assert value(meters, "first_bad_to_effect_seconds_sum", action="pause") == 12 * done


def test_what_was_found_so_is_no_rollback() -> None:
    meters = Meters()
    act = Act("I1", "pause", "flag:x", NOW, 10.0, "", e.Outcome.FOUND, NOW)
    meters.measures_from(measured(act))
    heard(meters, ended(Direction.DO, e.Outcome.FOUND))
    found = [s for family in meters.registry.collect() for s in family.samples]
    assert [s.labels for s in found if s.name == "slo_watchdog_rollbacks_total"] == []
    assert any(s.name == "slo_watchdog_actions_total" for s in found)


@pytest.mark.parametrize(("world", "times"), [(World.LIVE, 1), (World.SHADOW, 0)])
def test_containment_and_recovery_are_timed_once_and_not_in_shadow(
    world: World, times: int
) -> None:
    meters = Meters()
    measure = measured(world=world, contained=NOW)
    meters.measures_from(measure)
    moved = e.EpisodeMoved("E1", State.VERIFYING, Event.CONTAINED, State.CONTAINED, 0, "")
    heard(meters, moved)
    measure("E1").recovered = NOW
    recovered = e.ServiceTurned("E1", Service.RECOVERED, "by events")
    relapsed = e.ServiceTurned("E1", Service.FAILING, "by events")
    heard(meters, recovered, relapsed)
    meters.heard(e.Recorded(9, NOW.plus(60), recovered, ""))
    for which in ("contained", "recovered"):
        assert value(meters, f"breach_to_{which}_seconds_count", severity="P1") == times
        assert value(meters, f"breach_to_{which}_seconds_sum", severity="P1") == 9.0 * times


def test_pages_and_drift_are_counted() -> None:
    meters = Meters()
    page = e.Paged("rule:r:blind", Severity.P1, "t", "b", silenced=True)
    heard(meters, page, e.Drifted("flag:x", "pause", ("E1",), "enabled: true"))
    assert value(meters, "pages_total", severity="P1", silenced="yes") == 1
    assert value(meters, "pages_total", severity="P1", silenced="no") == 0
    assert value(meters, "drifts_total", action="pause") == 1
    assert value(meters, "journal_entries_total", kind="page.raised") == 1


async def test_a_failed_poll_is_counted_by_why() -> None:
    meters = Meters()
    failure = Failure(Fault.SERVICE, Blind.SOURCE_DOWN, "connection refused")
    await meters.counting(APP, Breaking(failure)).poll(NOW, ())
    await meters.counting(APP, Breaking(None)).poll(NOW, ())
    assert value(meters, "source_errors_total", source="app", reason="source_down") == 1
    assert value(meters, "source_poll_duration_seconds_count", source="app") == 2
    assert value(meters, "source_poll_duration_seconds_sum", source="app") == 0.5


async def test_a_source_that_raises_is_our_fault() -> None:
    meters = Meters()
    with pytest.raises(ValueError, match="broken"):
        await meters.counting(APP, Breaking(ValueError("broken"))).poll(NOW, ())
    assert value(meters, "source_errors_total", source="app", reason="ours") == 1


async def test_a_source_that_hangs_is_counted_and_a_stop_is_not() -> None:
    meters = Meters()
    for patience in (0.05, APP.deadline_seconds + 0.05):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(patience):
                await meters.counting(APP, Breaking(None, 60)).poll(NOW, ())
    assert value(meters, "source_errors_total", source="app", reason="ours") == 1


def test_the_longest_pass_is_the_same_for_all_who_ask_within_a_minute() -> None:
    meters = Meters()
    assert meters.longest_pass(0.5, NOW) == 0.5
    assert meters.longest_pass(0.1, NOW.plus(30)) == 0.5
    assert meters.longest_pass(0.2, NOW.plus(61)) == 0.2


def test_a_channel_that_gives_up_for_the_first_time_is_an_increase() -> None:
    meters = Meters()
    chat = Channel("chat", Webhook(Endpoint("http://127.0.0.1:1")))
    told = {"channel": "chat", "fate": "given_up"}
    assert meters.registry.get_sample_value("slo_watchdog_notes_total", told) is None
    meters.adopt(replace(policy({}, ()), contacts=Contacts({"chat": chat})))
    assert meters.registry.get_sample_value("slo_watchdog_notes_total", told) == 0
    heard(meters, NoteTold(("N1", "N2"), "chat ada", Fate.GIVEN_UP, "", 3))
    assert value(meters, "notes_total", **told) == 2
    heard(meters, NoteTold(("N3",), "chat ada", Fate.SENT))
    heard(meters, NoteTold(("N3",), "", Fate.SENT, "its other lines were taken out"))
    sent = {one.labels["channel"]: one.value for one in notes_sent(meters)}
    assert sent == {"chat": 1}  # counted once, on the line that told it


def notes_sent(meters: Meters) -> list[Sample]:
    return [
        one
        for metric in meters.registry.collect()
        for one in metric.samples
        if one.name == "slo_watchdog_notes_total" and one.labels["fate"] == "sent"
    ]
