"""Two thousand objectives that read one metric name, each its own service: what a pass costs.

Every objective's selectors match ten of the name's 20,000 series, and in every measured pass one
series is born, as pods do. Counted as in `slo_pass.py`: processor time from the samples to the
draft. Told beside it are the pass without a birth, the first one (nothing is known yet), and the
same with a quarter of the rules and series, to see that the cost grows with their number and not
with its square.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median

from bench.report import Measure, progress
from bench.slo_pass import EVERY_SECONDS, START, WINDOWS, policy_of
from watchdog.core.book import Book
from watchdog.core.draft import Draft
from watchdog.core.evaluation import Evaluation
from watchdog.core.inputs import Facts
from watchdog.core.memory import Memory
from watchdog.core.samples import Labels, Reading, Sample
from watchdog.core.spec import Counters, Policy, Slo
from watchdog.core.words import Mode

RULES = 2000
TARGET_GROWTH = 8.0  # with four times the rules and series: 4 is linear, 16 their square
_PASSES = 5
_METRIC = "requests_total"
_CODES = ("200", "500")
_INSTANCES = tuple(f"host-{number}:8080" for number in range(5))


async def measure(_folder: Path) -> Measure:
    """Processor seconds of a pass in which one series is born."""
    fewer, all_of_them = _measured(RULES // 4), _measured(RULES)
    growth = all_of_them["birth"] / fewer["birth"]
    more = {
        "rules": RULES,
        "series": RULES * len(_CODES) * len(_INSTANCES),
        "without_birth": all_of_them["calm"],
        "first_pass": all_of_them["first"],
        "quarter_of_the_rules": fewer,
        "growth_from_a_quarter": growth,
        "target_growth": TARGET_GROWTH,
    }
    return Measure(
        "shared_metric", all_of_them["birth"], None, "CPU seconds per pass", _PASSES, more
    )


def _measured(rules: int) -> dict[str, float]:
    rehearsed = _Watched(_policy(rules), rules)
    first = rehearsed.one_pass()
    calm = [rehearsed.one_pass() for _ in range(_PASSES)]
    birth = [rehearsed.one_pass(born=f"host-{number}:9090") for number in range(_PASSES)]
    found = {"first": first, "calm": median(calm), "birth": median(birth)}
    progress(f"shared_metric: {rules} rules: {found}")
    return found


def _policy(rules: int) -> Policy:
    policy = policy_of(rules, WINDOWS["minutes"])
    made = {}
    for number, (name, rule) in enumerate(policy.rules.items()):
        own = f'job="shop",service="{_service(number)}"'
        counters = Counters(f'{_METRIC}{{{own},code=~"5.."}}', f"{_METRIC}{{{own}}}")
        if not isinstance(rule.signal, Slo):
            raise TypeError("an objective was written")
        made[name] = replace(rule, signal=replace(rule.signal, counters=counters))
    return replace(policy, rules=made)


def _service(number: int) -> str:
    return f"s{number:05}"


@dataclass(slots=True)
class _Watched:
    """The rules, their memory, and counters that grow from pass to pass."""

    policy: Policy
    services: int
    memory: Memory = field(default_factory=Memory)
    book: Book = field(default_factory=Book)
    polls: int = 0
    born: list[Labels] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory.adopt(self.policy)

    def one_pass(self, born: str = "") -> float:
        """Its processor seconds. Raises RuntimeError where a rule could not be judged."""
        self.polls += 1
        if born:
            self.born.append(_labels("200", born, 1))
        at = START.plus(self.polls * EVERY_SECONDS)
        samples = tuple(
            Sample(_METRIC, labels, 1000.0 * self.polls if _good(labels) else 0.0, at.wall)
            for labels in (*self._labels(), *self.born)
        )
        reading = Reading("app", at, 0.01, samples=samples, up={"app": True})
        evaluation, draft = Evaluation(self.memory, self._facts), Draft(self.book, at)
        began = time.process_time()
        evaluation.on_reading(reading, self.policy, draft)
        took = time.process_time() - began
        if evaluation.failures:
            raise RuntimeError(str(next(iter(evaluation.failures.items()))))
        return took

    def _labels(self) -> Iterator[Labels]:
        for service in range(self.services):
            for code in _CODES:
                for instance in _INSTANCES:
                    yield _labels(code, instance, service)

    def _facts(self) -> Facts:
        seen = {name: m.sight.verdict.status for name, m in self.memory.rules.items() if m.sight}
        return Facts("bench", "bench", Mode.OBSERVE, None, seen)


def _labels(code: str, instance: str, service: int) -> Labels:
    return (
        ("code", code),
        ("instance", instance),
        ("job", "shop"),
        ("service", _service(service)),
    )


def _good(labels: Labels) -> bool:
    return labels[0][1] == _CODES[0]
