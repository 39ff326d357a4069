"""Thirty days at 15 s of ten burn rules: our `backtest` beside `promtool test rules`.

Both get the same series, the same rules and the same `for`, each in the form that it reads, and
each is the whole command: start, reading, evaluating. Ten services, each with one rule like the
shipped one: the SRE Workbook's paging alert (1h/5m at 14.4, or 6h/30m at 6), bad events told by
the code of one counter. Each of the two is one process; ours has one thread, promtool as many as
Go likes. Windows of days, which the peer reads again at each step and we do not, are left out:
its engine refuses them in a test, since they hold more than its 10,000 samples.

One runs after the other, and what else the machine does disturbs them alike at best. So the
processor time of both, which that hardly changes, is told beside the wall time. promtool's
collector may let its heap grow further than it would by itself (GOGC), which makes it faster.

promtool tells no firing times, it tests them. So it is given ours: at each, the alert must fire one
interval later and must not fire two intervals before, and there must be exactly as many beginnings
as ours. It fails the measure where one differs. These tests are below 1 % of its work.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.command import Ran, run
from bench.report import Measure, progress
from tests.real_parts.server import program

DAYS = 30
STEP_SECONDS = 15
FOR_SECONDS = 120
_BEGAN = 1_790_000_010 - 1_790_000_010 % STEP_SECONDS
_OBJECTIVE = 0.999
_BUDGET = f"{1 - _OBJECTIVE:.6g}"
_PAIRS = ((0.02, "1h", "5m", 14.4), (0.05, "6h", "30m", 6.0))
_SERVICES = tuple(f"s{number}" for number in range(10))
_SEED = 20_260_901
_ROOT = Path(__file__).resolve().parents[1]
_DEADLINE_SECONDS = 6 * 3600.0
_COUNTED_STEPS = 2880  # at once: few enough for the 10,000 samples of the peer's engine
# More memory for less collecting: about a seventh of promtool's processor time.
_PEER_ENVIRONMENT = {"GOGC": "400", "GOMEMLIMIT": "4GiB"}
TARGET_RATIO = 0.2

Series = dict[str, tuple[list[int], list[int]]]
"""By service: requests that were served, and that failed, at each step."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Steps in which a share of a service's requests fails."""

    first: int
    last: int
    ratio: float


async def measure(folder: Path, days: float = DAYS) -> Measure:
    """Wall seconds of both commands, and that they agree. Raises RuntimeError where they do not."""
    steps = round(days * 86_400 / STEP_SECONDS) + 1
    series = {service: _series(service, steps) for service in _SERVICES}
    _write_ours(folder, series)
    ours, found = await _ours(folder)
    progress(f"backtest_30d: ours {ours.told}; it found {len(found)} firings")
    _write_peer(folder, series, found, steps)
    words = (program("promtool", "prometheus"), "test", "rules", "test.yml")
    # A promtool that is killed leaves its storage behind: in the measure's own folder, then.
    environment = {**_PEER_ENVIRONMENT, "TMPDIR": str(folder)}
    peer = await run(words, folder, environment, deadline_seconds=_DEADLINE_SECONDS)
    progress(f"backtest_30d: promtool {peer.told}")
    if peer.status or "SUCCESS" not in peer.text:
        raise RuntimeError(f"promtool finds other firing times: {peer.text[-3000:]}")
    more = {
        "target_ratio": TARGET_RATIO,
        "cpu_seconds": {"ours": ours.cpu_seconds, "peer": peer.cpu_seconds},
        "cpu_ratio": ours.cpu_seconds / peer.cpu_seconds,
        "peak_mebibytes": {"ours": ours.peak_mebibytes, "peer": peer.peak_mebibytes},
        "days": days,
        "rules": len(_SERVICES),
        "series": 2 * len(_SERVICES),
        "steps": steps,
        "firings": len(found),
        "same_firings_within_seconds": STEP_SECONDS,
        "processes": {"ours": 1, "peer": 1},
    }
    return Measure("backtest_30d", ours.wall_seconds, peer.wall_seconds, "seconds", 1, more)


# -- the past --------------------------------------------------------------------------------------


def _series(service: str, steps: int) -> tuple[list[int], list[int]]:
    """Counters of served and of failed requests: more by day than by night, troubled at times."""
    dice = random.Random(f"{_SEED} {service}")  # noqa: S311  # no secret
    troubles = list(_troubles(dice, steps))
    good = bad = 0
    goods, bads = [], []
    for step in range(steps):
        ratio = next((t.ratio for t in troubles if t.first <= step < t.last), 0.0)
        by_day = 1.0 + 0.5 * ((step * STEP_SECONDS / 43_200) % 2 - 1)
        came = round(300 * by_day * dice.uniform(0.8, 1.2))
        failed = round(came * ratio) if ratio else int(dice.random() < 0.05)
        good, bad = good + came - failed, bad + failed
        goods.append(good)
        bads.append(bad)
    return goods, bads


def _troubles(dice: random.Random, steps: int) -> Iterator[_Trouble]:
    """About one every two days, from minutes to hours; none before the longest window is full."""
    first = dice.randrange(2000, 6000)
    while first + 1500 < steps:
        minutes = dice.choice((4, 15, 40, 120, 240))
        ratio = dice.choice((0.01, 0.02, 0.05, 0.2, 1.0))
        yield _Trouble(first, first + minutes * 60 // STEP_SECONDS, ratio)
        first += dice.randrange(6000, 18_000)


# -- ours ------------------------------------------------------------------------------------------


def _write_ours(folder: Path, series: Series) -> None:
    platform = {
        "version": 1,
        "environment": "bench",
        "sources": {"app": {"scrape": "http://127.0.0.1:9/metrics", "every": f"{STEP_SECONDS}s"}},
    }
    burn = [
        {"budget": f"{budget:.0%}", "long": long, "short": short}
        for budget, long, short, _ in _PAIRS
    ]
    rules = {
        service: {
            "severity": "P1",
            "source": "app",
            "slo": {
                "objective": f"{_OBJECTIVE:%}",
                "bad": _selector(service, 'code=~"5.."'),
                "total": _selector(service),
                "burn": burn,
            },
            "for": f"{FOR_SECONDS}s",
        }
        for service in _SERVICES
    }
    (folder / "rules" / "team").mkdir(parents=True)
    (folder / "rules" / "platform.yaml").write_text(json.dumps(platform), encoding="utf-8")
    text = json.dumps({"version": 1, "rules": rules})
    (folder / "rules" / "team" / "rules.yaml").write_text(text, encoding="utf-8")
    with (folder / "past.om").open("w", encoding="utf-8") as file:
        file.write("# TYPE requests counter\n")
        for service, code, values in _coded(series):
            head = _selector(service, f'code="{code}"')
            file.writelines(
                f"{head} {value} {_BEGAN + STEP_SECONDS * step}\n"
                for step, value in enumerate(values)
            )
        file.write("# EOF\n")


async def _ours(folder: Path) -> tuple[Ran, list[tuple[str, int]]]:
    """What it took, and (rule, seconds after the beginning) of each firing."""
    words = (sys.executable, "-m", "watchdog", "backtest", "rules", "--json")
    past = ("--openmetrics", "past.om", "--undo-after", "15s")
    environment = {"PYTHONPATH": str(_ROOT)}
    ran = await run((*words, *past), folder, environment, deadline_seconds=_DEADLINE_SECONDS)
    if ran.status:
        raise RuntimeError(f"backtest: {ran.text[-2000:]}")
    document = json.loads(ran.text)
    if document["left_out"] or document["failures"]:
        raise RuntimeError(f"not all rules were replayed: {document['left_out']}")
    fired = [
        (each["rule"], round(datetime.fromisoformat(each["fired"]).timestamp()) - _BEGAN)
        for each in document["episodes"]
        if each["fired"] is not None
    ]
    return ran, fired


# -- the peer --------------------------------------------------------------------------------------


def _write_peer(
    folder: Path,
    series: Series,
    found: Sequence[tuple[str, int]],
    steps: int,
) -> None:
    alerts = [
        {
            "alert": service,
            "expr": " or ".join(
                f"({_share(service, long)} > ({factor} * {_BUDGET}) and "
                f"{_share(service, short)} > ({factor} * {_BUDGET}))"
                for _, long, short, factor in _PAIRS
            ),
            "for": f"{FOR_SECONDS}s",
        }
        for service in _SERVICES
    ]
    group = {"name": "burn", "interval": f"{STEP_SECONDS}s", "rules": alerts}
    (folder / "burn.json").write_text(json.dumps({"groups": [group]}), encoding="utf-8")
    tests = [*_beginnings(found), *_count(found, steps)]
    inputs = [
        {"series": _selector(service, f'code="{code}"'), "values": " ".join(map(str, values))}
        for service, code, values in _coded(series)
    ]
    test = {"interval": f"{STEP_SECONDS}s", "input_series": inputs, "promql_expr_test": tests}
    document = {
        "rule_files": ["burn.json"],
        "evaluation_interval": f"{STEP_SECONDS}s",
        "tests": [test],
    }
    (folder / "test.yml").write_text(json.dumps(document), encoding="utf-8")


def _beginnings(found: Sequence[tuple[str, int]]) -> Iterator[dict[str, Any]]:
    """It fires one interval after ours at the latest, and one before at the earliest."""
    for rule, at in found:
        fires = f'ALERTS{{alertname="{rule}", alertstate="firing"}}'
        labels = f'ALERTS{{alertname="{rule}", alertstate="firing"}}'
        after, before = at + STEP_SECONDS, at - 2 * STEP_SECONDS
        sample = {"labels": labels, "value": 1}
        yield {"expr": fires, "eval_time": f"{after}s", "exp_samples": [sample]}
        yield {"expr": fires, "eval_time": f"{before}s", "exp_samples": []}


def _count(found: Sequence[tuple[str, int]], steps: int) -> Iterator[dict[str, Any]]:
    """As many beginnings as ours, in every stretch."""
    end, most = (steps - 1) * STEP_SECONDS, _COUNTED_STEPS * STEP_SECONDS
    for rule in _SERVICES:
        fires = f'ALERTS{{alertname="{rule}", alertstate="firing"}}'
        for after in range(0, end, most):
            until = min(end, after + most)
            # A range of 2.42 holds its left edge, which is the last stretch's.
            begins = f"({fires} unless {fires} offset {STEP_SECONDS}s)"
            begins += f"[{until - after - 1}s:{STEP_SECONDS}s]"
            number = sum(one == rule and after < at <= until for one, at in found)
            labels = f'{{alertname="{rule}", alertstate="firing"}}'
            expected = [{"labels": labels, "value": number}] if number else []
            yield {
                "expr": f"count_over_time({begins})",
                "eval_time": f"{until}s",
                "exp_samples": expected,
            }


def _share(service: str, window: str) -> str:
    """As the common generators of such rules write it."""
    bad = _selector(service, 'code=~"5.."')
    return f"sum(rate({bad}[{window}])) / sum(rate({_selector(service)}[{window}]))"


def _selector(service: str, more: str = "") -> str:
    return f'requests_total{{service="{service}"{"," if more else ""}{more}}}'


def _coded(series: Series) -> Iterator[tuple[str, str, list[int]]]:
    """(service, code, counts) of every series."""
    for service, (good, bad) in series.items():
        yield service, "200", good
        yield service, "500", bad
