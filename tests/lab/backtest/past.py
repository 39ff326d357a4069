"""A small past: a service that is well but for one outage, and rules that look at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from watchdog.core.spec import Policy
from watchdog.lab.history import Span
from watchdog.policy import load_folder

BEGAN = 1_790_000_010.0 - 1_790_000_010 % 15
EVERY = 15
STEPS = 960  # four hours
OUTAGE = (400, 480)  # steps in which half of the requests fail
SPAN = Span(BEGAN, BEGAN + EVERY * (STEPS - 1))

PLATFORM = """\
version: 1
environment: production
sources:
  app: {scrape: "http://127.0.0.1:9/metrics", every: 15s}
  prom: {prometheus: "http://127.0.0.1:9", every: 15s}
actions:
  pause:
    flag: f
    read_back: {get: "http://127.0.0.1:9/f"}
    do: {call: {method: PUT, url: "http://127.0.0.1:9/f", json: {enabled: false}}, expect: "enabled == `false`"}
    deadline: 10s
playbooks:
  p: [{action: pause, mode: armed}]
grants:
  team: [p, pause]
"""  # noqa: E501  # one line of YAML

RULES = """\
version: 1
rules:
  # what users meet
  share:
    severity: P0
    runbook: docs/x.md
    source: app
    threshold:   # more than one in ten
      bad: requests_total{code="500"}
      total: requests_total
      over: 5m
      breach_when: "> 10%"   # of all
    for: 1m
    minimum_events: 10
    playbook: p
    mode: shadow
    labels: {team: red}
  slow-burn:
    severity: P1
    runbook: docs/x.md
    source: app
    slo:
      objective: 99.9%
      bad: requests_total{code="500"}
      total: requests_total
      burn: [{budget: 2%, long: 1h, short: 5m}]
  queue:
    severity: P2
    source: app
    threshold: {expr: max(queue_length) * 2, breach_when: "> 50"}
    for: 1m
"""


def counters(step: int) -> dict[str, float]:
    """Requests by code, and a queue that grows in the outage."""
    failed = 5 * max(0, min(step, OUTAGE[1]) - OUTAGE[0])
    queue = 40.0 if OUTAGE[0] <= step < OUTAGE[1] else 3.0
    return {
        'requests_total{code="200"}': 10.0 * step - failed,
        'requests_total{code="500"}': float(failed),
        "queue_length": queue,
    }


def openmetrics(
    path: Path, values: Callable[[int], dict[str, float]] = counters, steps: int = STEPS
) -> Path:
    """The past as a file, series by series."""
    rows = [values(step) for step in range(steps)]
    lines = ["# TYPE queue_length gauge", "# TYPE requests counter"]
    for series in rows[0]:
        lines += [
            f"{series} {row[series]:g} {BEGAN + EVERY * step:.3f}"
            for step, row in enumerate(rows)
            if series in row
        ]
    path.write_text("\n".join([*lines, "# EOF", ""]), encoding="utf-8")
    return path


def rules_folder(folder: Path, rules: str = RULES, platform: str = PLATFORM) -> Path:
    (folder / "team").mkdir(parents=True)
    (folder / "platform.yaml").write_text(platform, encoding="utf-8")
    (folder / "team" / "rules.yaml").write_text(rules, encoding="utf-8")
    return folder


def policy(folder: Path) -> Policy:
    load = load_folder(folder, "production")
    assert not load.errors, load.errors
    assert load.policy is not None
    return load.policy
