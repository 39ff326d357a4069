"""What a backtest shows is what a daemon would have decided, reading by reading."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.lab.backtest.past import BEGAN, EVERY, OUTAGE, SPAN, counters, openmetrics, policy
from tests.lab.backtest.past import rules_folder as folder_of
from watchdog.core.samples import Reading, Sample, labels_of
from watchdog.core.spec import Policy
from watchdog.core.words import Instant, Mode, Status
from watchdog.lab.backtest import Run, Settings, Stage, replay
from watchdog.lab.backtest.firing import Firing, firings
from watchdog.lab.history import Held, read_openmetrics
from watchdog.lab.rehearsal import Rehearsal, Supposing


def run(policy: Policy, history: Held, settings: Settings | None = None) -> Run:
    settings = settings or Settings()
    return replay(Stage.of(policy, settings), history, SPAN, settings)


def at(firing: Firing) -> tuple[str, float, float | None, float | None, str]:
    return firing.rule, firing.opened_at, firing.fired_at, firing.acted_at, firing.state


def test_an_outage_is_one_episode_that_acts_once_and_is_over_when_a_person_undid_it(
    tmp_path: Path,
) -> None:
    found = run(
        policy(folder_of(tmp_path / "r")), read_openmetrics(openmetrics(tmp_path / "h"), None)
    )
    (share,) = [f for f in found.firings if f.rule == "share"]
    # More than 10 % of five minutes fail from the fifth failing poll on (25 of 200).
    breached = BEGAN + EVERY * (OUTAGE[0] + 5)
    assert (share.opened_at, share.fired_at, share.acted_at) == (
        breached,
        breached + 60,
        breached + 60,
    )
    assert share.action == "pause"
    assert share.state == "ok", "undone a quarter of an hour after recovery, watched, and quiet"
    assert share.ended_at is not None
    assert share.recovered_at is not None
    assert share.ended_at - share.recovered_at >= 2 * 900


def test_the_straight_way_decides_what_the_daemons_own_store_decides(tmp_path: Path) -> None:
    """Plain selectors are answered from the columns; the daemon's memory reads samples itself."""
    plan = policy(folder_of(tmp_path / "r"))
    found = run(plan, read_openmetrics(openmetrics(tmp_path / "h"), None))
    armed = {name: replace(rule, mode=Mode.ARMED) for name, rule in plan.rules.items()}
    began = Instant(SPAN.start, SPAN.start)
    rehearsal = Rehearsal(replace(plan, rules=armed), began, Supposing(undo_after_seconds=900.0))
    for step in range(960):
        now = Instant(BEGAN + EVERY * step, BEGAN + EVERY * step)
        samples = tuple(_sample(text, value, now.wall) for text, value in counters(step).items())
        rehearsal.feed(Reading("app", now, 0.0, samples, up={"app": True}))
    assert [at(f) for f in found.firings] == [at(f) for f in firings(rehearsal.log)]
    assert {f.rule for f in found.firings} == {"share", "slow-burn", "queue"}


def _sample(text: str, value: float, when: float) -> Sample:
    name, _, rest = text.partition("{")
    labels = labels_of({"code": rest[6:9]}) if rest else ()
    return Sample(name, labels, value, when)


def test_slices_change_nothing(tmp_path: Path) -> None:
    plan = policy(folder_of(tmp_path / "r"))
    history = read_openmetrics(openmetrics(tmp_path / "h"), None)
    whole = run(plan, history)
    sliced = run(plan, replace(history, slice_seconds=600.0))
    assert [at(f) for f in sliced.firings] == [at(f) for f in whole.firings]
    assert sliced.readings == whole.readings == 960


def test_a_hole_in_the_past_blinds_and_starts_nothing(tmp_path: Path) -> None:
    def holed(step: int) -> dict[str, float]:
        return {} if OUTAGE[0] <= step < OUTAGE[0] + 40 else counters(step)

    history = read_openmetrics(openmetrics(tmp_path / "h", holed), None)
    found = run(policy(folder_of(tmp_path / "r")), history)
    trace = found.traces["queue"]
    assert trace.seconds(Status.BLIND) == 40 * EVERY
    assert "the history holds no sample" in trace.blind_reasons()[0]
    assert all(f.opened_at >= BEGAN + EVERY * (OUTAGE[0] + 40) for f in found.firings)


def test_declared_modes_are_kept_when_asked_for(tmp_path: Path) -> None:
    history = read_openmetrics(openmetrics(tmp_path / "h"), None)
    found = run(policy(folder_of(tmp_path / "r")), history, Settings(mode=None))
    by_rule = {f.rule: f for f in found.firings}
    assert by_rule["share"].decisions[-1].ruling == "would_act"
    assert by_rule["queue"].refusal.startswith("mode: ")


def test_what_opened_while_windows_were_filled_is_not_told(tmp_path: Path) -> None:
    history = read_openmetrics(openmetrics(tmp_path / "h"), None)
    settings = Settings(warm_seconds=EVERY * 600.0)
    late = replace(SPAN, start=BEGAN + EVERY * 600)
    plan = policy(folder_of(tmp_path / "r"))
    assert not replay(Stage.of(plan, settings), history, late, settings).firings


def test_a_construct_that_is_not_evaluated_here_leaves_its_rule_out_by_name(tmp_path: Path) -> None:
    rules = """\
version: 1
rules:
  far:
    severity: P2
    source: prom
    threshold: {expr: "predict_linear(queue_length[1h], 3600)", breach_when: "> 50"}
"""
    plan = policy(folder_of(tmp_path / "r", rules))
    stage = Stage.of(plan, Settings())
    assert not stage.policy.rules
    assert "team/rules.yaml:3:3" in stage.left_out["far"]
    assert "predict_linear" in stage.left_out["far"]
    assert "Give it a Prometheus" in stage.left_out["far"]
    assert Stage.of(plan, Settings(), evaluated_here=False).policy.rules


def test_a_coarser_history_is_replayed_at_its_own_rhythm_and_said(tmp_path: Path) -> None:
    settings = Settings(every_seconds=60.0)
    stage = Stage.of(policy(folder_of(tmp_path / "r")), settings)
    assert stage.notes == ("app is read every 15 s; its history is replayed every 60 s",)
    assert {rule.every_seconds for rule in stage.policy.rules.values()} == {60.0}


@pytest.mark.parametrize("restarts", [True, False])
def test_a_restart_is_seen_by_the_process_start_time(tmp_path: Path, *, restarts: bool) -> None:
    def restarted(step: int) -> dict[str, float]:
        start = BEGAN + (5000.0 if step >= 300 and restarts else 0.0)
        return {**counters(step), "process_start_time_seconds": start}

    history = read_openmetrics(openmetrics(tmp_path / "h", restarted), None)
    found = run(policy(folder_of(tmp_path / "r")), history)
    told = any("restarted" in reason for reason in found.traces["share"].blind_reasons())
    assert told is restarts
