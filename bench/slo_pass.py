"""One process that judges many objectives, for what a pass costs: prints a JSON object.

    python -m bench.slo_pass --slos 10000 --windows workbook --series 12

The pass is the daemon's own (`core.Evaluation`) over an embedded source. Counted is its processor
time from a reading's samples to the draft of what is to be recorded: keeping the samples, finding
each selector's series, counting, judging, and every rule's turn. Not counted is how the samples
came: fetching and parsing a page, as with the peer, whose scraping is not counted either.

Every objective has a metric of its own; of 12 series (4 codes, 3 instances) 6 are bad. Their
windows are full: one tally counts the history poll by poll, all others go on from its checkpoint.
The measured passes cross a five-minute boundary, which every twentieth does in life.
"""

from __future__ import annotations

import argparse
import gc
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from types import MappingProxyType

import psutil

from watchdog.core.book import Book
from watchdog.core.draft import Draft
from watchdog.core.evaluation import Evaluation
from watchdog.core.inputs import Facts
from watchdog.core.memory import Memory
from watchdog.core.samples import Labels, Point, Reading, Sample
from watchdog.core.spec import BurnPair, Counters, Policy, RuleSpec, Slo
from watchdog.core.windows import Tally
from watchdog.core.words import Instant, Mode, Status
from watchdog.policy import load_files

EVERY_SECONDS = 15.0
CODES = ("200", "404", "500", "503")
INSTANCES = ("a:80", "b:80", "c:80")
OBJECTIVE = 0.999
_PASSES = 5
START = Instant(1_800_000_000.0 - 45, 50_000_000.0 - 45)  # the third poll begins a new bucket
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0

Pair = tuple[float, float, float]  # long, short, factor

WINDOWS: Mapping[str, tuple[Pair, ...]] = MappingProxyType(
    {
        # Of the SRE workbook, as Sloth and others generate them; but for 12h, which is 6h there,
        # so that there are eight.
        "workbook": (
            (_HOUR, 5 * _MINUTE, 14.4),
            (6 * _HOUR, 30 * _MINUTE, 6.0),
            (_DAY, 2 * _HOUR, 3.0),
            (3 * _DAY, 12 * _HOUR, 1.0),
        ),
        "minutes": (
            (5 * _MINUTE, _MINUTE, 14.4),
            (10 * _MINUTE, 2 * _MINUTE, 6.0),
            (30 * _MINUTE, 4 * _MINUTE, 3.0),
            (_HOUR, 15 * _MINUTE, 1.0),
        ),
        "quarter": (
            (6 * _HOUR, 30 * _MINUTE, 14.4),
            (3 * _DAY, 12 * _HOUR, 6.0),
            (30 * _DAY, 2 * _DAY, 3.0),
            (90 * _DAY, 7 * _DAY, 1.0),
        ),
    }
)


@dataclass(slots=True)
class Traffic:
    """One service's counters, which all metrics show."""

    counts: dict[Labels, float]
    chance: random.Random

    @classmethod
    def fresh(cls, series: int) -> Traffic:
        """Of all codes and instances, or of one good and one bad series."""
        labels = [(("code", c), ("instance", i)) for i in INSTANCES for c in CODES]
        if series != len(labels):
            labels = [labels[0], labels[-1]]
        return cls(dict.fromkeys(labels, 0.0), random.Random(1))  # noqa: S311  # no secret

    def flow(self) -> None:
        """One interval: about one failure in 2000."""
        for labels in self.counts:
            good = labels[0][1] == CODES[0]
            self.counts[labels] += self.chance.randrange(800, 1200) if good else 0
            if not good and self.chance.random() < 1 / 4:
                self.counts[labels] += 1

    def points(self) -> tuple[tuple[Point, ...], tuple[Point, ...]]:
        total = tuple(Point(labels, value) for labels, value in self.counts.items())
        return tuple(p for p in total if p.labels[0][1].startswith("5")), total


def _metric(number: int) -> str:
    return f"service_{number:05}_requests_total"


def policy_of(slos: int, pairs: Sequence[Pair]) -> Policy:
    """One rule as people write it, and its likes for the other metrics."""
    source = {"scrape": "http://127.0.0.1:9/metrics", "every": f"{EVERY_SECONDS:g}s"}
    counters = {"bad": 'x_total{code=~"5.."}', "total": "x_total"}
    burn = [{"budget": "2%", "long": "1h", "short": "5m"}]
    slo = {"objective": "99.9%", "period": "30d", **counters, "burn": burn}
    rule = {"severity": "P2", "source": "app", "mode": "observe", "slo": slo}
    files = {
        "platform.yaml": {"version": 1, "environment": "bench", "sources": {"app": source}},
        "team/rules.yaml": {"version": 1, "rules": {"slo": rule}},
    }
    load = load_files({name: json.dumps(text) for name, text in files.items()}, "bench")
    if load.policy is None or load.errors:
        raise RuntimeError("\n".join(problem.text for problem in load.errors))
    one = load.policy.rules["slo"]
    rules = dict(_named(one, number, pairs) for number in range(slos))
    app = replace(load.policy.sources["app"], max_series=slos * len(CODES) * len(INSTANCES))
    return replace(load.policy, rules=rules, sources={"app": app})


def _named(rule: RuleSpec, number: int, pairs: Sequence[Pair]) -> tuple[str, RuleSpec]:
    name, metric = f"slo-{number:05}", _metric(number)
    if not isinstance(rule.signal, Slo):
        raise TypeError("an objective was written")
    signal = replace(
        rule.signal,
        counters=Counters(f'{metric}{{code=~"5.."}}', metric),
        pairs=tuple(BurnPair(f * a / rule.signal.period_seconds, a, b, f) for a, b, f in pairs),
    )
    return name, replace(rule, name=name, signal=signal, sha256=name)


def _counted(tally: Tally, traffic: Traffic, seconds: float) -> None:
    """Watch for so long, up to the start."""
    polls = round(seconds / EVERY_SECONDS)
    for poll in range(polls + 1):
        traffic.flow()
        at = START.plus((poll - polls) * EVERY_SECONDS)
        tally.observe(at, at.wall, *traffic.points())


def _reading(at: Instant, slos: int, traffic: Traffic) -> Reading:
    samples = tuple(
        Sample(_metric(number), labels, value, at.wall)
        for number in range(slos)
        for labels, value in traffic.counts.items()
    )
    return Reading("app", at, 0.01, samples=samples, up={"app": True})


def _filled(policy: Policy, traffic: Traffic, seconds: float) -> Memory:
    """A memory whose rules have all watched so long."""
    memory = Memory()
    memory.adopt(policy)
    tallies = [m.judge.tally for m in memory.rules.values() if m.judge.tally is not None]
    _counted(tallies[0], traffic, seconds)
    kept = tallies[0].checkpoint()
    if not all(tally.restore(kept) for tally in tallies):
        raise RuntimeError("the counted windows cannot be taken up")
    return memory


def measure(slos: int, windows: str, series: int) -> dict[str, float]:
    """Processor seconds of a pass with new samples, and of one in which only time has passed."""
    pairs, process = WINDOWS[windows], psutil.Process()
    policy, traffic = policy_of(slos, pairs), Traffic.fresh(series)
    gc.collect()
    before = process.memory_info().rss
    memory = _filled(policy, traffic, 1.01 * max(long for long, _, _ in pairs))
    held = process.memory_info().rss - before

    def facts() -> Facts:
        seen = {name: m.sight.verdict.status for name, m in memory.rules.items() if m.sight}
        return Facts("bench", "bench", Mode.OBSERVE, None, seen)

    evaluation, book = Evaluation(memory, facts), Book()
    took: list[float] = []
    for number in range(1, _PASSES + 2):
        at = START.plus(number * EVERY_SECONDS)
        traffic.flow()
        reading = _reading(at, slos, traffic)
        draft, began = Draft(book, at), time.process_time()
        evaluation.on_reading(reading, policy, draft)
        took.append(time.process_time() - began)
    draft, began = Draft(book, at.plus(1.0)), time.process_time()
    evaluation.on_tick(policy, draft)
    idle = time.process_time() - began
    _check(memory, evaluation)
    return {
        "pass_cpu_seconds": median(took[1:]),  # the first one finds the series of every selector
        "worst_pass_cpu_seconds": max(took[1:]),
        "first_pass_cpu_seconds": took[0],
        "idle_pass_cpu_seconds": idle,
        "windows_bytes_per_slo": held / slos,
        "resident_bytes": process.memory_info().rss,
    }


def _check(memory: Memory, evaluation: Evaluation) -> None:
    """Raises RuntimeError unless every objective was judged on full windows."""
    if evaluation.failures:
        raise RuntimeError(str(next(iter(evaluation.failures.items()))))
    for name, rule in memory.rules.items():
        verdict = rule.sight.verdict if rule.sight else None
        if verdict is None or verdict.status is not Status.HEALTHY:
            raise RuntimeError(f"{name} is not healthy: {verdict}")
        if min(window.coverage for window in verdict.evidence) < 1:
            raise RuntimeError(f"{name}: its windows are not full: {verdict}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--slos", type=int, required=True)
    parser.add_argument("--windows", choices=sorted(WINDOWS), required=True)
    parser.add_argument("--series", type=int, choices=(2, len(CODES) * len(INSTANCES)), default=12)
    options = parser.parse_args()
    print(json.dumps(measure(options.slos, options.windows, options.series)))
