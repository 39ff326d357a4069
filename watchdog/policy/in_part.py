"""What can be judged of a rule whose form is refused: the names and expressions that are right.

A misspelt mode says nothing of the playbook beside it. Only what a value says by itself is judged,
so that nothing is told which merely follows from the fault: that the rule "has no" something, that
one value does not suit another.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from watchdog.core.spec import SourceSpec
from watchdog.policy.events import told
from watchdog.policy.expressions import Spot, check_selector
from watchdog.policy.laws import check_grants, check_owner
from watchdog.policy.platform import Platform
from watchdog.policy.probes import chosen, is_probe, probing
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import RuleShape
from watchdog.policy.signals import signal_of
from watchdog.policy.sourced import source_named

_KINDS = ("slo", "threshold", "integrity", "liveness")
_COUNTERS = ("bad", "good", "total")
_RHYTHM = frozenset({"every", "deadline"})
_STAND_IN = {"severity": "P0"}
"""For what every rule must have: nothing here is judged by it."""


def judge_in_part(entry: Entry, owner: str, platform: Platform, findings: Findings) -> None:
    """Tell what is wrong in it besides its form."""
    written = entry.node.plain()
    if not isinstance(written, dict):
        return
    wrong = _wrong(written)
    rest = {key: value for key, value in written.items() if key not in wrong}
    try:
        shape = RuleShape.model_validate(_STAND_IN | rest)
    except ValidationError:
        return
    check_owner(entry, shape, owner, findings)
    if "up_to" not in wrong:  # how far it may go is what it is granted for
        check_grants(entry, shape, owner, platform, findings)
    if shape.event is not None:
        told(entry, shape, shape.event, platform, findings)
    elif is_probe(shape):
        if not wrong & _RHYTHM:
            probing(entry, shape, owner, platform, findings)
    elif shape.source or (shape.liveness and shape.liveness.up and "source" not in wrong):
        source = source_named(entry, shape, platform, findings)
        if source is not None:
            _check_expressions(entry, shape, source, wrong, findings)


def _wrong(written: dict[str, Any]) -> frozenset[str]:
    """The keys at its top that are refused, or under which something is."""
    try:
        RuleShape.model_validate(written)
    except ValidationError as error:
        return frozenset(str(fault["loc"][0]) for fault in error.errors() if fault["loc"])
    return frozenset()


def _check_expressions(
    entry: Entry, shape: RuleShape, source: SourceSpec, wrong: frozenset[str], findings: Findings
) -> None:
    """What is judged, where that is whole; else its selectors, each for itself."""
    for kind in _KINDS:
        found = entry.node.entries.get(kind)
        if found is None or kind not in wrong:
            continue
        for word in _COUNTERS:
            text = found[1].entries.get(word)
            if text is not None and isinstance(text[1].value, str) and text[1].value:
                check_selector(Spot(entry, (kind, word), text[1].value), source, findings)
    if sum(getattr(shape, kind) is not None for kind in _KINDS) != 1:
        return
    if (shape.slo or shape.threshold) or chosen(entry, shape, findings):
        signal_of(entry, shape, source, findings)
