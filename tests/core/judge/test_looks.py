"""Rules that look by themselves: how many looks must fail, and what blindness proves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import pytest

from tests.core.judge.scene import WALL, rule
from watchdog.core.judge.looked import ProbeJudge, judge_of
from watchdog.core.judge.stored import NotStored, judge_stored
from watchdog.core.probes import Probed, TcpProbe
from watchdog.core.samples import Failure, Fault, Look, Reading
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Blind, Instant, Status, Truth, Verdict

HELD, FAILED, UNSEEN = True, False, None
EVERY = 10.0


def probe(fails: int = 3, looks: int = 5, about: str = "db:5432") -> RuleSpec:
    return rule(Probed(fails, looks, about, TcpProbe("db", 5432)), every=EVERY)


def at(seconds: float) -> Instant:
    return Instant(WALL + seconds, seconds)


def reading(seconds: float, seen: bool | None) -> Reading:  # noqa: FBT001  # what a look saw
    if seen is None:
        failure = Failure(Fault.OURS, Blind.UNREACHABLE, "the name has no address")
        return Reading("probe:public", at(seconds), 0.1, failure=failure)
    reason = "accepts connections" if seen else "refused"
    return Reading("probe:public", at(seconds), 0.1, look=Look(seen, reason))


def looked(judge: ProbeJudge, seen: Sequence[bool | None], start: float = 0.0) -> list[Verdict]:
    readings = [reading(start + number * EVERY, each) for number, each in enumerate(seen)]
    return [judge.observe(each, {}, each.at) for each in readings]


def judge(fails: int = 3, looks: int = 5) -> ProbeJudge:
    made = judge_of(probe(fails, looks))
    assert isinstance(made, ProbeJudge)
    return made


def test_three_of_the_last_five_looks_make_a_breach() -> None:
    verdicts = looked(judge(), [HELD, HELD, HELD, FAILED, HELD, FAILED, FAILED])
    assert [each.status.value for each in verdicts] == [
        "blind", "blind", "healthy", "healthy", "healthy", "healthy", "breached",
    ]  # fmt: skip
    assert verdicts[-1].reason == (
        "3 of the last 5 looks failed, 3 of 5 are a breach; the newest: refused"
    )
    assert (verdicts[-1].value, verdicts[-1].bound) == (3.0, ">= 3")
    assert verdicts[2].clear


@pytest.mark.parametrize(("fails", "looks"), [(1, 1), (2, 3), (3, 5), (1, 3), (3, 3)])
def test_a_verdict_holds_whatever_the_unseen_looks_were(fails: int, looks: int) -> None:
    """Each way to fill in what was not seen must lead to the verdict that was given."""
    for seen in product([HELD, FAILED, UNSEEN], repeat=looks + 1):
        verdict = looked(judge(fails, looks), seen)[-1]
        last = seen[-looks:]
        fewest, most = last.count(FAILED), last.count(FAILED) + last.count(UNSEEN)
        if seen[-1] is UNSEEN:
            assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.UNREACHABLE)
        elif fewest >= fails:
            assert verdict.status is Status.BREACHED, seen
        elif most < fails:
            assert verdict.status is Status.HEALTHY, seen
        else:
            assert (verdict.status, verdict.blind) == (Status.BLIND, Blind.TOO_FEW_EVENTS), seen


def test_blindness_that_pushes_the_failures_out_does_not_end_the_breach() -> None:
    verdicts = looked(judge(), [FAILED] * 5 + [UNSEEN] * 4 + [HELD] * 3)
    assert [each.status for each in verdicts[5:]] == [Status.BLIND] * 6 + [Status.HEALTHY]


def test_looks_of_long_ago_are_not_among_the_last() -> None:
    watched = judge()
    looked(watched, [FAILED, FAILED])
    (verdict,) = looked(watched, [FAILED], start=3600.0)
    assert verdict.status is Status.BLIND
    assert "1 of the last 1 looks failed" in verdict.reason


def test_a_rule_that_is_not_looked_at_any_more_grows_stale() -> None:
    watched = judge(1, 1)
    looked(watched, [HELD])
    assert watched.tick(at(20)).status is Status.HEALTHY
    assert watched.tick(at(20.1)).blind is Blind.STALE


def test_recovery_is_proven_by_looks_after_the_effect_alone() -> None:
    watched = judge()
    looked(watched, [FAILED] * 5)
    assert watched.recovered_since(at(41), at(41)).truth is Truth.UNKNOWN
    looked(watched, [HELD, HELD], start=50)
    assert watched.recovered_since(at(41), at(61)).truth is Truth.UNKNOWN
    looked(watched, [HELD], start=70)
    assert watched.recovered_since(at(41), at(71)).truth is Truth.TRUE


def test_an_effect_that_did_not_help_is_proven_too() -> None:
    watched = judge()
    looked(watched, [HELD] * 2 + [FAILED] * 3)
    looked(watched, [FAILED] * 3, start=50)
    assert watched.recovered_since(at(41), at(71)).truth is Truth.FALSE
    looked(watched, [UNSEEN], start=80)
    assert watched.recovered_since(at(41), at(81)).truth is Truth.UNKNOWN


def test_a_restart_goes_on_with_the_looks_that_it_knew() -> None:
    before, after = judge(), judge()
    looked(before, [FAILED, UNSEEN, FAILED])
    assert after.restore(before.checkpoint())
    (verdict,) = looked(after, [FAILED], start=30)
    assert verdict.status is Status.BREACHED


@pytest.mark.parametrize(
    "kept",
    [b"", b"{}", b"[]", b"null", b'{"version":1,"about":"db:5432","looks":[[0,"yes"]]}', b"\xff"],
)
def test_a_damaged_checkpoint_is_left_aside(kept: bytes) -> None:
    assert not judge().restore(kept)


def test_a_checkpoint_of_another_probe_is_left_aside() -> None:
    other = judge_of(probe(about="cache:6379"))
    assert not judge().restore(other.checkpoint())


def test_a_stored_decision_is_judged_again_to_the_letter() -> None:
    for seen in product([HELD, FAILED, UNSEEN], repeat=5):
        watched = judge(2, 3)
        verdict = looked(watched, seen)[-1]
        if seen[-1] is UNSEEN:
            with pytest.raises(NotStored):
                judge_stored(watched.rule.signal, 0, (), watched.points)
        else:
            again = judge_stored(watched.rule.signal, 0, (), watched.points)
            assert again.verdict(verdict.at, verdict.sampled_at) == verdict


def test_a_reading_without_a_look_is_our_own_fault() -> None:
    empty = replace(reading(0, HELD), look=None)
    assert judge(1, 1).observe(empty, {}, empty.at).blind is Blind.OURS
