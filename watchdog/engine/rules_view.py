"""Rules as people are shown them: at a glance, in a line of a table, and with all there is.

At a glance it has to be cheap with a thousand rules: nothing is put into words, and what only some
rules are asked for is told of those alone.
"""

from __future__ import annotations

import math
from typing import Any

from watchdog.core.judge import Budget
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Truth, Verdict
from watchdog.engine.engine import Engine
from watchdog.engine.family_view import members, members_by_status
from watchdog.engine.known import Known
from watchdog.engine.modes import mode_reason, rungs, standing_mode
from watchdog.engine.shapes import BudgetShape, RuleShape, StandingShape
from watchdog.engine.verdict_view import verdict_view

View = dict[str, Any]


class KnownOfRules:
    """For `rule_view` and `standing`."""

    def __init__(self) -> None:
        self.verdicts = Known(verdict_view)
        self.budgets = Known(_budget_view)


def rule_view(engine: Engine, rule: RuleSpec, known: KnownOfRules) -> RuleShape:
    limit = standing_mode(engine, rule)
    budget = engine.memory.budget(rule.name, engine.ports.clock.now())
    return {
        **standing(engine, rule, known),
        "name": rule.name,
        "owner": rule.owner,
        "kind": rule.kind,
        "severity": rule.severity.value,
        "source": rule.source,
        "mode": rule.mode.word,
        "effective_mode": limit.mode.word,
        "mode_reason": mode_reason(engine, rule, limit),
        "playbook": rule.playbook,
        "up_to": rule.up_to,
        "rungs": rungs(engine, rule),
        "for_seconds": rule.for_seconds,
        "runbook": rule.runbook,
        "labels": dict(rule.labels),
        "summary": rule.summary,
        "where": rule.where,
        "sha256": rule.sha256,
        "held_seconds": held_seconds(engine, rule.name),
        "budget": known.budgets.of(rule.name, budget),
        "cleared": rule.name in engine.book.cleared,
        "each": list(rule.each),
        "family": rule.family if rule.member else None,
    }


def standing(engine: Engine, rule: RuleSpec, known: KnownOfRules) -> StandingShape:
    """What it is judged, and what came of it."""
    ep = engine.book.open_episode(rule.name)
    return {
        "verdict": known.verdicts.of(rule.name, engine.memory.verdict(rule.name)),
        "episode": ep.id if ep else None,
        "state": ep.state.value if ep else "ok",
        "members": members(engine, rule),
    }


def glances(engine: Engine) -> list[View]:
    """All rules in force. `members` are those that have an open episode. `effective_mode` is told
    of what has one, `rungs` of what leads to an action that is not ready.
    """
    unready = _unready(engine)
    return [_glance(engine, rule, unready) for rule in engine.in_force().rules.values()]


def row(engine: Engine, rule: RuleSpec) -> View:
    """What a line of a table tells of a rule or of a member."""
    limit = standing_mode(engine, rule)
    return {
        **_glance(engine, rule, frozenset()),
        "verdict": _in_short(engine.memory.verdict(rule.name)),
        "mode": rule.mode.word,
        "effective_mode": limit.mode.word,
        "mode_reason": mode_reason(engine, rule, limit),
        "summary": rule.summary,
        "by_status": {
            status.value: count for status, count in members_by_status(engine, rule).items()
        }
        if rule.each
        else {},
    }


def held_seconds(engine: Engine, name: str) -> float:
    """For how long of its `for` the rule is breached."""
    memory = engine.memory.of(name)
    return memory.sight.held_seconds if memory and memory.sight else 0.0


def _glance(engine: Engine, rule: RuleSpec, unready: frozenset[str]) -> View:
    verdict, ep = engine.memory.verdict(rule.name), engine.book.open_episode(rule.name)
    concerns = bool(unready) and not unready.isdisjoint(_actions(engine, rule))
    return {
        "name": rule.name,
        "owner": rule.owner,
        "severity": rule.severity.value,
        "verdict": None if verdict is None else {"status": verdict.status.value},
        "episode": ep.id if ep else None,
        "state": ep.state.value if ep else "ok",
        "effective_mode": _mode(engine, rule) if ep else rule.mode.word,
        "rungs": rungs(engine, rule) if concerns else [],
        "each": list(rule.each),
        "members": _members_in_trouble(engine, rule) if rule.each else [],
    }


def _members_in_trouble(engine: Engine, rule: RuleSpec) -> list[View]:
    found = []
    for ep in engine.book.open_of(rule.name):
        member = engine.in_force().rule(ep.rule) if ep.rule != rule.name else None
        if member is not None:
            found.append({"name": member.name, "effective_mode": _mode(engine, member)})
    return found


def _mode(engine: Engine, rule: RuleSpec) -> str:
    return standing_mode(engine, rule).mode.word


def _actions(engine: Engine, rule: RuleSpec) -> frozenset[str]:
    if rule.playbook is None:
        return frozenset()
    return frozenset(rung.action for rung in engine.in_force().playbooks[rule.playbook].rungs)


def _unready(engine: Engine) -> frozenset[str]:
    """Actions that no preflight has proven ready."""
    readiness = engine.book.readiness
    return frozenset(
        name
        for name in engine.in_force().actions
        if name not in readiness or readiness[name][0] is not Truth.TRUE
    )


def _in_short(verdict: Verdict | None) -> View | None:
    if verdict is None:
        return None
    return {
        "status": verdict.status.value,
        "reason": verdict.reason,
        "blind": verdict.blind.value if verdict.blind else None,
        "value": verdict.value,
        "bound": verdict.bound,
    }


def _budget_view(budget: Budget | None) -> BudgetShape | None:
    """JSON has no infinity: a budget that nothing burns has no time of exhaustion."""
    if budget is None:
        return None
    lasts = budget.exhausted_in_seconds
    never = None if math.isinf(lasts) else lasts
    return {
        "objective": budget.objective,
        "period_seconds": budget.period_seconds,
        "remaining": budget.remaining,
        "coverage": budget.coverage,
        "burn": budget.burn,
        "burn_seconds": budget.burn_seconds,
        "exhausted_in_seconds": never,
        "left": budget.left,
        "outlook": budget.outlook,
    }
