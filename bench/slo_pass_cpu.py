"""Ten thousand objectives of eight windows: the processor time of one pass, per objective.

Ours is what `slo_pass.py` counts, in a process of its own: from the samples to the draft.

The peer is real Prometheus with the same burn rates as alerting rules, one a pair, over a 30-day
history at the same 15 s that promtool made into blocks beforehand. Counted is what its process
takes for evaluations, less what it takes at rest, divided by evaluations and objectives: no
scraping, no storing, no Alertmanager. It is measured on fewer objectives, since its cost is each
one's own; all blocks lie in the page cache, and each objective has the same 12 series on both
sides. `lean` is told beside it: objectives of two series, the least that there can be, for which
the peer has a sixth of the samples to read, while most of our cost is not the series'.

That our cost does not grow with the windows is measured on fewer objectives too: windows up to an
hour beside windows up to 90 days.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import sys
import time
from pathlib import Path
from statistics import fmean
from typing import Any

import httpx
import psutil

from bench.report import Measure, progress
from bench.slo_pass import CODES, EVERY_SECONDS, INSTANCES, OBJECTIVE, WINDOWS, Pair
from tests.real_parts import RealPrometheus
from tests.real_parts.backfill import backfill
from watchdog.core.text import duration

TARGET_RATIO = 0.01
SLOS = 10_000
_FEWER = 500
_PEER_SLOS = 2
_HISTORY_SECONDS = 30 * 86400
_REST_SECONDS = 5.0
_EVALUATIONS = 20
_ROOT = Path(__file__).resolve().parents[1]


async def measure(folder: Path) -> Measure:
    """Processor seconds for one objective and pass."""
    progress("slo_pass_cpu: backfilling the peer's 30 days")
    wide = {f"wide{n}": list(itertools.product(CODES, INSTANCES)) for n in range(_PEER_SLOS)}
    lean = {f"lean{n}": [("200", "a:80"), ("503", "a:80")] for n in range(_PEER_SLOS)}
    history = folder / "prometheus" / "data"
    await asyncio.to_thread(_write_history, history, {**wide, **lean})
    pairs = WINDOWS["workbook"]
    # What else the machine does changes the price of a processor second: the peer is measured
    # before and after ours.
    peers = [await _peer(folder, list(wide), pairs)]
    ours = await _ours("workbook", SLOS, len(CODES) * len(INSTANCES))
    peers.append(await _peer(folder, list(wide), pairs))
    peers_lean = [await _peer(folder, list(lean), pairs)]
    ours_lean = await _ours("workbook", _FEWER, 2)
    peers_lean.append(await _peer(folder, list(lean), pairs))
    peer, peer_lean = fmean(peers), fmean(peers_lean)
    short, long = [await _ours(w, _FEWER, 2) for w in ("minutes", "quarter")]
    per_slo = ours["pass_cpu_seconds"] / SLOS
    more = {
        "target_ratio": TARGET_RATIO,
        "slos": SLOS,
        "windows_per_slo": 2 * len(pairs),
        "series_per_slo": len(CODES) * len(INSTANCES),
        "whole_pass_cpu_seconds": ours["pass_cpu_seconds"],
        "worst_pass_cpu_seconds": ours["worst_pass_cpu_seconds"],
        "pass_without_samples_cpu_seconds": ours["idle_pass_cpu_seconds"],
        "windows_bytes_per_slo": ours["windows_bytes_per_slo"],
        "resident_mebibytes": ours["resident_bytes"] / 2**20,
        "peer_slos": _PEER_SLOS,
        "peer_before_and_after": peers,
        "lean": {
            "series_per_slo": 2,
            "ours": ours_lean["pass_cpu_seconds"] / _FEWER,
            "peer": peer_lean,
            "ratio": ours_lean["pass_cpu_seconds"] / _FEWER / peer_lean,
        },
        "windows_up_to_90d_over_windows_up_to_1h": long["pass_cpu_seconds"]
        / short["pass_cpu_seconds"],
    }
    return Measure("slo_pass_cpu", per_slo, peer, "CPU seconds per SLO and pass", 1, more)


async def _ours(windows: str, slos: int, series: int) -> dict[str, float]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.slo_pass"),
        *("--slos", str(slos), "--windows", windows, "--series", str(series)),
        stdout=asyncio.subprocess.PIPE,
        cwd=_ROOT,
        env=dict(os.environ),
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"bench.slo_pass ended with status {process.returncode}")
    found: dict[str, float] = json.loads(out)
    progress(f"slo_pass_cpu: {slos} objectives, {windows}, {series} series each: {found}")
    return found


# -- the peer --------------------------------------------------------------------------------------


def _write_history(data: Path, slos: dict[str, list[tuple[str, str]]]) -> None:
    chance = random.Random(1)  # noqa: S311  # traffic that no compression makes small
    step, end = round(EVERY_SECONDS), int(time.time())
    polls = _HISTORY_SECONDS // step
    series: dict[str, list[int]] = {}
    for slo, labels in slos.items():
        for code, instance in labels:
            most = 1200 if code == CODES[0] else 2
            steps = (int(chance.random() * most) for _ in range(polls))
            text = f'requests_total{{slo="{slo}",code="{code}",instance="{instance}"}}'
            series[text] = list(itertools.accumulate(steps))
    start = end - end % step - (polls - 1) * step
    backfill(data, series, start=start, step_seconds=step)


def _rules(slo: str, pairs: tuple[Pair, ...]) -> list[dict[str, Any]]:
    def ratio(seconds: float) -> str:
        over = f"[{duration(seconds)}]"
        bad = f'sum(rate(requests_total{{slo="{slo}",code=~"5.."}}{over}))'
        return f'{bad} / sum(rate(requests_total{{slo="{slo}"}}{over}))'

    return [
        {
            "alert": f"{slo}_{duration(long)}",
            "expr": f"({ratio(long)} > {factor * (1 - OBJECTIVE):g}) "
            f"and ({ratio(short)} > {factor * (1 - OBJECTIVE):g})",
        }
        for long, short, factor in pairs
    ]


async def _peer(folder: Path, slos: list[str], pairs: tuple[Pair, ...]) -> float:
    """Processor seconds of one objective's rules, evaluated once."""
    rules = [rule for slo in slos for rule in _rules(slo, pairs)]
    group = {"name": "burn", "interval": "1s", "rules": rules}
    kept = ("--storage.tsdb.retention.time=100d",)
    async with RealPrometheus.start(folder, options=kept) as resting:
        await asyncio.sleep(_REST_SECONDS)  # what a start brings with it
        began = _cpu(resting)
        await asyncio.sleep(_REST_SECONDS)
        rest = (_cpu(resting) - began) / _REST_SECONDS
    async with RealPrometheus.start(folder, rules=[group], options=kept) as prometheus:
        await asyncio.sleep(_REST_SECONDS)
        before, began, since = await _evaluated(prometheus), _cpu(prometheus), time.monotonic()
        wanted = before + _EVALUATIONS * len(rules)
        while await _evaluated(prometheus) < wanted:  # noqa: ASYNC110  # another process counts
            await asyncio.sleep(0.5)
        seconds, done = time.monotonic() - since, await _evaluated(prometheus) - before
        took = _cpu(prometheus) - began - rest * seconds
        await _check(prometheus, slos)
    each = took / (done / len(pairs))
    progress(f"slo_pass_cpu: peer with {slos}: {each:.4f} s, at rest {rest:.4f} s a second")
    return each


def _cpu(prometheus: RealPrometheus) -> float:
    times = psutil.Process(prometheus.process.pid).cpu_times()
    return float(times.user + times.system)


async def _evaluated(prometheus: RealPrometheus) -> float:
    """How many rules have been evaluated. Raises RuntimeError where one failed."""
    async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
        page = (await client.get(prometheus.url + "/metrics")).text
    numbers = {
        name: sum(float(x.split()[-1]) for x in page.splitlines() if x.startswith(name + "{"))
        for name in (
            "prometheus_rule_evaluations_total",
            "prometheus_rule_evaluation_failures_total",
        )
    }
    evaluations, failures = numbers.values()
    if failures:
        raise RuntimeError("the peer could not evaluate its rules")
    return evaluations


async def _check(prometheus: RealPrometheus, slos: list[str]) -> None:
    """Raises RuntimeError unless the peer sees every objective's 30 days."""
    async with httpx.AsyncClient(trust_env=False, timeout=30.0) as client:
        for slo in slos:
            query = f'min(count_over_time(requests_total{{slo="{slo}"}}[30d]))'
            answer = await client.get(f"{prometheus.url}/api/v1/query", params={"query": query})
            result = answer.raise_for_status().json()["data"]["result"]
            seen = float(result[0]["value"][1]) if result else 0.0
            if seen < 0.99 * _HISTORY_SECONDS / EVERY_SECONDS:
                raise RuntimeError(f"the peer has only {seen:g} samples of each series of {slo}")
