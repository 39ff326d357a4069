"""`impact` of a rule: who is affected, asked of the rule's own source and never judged."""

from __future__ import annotations

from watchdog.core.channels import EventSignal
from watchdog.core.probes import Probed
from watchdog.core.spec import Impact, SourceSpec
from watchdog.policy.each import check_kept
from watchdog.policy.expressions import Spot, check_number, check_selector
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import RuleShape
from watchdog.policy.signals import Signal


def impact_of(
    entry: Entry, shape: RuleShape, source: SourceSpec, signal: Signal, findings: Findings
) -> Impact | None:
    """What the rule says of it, checked as its other expressions are."""
    written = shape.impact
    if written is None:
        return None
    if isinstance(signal, Probed | EventSignal):
        what = "an event rule" if isinstance(signal, EventSignal) else "a probe"
        findings.refuse(
            entry.key_at("impact"),
            f"{entry.name} is {what}, which has no source that could be asked for an impact",
            "Remove `impact`, or write it in a rule that reads a source.",
        )
        return None
    if (written.increase is None) == (written.value is None):
        many = "both `increase` and `value`" if written.value else "neither `increase` nor `value`"
        findings.refuse(
            entry.key_at("impact"),
            f"impact has {many}",
            "Write `increase` with the selector of a counter, or `value` with an expression.",
        )
        return None
    grows = written.value is None
    expr = written.increase if written.value is None else written.value
    assert expr is not None  # noqa: S101  # one of the two is there, see above
    spot = Spot(entry, ("impact", "increase" if grows else "value"), expr)
    if grows:
        check_selector(spot, source, findings)
    else:
        check_number(spot, source, findings)
        check_kept(spot, shape, findings)
    return Impact(expr, grows, written.of)
