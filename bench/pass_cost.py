"""From samples in to intent recorded: what a pass costs when it decides to act.

The engine, the policy and the journal on disk are the real ones; the clock is stepped, so that a
run needs no waiting, and the samples are those of the sandbox's own metrics page. The time goes
from handing over the reading to the moment at which the runner may act, which is after the
commit. Nothing is acted on.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from bench.daemon import ENVIRONMENT, OWNER
from bench.lanes import FAILING, WINDOW_SECONDS
from bench.report import Measure, progress, spread
from bench.rules import ALL, SOURCE, hundred_rules
from watchdog.actions import open_actuator, open_probe
from watchdog.core.entries import IntentOpened, Recorded
from watchdog.core.samples import Reading
from watchdog.core.spec import Policy, SourceSpec
from watchdog.core.words import Instant, Mode
from watchdog.engine import Engine, Ports, Process
from watchdog.policy import load_files
from watchdog.ports import MetricSource
from watchdog.sandbox import exposition as pages
from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.workload import Segment, Workload
from watchdog.sources import open_source
from watchdog.sources.exposition import Exposition, Form
from watchdog.store import SoleLease, SqliteHistory, SqliteJournal
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

RUNS = 30
_ARMED = "redemption-error-rate"
_HEALTHY_POLLS = 12
_MOST_POLLS = 5


class _SteppedClock:
    """Implements `ports.Clock`; moves only when it is told to."""

    def __init__(self) -> None:
        self.at = Instant(1_800_000_000.0, 1000.0)

    def now(self) -> Instant:
        return self.at


async def measure(folder: Path) -> Measure:
    """p50 with a hundred rules; the numbers with one rule beside it."""
    found: dict[int, list[float]] = {}
    async with Sandbox.start(folder / "mycelia") as sandbox:
        wire = Wire(FileSecrets([sandbox.root / "secrets"]))
        (sandbox.root / "secrets").mkdir()
        (sandbox.root / "secrets" / "governance").write_text(sandbox.token, encoding="utf-8")
        for number in (1, ALL):
            policy = _policy(sandbox, number)
            found[number] = [
                await _run(folder / f"{number}-{run}", policy, wire) for run in range(RUNS)
            ]
            progress(f"pass_cost: {number} rules: {spread(found[number])}")
        await wire.aclose()
    more = {
        "p95": spread(found[ALL])["p95"],
        "rules": ALL,
        "with_1_rule": spread(found[1]),
        f"with_{ALL}_rules": spread(found[ALL]),
    }
    return Measure("pass_cost", spread(found[ALL])["p50"], None, "seconds", RUNS, more)


async def _run(state: Path, policy: Policy, wire: Wire) -> float:
    clock = _SteppedClock()
    SqliteJournal.create(state)
    journal, history = SqliteJournal.open(state), SqliteHistory.open(state)

    def source(spec: SourceSpec) -> MetricSource:
        return open_source(spec, wire)

    ports = Ports(
        journal, history, SoleLease(clock), clock, open_actuator(wire), open_probe(wire), source
    )
    process = Process("bench", "bench", ENVIRONMENT, Mode.ARMED, time_sync_required=False)
    engine = Engine(ports, process)
    heard_at: list[float] = []

    def hear(recorded: Recorded) -> None:
        if isinstance(recorded.entry, IntentOpened):
            heard_at.append(time.perf_counter())

    engine.recorder.listen(hear)
    engine.begin(0.0, lambda: "bench")
    engine.adopt(policy, None)
    await engine.preflight.look()
    start = clock.at
    healthy = Segment(start.steady - 100, 200.0, 0.0, 0.02, flowing=True)
    workload = Workload(start.wall - 100, start.steady - 100, (healthy,))
    workload = workload.changed(start.steady + _HEALTHY_POLLS - 0.5, error_ratio=FAILING)
    try:
        for poll in range(_HEALTHY_POLLS + _MOST_POLLS):
            clock.at = start.plus(poll)
            reading = await _reading(workload, clock.at)
            began = time.perf_counter()
            engine.arrived(reading)
            if heard_at:
                return heard_at[0] - began
        raise RuntimeError(f"nothing was decided: {engine.memory.verdict(_ARMED)}")
    finally:
        await engine.runner.drain(0.0)
        history.close()
        journal.close()


async def _reading(workload: Workload, at: Instant) -> Reading:
    page = pages.page(workload, workload.counts(at.steady), pages.Dress()).encode()
    samples = await Exposition().read(page, Form.TEXT, None, at.wall, max_series=10_000)
    return Reading(SOURCE, at, 0.001, samples=samples, up={"mycelia": True})


def _policy(sandbox: Sandbox, number: int) -> Policy:
    flag = f"{sandbox.url}/api/feature-flags/{REDEMPTION}"
    token = {"Authorization": {"secret": "governance", "prefix": "Bearer "}}
    call = {"method": "PUT", "url": flag, "headers": token, "json": {"enabled": False}}
    platform = {
        "version": 1,
        "environment": ENVIRONMENT,
        "sources": {SOURCE: {"scrape": sandbox.metrics_url, "every": "1s"}},
        "actions": {
            "pause": {
                "flag": REDEMPTION,
                "read_back": {"get": flag},
                "do": {"call": call, "expect": "enabled == `false`"},
                "deadline": "10s",
            }
        },
        "playbooks": {"redemption": [{"action": "pause", "mode": "armed"}]},
        "grants": {OWNER: ["redemption", "pause"]},
    }
    armed: dict[str, Any] = {
        "severity": "P0",
        "source": SOURCE,
        "threshold": {
            "bad": 'redemption_requests_total{code=~"5.."}',
            "total": "redemption_requests_total",
            "over": f"{WINDOW_SECONDS:g}s",
            "breach_when": "> 5%",
        },
        "playbook": "redemption",
        "mode": "armed",
        "armed_because": "it is measured how fast it decides",
        "override": "measured without `for`",
        "runbook": "docs/benchmarks.md",
    }
    others = list(hundred_rules().items())[: number - 1]
    files = {
        "platform.yaml": platform,
        f"{OWNER}/rules.yaml": {"version": 1, "rules": {**dict(others), _ARMED: armed}},
    }
    load = load_files({name: json.dumps(text) for name, text in files.items()}, ENVIRONMENT)
    if load.policy is None or load.errors:
        raise RuntimeError("\n".join(problem.text for problem in load.errors))
    return load.policy
