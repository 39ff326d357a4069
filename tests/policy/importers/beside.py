"""An original and what was imported of it, over the same made-up time: who is active when.

Prometheus's side is its own promtool, ours the rehearsal of the core. promtool 2.42 takes a sample
on the left edge of a range, Prometheus 3 and we do not: ranges in the tests end between samples
where that matters.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from watchdog.core import entries as e
from watchdog.core.naming import family_of
from watchdog.core.samples import Reading, Sample, labels_of
from watchdog.core.spec import Endpoint, Policy, Scrape, SourceSpec
from watchdog.core.words import Instant, Status
from watchdog.lab.rehearsal import Rehearsal
from watchdog.policy import load_files
from watchdog.policy.importers.importing import Imported, import_texts

NOON = Instant(1_790_000_000.0, 1000.0)
PLATFORM = """\
version: 1
environment: production
sources:
  prometheus: {prometheus: "http://localhost:9090", every: 15s}
"""

Values = Sequence[float | None]
"""One value a step; None where the series is not there."""


@dataclass(frozen=True, slots=True)
class Story:
    """Series by their text, `step` seconds between their values."""

    step: int
    series: Mapping[str, Values]

    @property
    def count(self) -> int:
        return max(len(values) for values in self.series.values())


@dataclass(slots=True)
class Original:
    """Alert -> the steps at which it is active (its expression returns something), and fires."""

    active: dict[str, set[int]] = field(default_factory=dict)
    firing: dict[str, set[int]] = field(default_factory=dict)


@dataclass(slots=True)
class Ours:
    """Rule -> status by step, and the steps at which its `for` had passed."""

    statuses: dict[str, list[Status]] = field(default_factory=dict)
    reached: dict[str, list[int]] = field(default_factory=dict)

    def steps(self, rule: str, status: Status) -> set[int]:
        return {step for step, found in enumerate(self.statuses[rule]) if found is status}


def as_policy(result: Imported, owner: str = "shop") -> Policy:
    """What was imported, through the real loader."""
    assert not result.errors, [problem.text for problem in result.errors]
    load = load_files(
        {"platform.yaml": PLATFORM, f"{owner}/rules.yaml": result.rules}, "production"
    )
    assert load.complete, [problem.text for problem in load.errors]
    assert load.policy is not None
    return load.policy


def imported(text: str) -> Policy:
    return as_policy(import_texts({"rules.yaml": text}))


def rehearsed(policy: Policy, story: Story) -> Ours:
    """The source is scraped here, so that expressions are evaluated by the core."""
    how = Scrape(Endpoint("http://localhost/metrics"))
    source = SourceSpec("prometheus", float(story.step), 2.0, 1 << 20, 1000, how)
    every = float(story.step)
    rules = {
        name: replace(rule, every_seconds=every, stale_after_seconds=2 * every)
        for name, rule in policy.rules.items()
    }
    rehearsal = Rehearsal(replace(policy, sources={"prometheus": source}, rules=rules), NOON)
    ours = Ours()
    for step in range(story.count):
        rehearsal.feed(_reading(story, step))
        for name in rules:
            verdict = rehearsal.memory.verdict(name)
            assert verdict is not None
            ours.statuses.setdefault(name, []).append(verdict.status)
    assert not rehearsal.failures
    for recorded in rehearsal.log:
        if isinstance(recorded.entry, e.Decided):
            step = round((recorded.at.wall - NOON.wall) / story.step)
            ours.reached.setdefault(family_of(recorded.entry.rule), []).append(step)
    return ours


def _reading(story: Story, step: int) -> Reading:
    at = NOON.plus(float(step * story.step))
    samples = []
    for text, values in story.series.items():
        value = values[step]
        if value is not None:
            name, _, rest = text.partition("{")
            labels = labels_of(dict(re.findall(r'(\w+)="([^"]*)"', rest)))
            samples.append(Sample(name, labels, value, at.wall))
    return Reading("prometheus", at, 0.0, tuple(samples), up={"shop": True})


def judged_by_promtool(folder: Path, rules: str, story: Story) -> Original:
    (folder / "rules.yaml").write_text(rules)
    inputs = "".join(
        f"  - {{series: '{name}', values: '{_notation(values)}'}}\n"
        for name, values in story.series.items()
    )
    times = (f"{step * story.step}s" for step in range(story.count))
    asked = "".join(f"  - {{expr: ALERTS, eval_time: {time}}}\n" for time in times)
    (folder / "test.yaml").write_text(
        f"rule_files: [rules.yaml]\nevaluation_interval: {story.step}s\n"
        f"tests:\n- interval: {story.step}s\n  input_series:\n{inputs}"
        f"  promql_expr_test:\n{asked}"
    )
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    found = Original()
    pattern = r'expr: "ALERTS", time: (\S+),\s+exp:[^\n]*\s+got: ([^\n]*)'
    for time, got in re.findall(pattern, said):
        step = _seconds(time) // story.step
        for labels in re.findall(r"\{([^}]*)\}", got):
            names = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            found.active.setdefault(names["alertname"], set()).add(step)
            if names["alertstate"] == "firing":
                found.firing.setdefault(names["alertname"], set()).add(step)
    assert found.active, said
    return found


def _notation(values: Values) -> str:
    """As promtool writes series; a gap begins with a staleness mark."""
    words = []
    for before, value in zip([None, *values], values, strict=False):
        if value is None:
            words.append("_" if before is None else "stale")
        else:
            words.append(repr(value))
    return " ".join(words)


def _seconds(text: str) -> int:
    sizes = {"h": 3600, "m": 60, "s": 1}
    return sum(int(count) * sizes[unit] for count, unit in re.findall(r"(\d+)([hms])", text))
