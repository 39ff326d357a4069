"""`each: [labels]` of a rule: can its label sets be told apart, and told what to do?"""

from __future__ import annotations

from watchdog.core.channels import EventSignal
from watchdog.core.naming import family_of
from watchdog.core.probes import Probed
from watchdog.core.promql import ParseFault
from watchdog.core.promql.kept import loses
from watchdog.core.spec import (
    Liveness,
    Playbook,
    PrometheusApi,
    SourceSpec,
    ValueThreshold,
)
from watchdog.policy.expressions import Spot
from watchdog.policy.platform import Platform
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import RuleShape
from watchdog.policy.scalars import shown
from watchdog.policy.signals import Signal

DEFAULT_LIMIT = 20


def check_each(entry: Entry, shape: RuleShape, platform: Platform, findings: Findings) -> None:
    """The words themselves, and what the playbook's actions need of them."""
    book = platform.playbooks.get(shape.playbook) if shape.playbook is not None else None
    if book is not None:
        _check_playbook(entry, shape, book, findings)
    if shape.each is None:
        _check_alone(entry, shape, findings)
        return
    for index, label in enumerate(shape.each):
        if label in shape.each[:index]:
            findings.refuse(
                entry.at("each", index), f"{label} stands twice in `each`", "Remove one."
            )


def _check_alone(entry: Entry, shape: RuleShape, findings: Findings) -> None:
    """Words that mean something beside `each` only."""
    if shape.limit is not None:
        findings.refuse(
            entry.key_at("limit"), "`limit` without `each`", "Remove it, or name labels in `each`."
        )
    if not isinstance(shape.on_blind, str) and shape.on_blind.gone == "forget":
        findings.refuse(
            entry.key_at("on_blind", "gone"),
            "`gone` without `each`",
            "Remove it, or name labels in `each`.",
        )


def _check_playbook(entry: Entry, shape: RuleShape, book: Playbook, findings: Findings) -> None:
    lacking = [label for label in book.each if label not in (shape.each or ())]
    if not lacking:
        return
    actions = dict.fromkeys(family_of(r.action) for r in book.rungs if "{" in r.action)
    names = ", ".join(lacking)
    whole = ", ".join(dict.fromkeys([*(shape.each or ()), *book.each]))
    findings.refuse(
        entry.at("playbook"),
        f"{', '.join(actions)} in the playbook {book.name} is one action for each {names}, and "
        f"{entry.name} does not say for which",
        f"Write `each: [{whole}]`, or name a playbook of plain actions.",
    )


def check_told_apart(
    entry: Entry, shape: RuleShape, source: SourceSpec, signal: Signal, findings: Findings
) -> None:
    """Whether the answer can name its label sets at all."""
    if shape.each is None:
        return
    if isinstance(signal, Probed | EventSignal):
        what = "an event rule" if isinstance(signal, EventSignal) else "a probe"
        findings.refuse(
            entry.key_at("each"),
            f"{entry.name} is {what}, which has no labels to tell apart",
            "Remove `each`, and write a rule for each thing that is looked at.",
        )
    elif isinstance(signal, Liveness) and not isinstance(source.how, PrometheusApi):
        findings.refuse(
            entry.key_at("each"),
            f"{source.name} is read directly and has one `up`",
            "Remove `each`.",
        )
    elif isinstance(signal, ValueThreshold):
        under = "threshold" if shape.threshold is not None else "integrity"
        check_kept(Spot(entry, (under, "expr"), signal.expr), shape, findings)


def check_kept(spot: Spot, shape: RuleShape, findings: Findings) -> None:
    """Whether an expression's result says of which label set each part is."""
    expr, written = spot.text, ".".join(map(str, spot.path))
    for label in shape.each or ():
        try:
            part = loses(expr, label)
        except ParseFault:
            return  # that is said where the expression is checked
        if part is not None:
            labels = ", ".join(shape.each or ())
            findings.refuse(
                spot.place(),
                f"{written} gives no label {label}, by which `each` tells its result apart: "
                f"it is gone after {shown(part)}",
                f"Keep it, as in max by ({labels}) (...).",
            )
            return
