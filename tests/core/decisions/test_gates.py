"""The gates: each on its own, all asked, the first refusal ruling, and every reason stable."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import combinations

import pytest

from watchdog.core.entries import GateAnswer, Ruling
from watchdog.core.gates import GATES, GateInputs, ModeLimit, rule_on, rule_on_command
from watchdog.core.words import Mode, Status, Truth, World

ORDER = (
    "evidence",
    "environment",
    "hold",
    "deploy",
    "burning",
    "target",
    "ready",
    "anchor",
    "change",
    "cooldown",
    "blast_radius",
    "mode",
    "budget",
)

OPEN = GateInputs(
    world=World.LIVE,
    status=Status.BREACHED,
    blind="",
    held_seconds=3.0,
    for_seconds=3.0,
    corroboration=(("latency", "breached"),),
    environment="production",
    environment_here="production",
    time_synced=None,
    holds=(),
    windows=(),
    through_hold="",
    barred="",
    target="flag:redemption",
    busy="",
    already="",
    ready=Truth.TRUE,
    ready_reason="works",
    host="any",
    host_here="mainnet-1",
    cooldown_until=None,
    cooldown_exempt=False,
    breaching_targets=("flag:redemption",),
    blast_radius=5,
    modes=(ModeLimit("process max_mode", Mode.ARMED), ModeLimit("rule errors", Mode.ARMED)),
    beyond="",
    budget_used=0,
    budget_actions=4,
    budget_seconds=86400.0,
)

# (gate, what closes it, what it says then)
CLOSED: tuple[tuple[str, dict[str, object], str], ...] = (
    ("evidence", {"status": Status.HEALTHY}, "healthy"),
    ("evidence", {"status": Status.BLIND, "blind": "no_data"}, "blind: no_data"),
    ("evidence", {"held_seconds": 2.9}, "breached for less than 3s"),
    (
        "evidence",
        {"corroboration": (("latency", "blind"), ("peg", "healthy"), ("age", "breached"))},
        "not corroborated: latency is blind, peg is healthy",
    ),
    ("environment", {"environment": "sandbox"}, "the policy is for sandbox, this is production"),
    ("environment", {"time_synced": Truth.FALSE}, "the clock is not known to be synchronised"),
    ("environment", {"time_synced": Truth.UNKNOWN}, "the clock is not known to be synchronised"),
    ("hold", {"holds": ("hold H1 on everything by alice: db", "silence H2")}, "H1.*; silence H2"),
    ("hold", {"windows": ("deploy on owner team: weekly",)}, "maintenance window deploy on owner"),
    ("deploy", {"deploys": ("deploy of all under way since noon",)}, "deploy of all under way"),
    ("burning", {"barred": "already burning: breached under H1"}, "already burning"),
    ("target", {"already": "pause was already started for E1"}, "already started for E1"),
    ("target", {"busy": "I3 is under way"}, "I3 is under way"),
    ("ready", {"unfinished_by": "bob could not finish it"}, "not ready: bob could not finish it"),
    (
        "ready",
        {"host": "mainnet-2"},
        "belongs to host mainnet-2, whose daemon is not there; this is mainnet-1",
    ),
    ("ready", {"ready": Truth.FALSE, "ready_reason": "no such file"}, "not ready: no such file"),
    ("ready", {"ready": Truth.UNKNOWN, "ready_reason": "not yet"}, "not ready: not yet"),
    ("anchor", {"quarantined": "E3"}, "its content was rolled back by E3: quarantined"),
    ("anchor", {"anchor_margin": 600.0}, "nothing to restore was proven yet"),
    (
        "anchor",
        {
            "anchor_margin": 600.0,
            "anchor": "c0ffee" * 10,
            "anchor_known_by": 1_790_000_000.0,
            "first_bad": 1_790_000_599.0,
        },
        (
            "content c0ffeec0ffee is known only by 2026-09-21 14:13:20Z, and must be by "
            "2026-09-21 14:13:19Z, 10m before what may be the first bad sample"
        ),
    ),
    ("change", {"attribute_within": 3600.0}, "nothing was deployed to flag:redemption within 1h"),
    ("cooldown", {"cooldown_until": 1_790_000_000.0}, "until 2026-09-21 14:13:20Z"),
    ("blast_radius", {"blast_radius": 0}, "1 targets breach at once, more than 0: flag:redemption"),
    ("mode", {"beyond": "up_to pause"}, "up_to pause"),
    ("mode", {"modes": (ModeLimit("rule errors", Mode.OBSERVE),)}, "observe, by rule errors"),
    ("budget", {"budget_used": 4}, "spent: 4 of 4 in 1d"),
)


def closed(*changes: Mapping[str, object]) -> GateInputs:
    together: dict[str, object] = {}
    for change in changes:
        together |= change
    return replace(OPEN, **together)  # type: ignore[arg-type]  # fields by name


def answers_of(gates: tuple[GateAnswer, ...]) -> dict[str, GateAnswer]:
    return {answer.gate: answer for answer in gates}


def test_with_every_gate_open_an_armed_rule_acts() -> None:
    judgement = rule_on(OPEN)
    assert judgement.ruling is Ruling.ALLOWED
    assert tuple(a.gate for a in judgement.gates) == ORDER
    assert all(a.passed for a in judgement.gates)


@pytest.mark.parametrize(("gate", "change", "says"), CLOSED)
def test_each_gate_refuses_by_itself_and_all_are_asked(
    gate: str, change: dict[str, object], says: str
) -> None:
    judgement = rule_on(closed(change))
    assert judgement.ruling is Ruling.REFUSED
    assert judgement.reason.startswith(f"{gate}: ")
    assert re.search(says, judgement.reason)
    answers = answers_of(judgement.gates)
    assert tuple(answers) == ORDER
    assert [name for name, answer in answers.items() if not answer.passed] == [gate]


@pytest.mark.parametrize(
    ("one", "other"),
    [pair for pair in combinations(CLOSED, 2) if pair[0][0] != pair[1][0]],
    ids=lambda closed_gate: closed_gate[0],
)
def test_of_two_refusals_the_earlier_gate_rules_and_both_are_recorded(
    one: tuple[str, dict[str, object], str], other: tuple[str, dict[str, object], str]
) -> None:
    if set(one[1]) & set(other[1]):
        return  # they close by the same field: one of them is all there is
    judgement = rule_on(closed(one[1], other[1]))
    assert judgement.reason.startswith(f"{one[0]}: ")
    refused = {answer.gate for answer in judgement.gates if not answer.passed}
    assert refused == {one[0], other[0]}


def test_every_gate_is_refused_in_some_line_above() -> None:
    assert {gate for gate, _, _ in CLOSED} == set(ORDER)
    assert len(GATES) == len(ORDER)


@pytest.mark.parametrize(
    ("mode", "ruling"),
    [
        (Mode.OBSERVE, Ruling.REFUSED),
        (Mode.SHADOW, Ruling.WOULD_ACT),
        (Mode.APPROVE, Ruling.NEEDS_APPROVAL),
        (Mode.ARMED, Ruling.ALLOWED),
    ],
)
@pytest.mark.parametrize("who", range(3))
def test_the_lowest_mode_counts_whoever_sets_it(mode: Mode, ruling: Ruling, who: int) -> None:
    limits = [ModeLimit("process max_mode", Mode.ARMED), ModeLimit("rule errors", Mode.ARMED)]
    limits.insert(who, ModeLimit("the low one", mode))
    judgement = rule_on(closed({"modes": tuple(limits)}))
    assert judgement.ruling is ruling
    if mode is not Mode.ARMED:
        assert "the low one" in judgement.reason


def test_a_mode_never_opens_what_another_gate_closes() -> None:
    for mode in (Mode.SHADOW, Mode.APPROVE):
        low = {"modes": (ModeLimit("rule", mode),)}
        for gate, change, _ in CLOSED:
            if gate != "mode":
                assert rule_on(closed(low, change)).ruling is Ruling.REFUSED


def test_who_acts_through_a_hold_is_named() -> None:
    judgement = rule_on(closed({"holds": ("hold H1",), "through_hold": "alice"}))
    assert judgement.ruling is Ruling.ALLOWED
    assert answers_of(judgement.gates)["hold"].reason == "alice acts through it"


def test_a_cooldown_does_not_stop_what_follows_an_undo() -> None:
    cooling = {"cooldown_until": 1_790_000_000.0, "cooldown_exempt": True}
    assert rule_on(closed(cooling)).ruling is Ruling.ALLOWED


def test_reasons_carry_no_running_numbers() -> None:
    """Half a second later, refused for the same thing, the words are the same."""
    for _, change, _ in CLOSED:
        if "held_seconds" in change:
            continue
        now, later = closed(change), closed({"held_seconds": 3.5}, change)
        assert rule_on(now).reason == rule_on(later).reason
        assert rule_on(now).gates == rule_on(later).gates


def test_a_sum_of_gaps_may_miss_for_by_float_dust_alone() -> None:
    assert rule_on(closed({"held_seconds": 3.0 - 1e-9})).ruling is Ruling.ALLOWED
    assert rule_on(closed({"held_seconds": 3.0 - 1e-3})).ruling is Ruling.REFUSED


@pytest.mark.parametrize("name", ["environment", "target", "ready", "hold"])
def test_a_persons_command_does_not_overrule(name: str) -> None:
    change = next(change for gate, change, _ in CLOSED if gate == name)
    assert rule_on_command(closed(change)).ruling is Ruling.REFUSED


@pytest.mark.parametrize(
    "name", ["evidence", "burning", "cooldown", "blast_radius", "mode", "budget"]
)
def test_a_persons_command_needs_no(name: str) -> None:
    for gate, change, _ in CLOSED:
        if gate == name:
            assert rule_on_command(closed(change)).ruling is Ruling.ALLOWED
