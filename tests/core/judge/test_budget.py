"""What is left of an error budget: told over the whole period, deciding nothing."""

from __future__ import annotations

import json
import math
import zlib

import pytest

from tests.core.judge.scene import Service, availability, error_rate, rule, watched
from tests.core.windows.polls import Polls, instant
from watchdog.core.judge import Budget, Judge
from watchdog.core.spec import BurnPair
from watchdog.core.windows import Tally, period_bucket_seconds

DAY = 86400.0
PAIR = BurnPair(0.02, 3600.0, 300.0, 14.4)


def budget(service: Service) -> Budget:
    assert service.last is not None
    found = service.judge.budget(service.last.at)
    assert found is not None
    return found


def objective(every: float = 300.0) -> Service:
    return watched(availability(PAIR, objective=0.99), every=every)


def test_half_a_budget_is_left_when_half_of_what_it_allows_has_failed() -> None:
    service = objective()
    service.run(30 * 288, ok=995, failed=5)
    found = budget(service)
    assert found.remaining == pytest.approx(0.5, abs=1e-3)
    assert found.coverage == pytest.approx(1.0, abs=2e-3)
    assert found.burn == pytest.approx(0.5)
    assert found.burn_seconds == 3600.0
    assert found.exhausted_in_seconds == pytest.approx(30 * DAY, rel=1e-2)


def test_what_nobody_saw_counts_as_good() -> None:
    service = objective()
    service.run(288, ok=970, failed=30)
    found = budget(service)
    assert found.coverage == pytest.approx(1 / 30, rel=1e-2)
    assert found.remaining == pytest.approx(1 - 3 / 30, rel=1e-2)
    assert found.exhausted_in_seconds == pytest.approx(0.9 * 10 * DAY, rel=2e-2)


def test_an_overspent_budget_is_below_zero_and_gone_at_once() -> None:
    service = objective()
    service.run(30 * 288, ok=97, failed=3)
    assert budget(service).remaining == pytest.approx(-2.0, abs=1e-2)
    assert budget(service).exhausted_in_seconds == 0.0


def test_a_budget_that_nothing_burns_lasts_for_ever() -> None:
    service = objective()
    service.run(20, ok=100)
    assert (budget(service).remaining, budget(service).exhausted_in_seconds) == (1.0, math.inf)


def test_without_an_objective_or_without_traffic_there_is_no_budget() -> None:
    ratio = watched(error_rate())
    ratio.run(3, ok=10)
    assert ratio.last is not None
    assert ratio.judge.budget(ratio.last.at) is None
    assert Judge(rule(availability())).budget(instant(0)) is None


def test_the_period_of_a_budget_costs_little_room() -> None:
    assert period_bucket_seconds(30 * DAY) == 3600.0
    assert period_bucket_seconds(7 * DAY) == 900.0
    alone = Tally(15.0, (3600.0, 300.0)).bytes_held
    assert Tally(15.0, (3600.0, 300.0), 30 * DAY).bytes_held < alone + 8000
    longest = Tally(15.0, (30 * DAY, 300.0))
    assert Tally(15.0, (30 * DAY, 300.0), 30 * DAY).bytes_held == longest.bytes_held


def counted(period: float | None) -> Polls:
    polls = Polls(Tally(5.0, (30.0, 7200.0), period))
    polls.poll()
    for _ in range(3000):
        polls.step(ok=20, failed=1)
    return polls


def test_a_period_goes_on_after_a_restart() -> None:
    polls, tally = counted(7 * DAY), Tally(5.0, (30.0, 7200.0), 7 * DAY)
    assert tally.restore(polls.tally.checkpoint())
    now = instant(polls.at)
    assert tally.read(7 * DAY, now) == polls.tally.read(7 * DAY, now)


@pytest.mark.parametrize("before", [None, 30 * DAY])
def test_a_checkpoint_without_it_or_with_another_keeps_its_windows(before: float | None) -> None:
    polls, tally = counted(before), Tally(5.0, (30.0, 7200.0), 7 * DAY)
    assert tally.restore(polls.tally.checkpoint())
    now = instant(polls.at)
    assert tally.read(7200.0, now) == polls.tally.read(7200.0, now)
    assert tally.read(7 * DAY, now).coverage == 0
    went_on = Polls(tally, 5.0, polls.at, polls.ok, polls.failed)
    went_on.step(ok=20, failed=1)
    assert tally.read(7 * DAY, instant(went_on.at)).total == 21


def test_a_damaged_period_is_refused() -> None:
    packed = zlib.decompress(counted(7 * DAY).tally.checkpoint())
    size = int.from_bytes(packed[:4], "big")
    head, body = json.loads(packed[4 : 4 + size]), packed[4 + size :]
    head["period"][2][5] = "xx"
    text = json.dumps(head, separators=(",", ":")).encode()
    damaged = zlib.compress(len(text).to_bytes(4, "big") + text + body)
    assert not Tally(5.0, (30.0, 7200.0), 7 * DAY).restore(damaged)


def told(remaining: float, burn: float, coverage: float = 1.0) -> tuple[str, str]:
    lasts = remaining * 30 * 86400 / burn if burn else math.inf
    budget = Budget(0.999, 30 * 86400.0, remaining, coverage, burn, 3600.0, max(0.0, lasts))
    return budget.left, budget.outlook


def test_people_are_told_what_is_left_and_for_how_long() -> None:
    whole = "of 0.1% of events in 30d"
    assert told(0.82, 1.2) == (f"82% {whole}", "gone in about 20d at a burn of 1.2 over 1h")
    assert told(0.5, 100.0) == (f"50% {whole}", "gone in about 3h36m at a burn of 100 over 1h")
    assert told(0.0001, 1.0)[1] == "gone in about 4m19s at a burn of 1 over 1h"
    assert told(1.0, 0.0) == (f"100% {whole}", "nothing burns over 1h")
    assert told(-0.2, 3.0) == (f"overspent by 20% {whole}", "it is spent")
    assert told(0.82, 0.0, coverage=0.25)[0] == (
        f"82% {whole}; 25% of that time was seen, the rest counts as good"
    )
