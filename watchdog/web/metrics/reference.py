"""docs/metrics.md, made from the catalog. A test says when it is not current."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.deploys import DeployOutcome
from watchdog.core.entries import Outcome, Ruling
from watchdog.core.episode import OPEN
from watchdog.core.measures import Ended
from watchdog.core.periods import PERIODS
from watchdog.core.telling.notes import Fate
from watchdog.core.words import Blind, Status
from watchdog.web.metrics.catalog import EVENT_RESULTS, GROUPS
from watchdog.web.metrics.meters import GATES
from watchdog.web.metrics.metric import Kind, Metric

_INTRODUCTION = """\
# Metrics

`/metrics` on the address of `listen`, as text or OpenMetrics, whichever the scraper \
accepts. Made by `python -m watchdog.web.metrics > docs/metrics.md`.

Counters count what was recorded since the process began; gauges are read when they are asked \
for. Label values come from the policy and from the words below, never from what a watched service \
answers.
"""

_ALERTS = """\
## What to alert on

A page is an entry in the record, a line in the log (`page.raised`) and one more in \
`slo_watchdog_pages_total`. With `contacts.yaml` people are told of it ([telling.md](telling.md)); \
an Alertmanager can be told of episodes and of blindness ([alertmanager.md](alertmanager.md)). \
Neither is of use when the watchdog itself is dead: so let something else watch these. Rules \
for them and more, tested, each with a runbook, are in `deploy/prometheus/`, a dashboard in \
`deploy/grafana/`:

| when | expression |
|---|---|
| it pages | `increase(slo_watchdog_pages_total{silenced="no"}[5m]) > 0` |
| it is gone | `absent(up{job="slo-watchdog"} == 1)` |
| it does not judge | `slo_watchdog_last_pass_age_seconds > 5` |
| it cannot record, so it does not act | `slo_watchdog_journal_stuck == 1` |
| a rule is blind | `slo_watchdog_rule_verdict{status="blind"} == 1` |
| an armed rule's action would not work | `slo_watchdog_action_ready == 0` |
| an Alertmanager is not heard, or does not hear | `slo_watchdog_alertmanager_up == 0` |
| a sender of events is refused | \
`increase(slo_watchdog_events_total{result!~"new|resolved|repeated|late|refused"}[5m]) > 0` |
| the rules folder is broken | `slo_watchdog_policy_errors > 0` |
| a person must look | `slo_watchdog_episodes_open{state="latched"} > 0` |
| people are asked to approve something | `slo_watchdog_awaiting_approvals > 0` |
| nobody ended a deploy | `increase(slo_watchdog_deploys_total{outcome="expired"}[5m]) > 0` |
| an action was not proven for long, or never | \
`slo_watchdog_action_proof_age_seconds > 90 * 86400` |
| it is held back | `slo_watchdog_episodes_open{state="held"} > 0` |
"""


def reference() -> str:
    """The whole page."""
    parts = [_INTRODUCTION, _ALERTS, _words()]
    for title, metrics in GROUPS.items():
        rows = "\n".join(_row(metric) for metric in metrics)
        parts.append(f"## {title}\n\n| metric | kind | labels | |\n|---|---|---|---|\n{rows}\n")
    parts.append(
        "Besides these come `process_*` (CPU, resident memory, open files, start) and "
        "`python_gc_*`, as the Prometheus client library gives them.\n"
    )
    return "\n".join(parts)


def _row(metric: Metric) -> str:
    name = f"{metric.name}_info" if metric.kind is Kind.INFO else metric.name
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{name}` | {metric.kind.value} | {labels} | {metric.help} |"


def _words() -> str:
    return "\n".join(["## Words in labels", "", "| label | values |", "|---|---|", *_values(), ""])


def _values() -> Iterator[str]:
    for label, values in {
        "status": [status.value for status in Status],
        "reason": [reason.value for reason in Blind],
        "state": sorted(state.value for state in OPEN),
        "world": ["live", "shadow"],
        "ruling": [ruling.value for ruling in Ruling],
        "gate": list(GATES),
        "by": ["process", "rung", "evidence", "episode"],
        "result": list(EVENT_RESULTS),
        "direction": ["do", "undo"],
        "outcome": dict.fromkeys(one.value for one in (*Outcome, *DeployOutcome)),
        "fate": [one.value for one in Fate],
        "ended": [one.value for one in Ended],
        "period": list(PERIODS),
        "window": ["a duration as written in rules: 5m, 1h, 3d"],
    }.items():
        yield f"| `{label}` | {', '.join(values)} |"
