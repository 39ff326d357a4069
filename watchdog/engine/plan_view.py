"""`plan`: what exactly would run now for a rule, an episode or an action, and what stands against
it. Nothing is run, and nothing is recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from watchdog.core.approvals import means_for, needed_by_hand, terms_of
from watchdog.core.approving import consent_to, plan_for
from watchdog.core.book import MANUAL, Episode
from watchdog.core.decided import Ruling
from watchdog.core.drilled import asked_for_want_of, undrilled
from watchdog.core.gates import Judgement, rule_on, rule_on_command
from watchdog.core.inputs import (
    Scene,
    command_inputs,
    gate_inputs,
    last_rung,
    next_rung,
    opening_world,
)
from watchdog.core.rights import Right, Rights
from watchdog.core.spec import ActionSpec, RuleSpec
from watchdog.core.stops import NOBODY
from watchdog.core.words import Mode
from watchdog.engine.awaiting import awaiting_view
from watchdog.engine.engine import Engine
from watchdog.engine.family_view import no_rule, rule_of
from watchdog.engine.modes import standing_mode
from watchdog.engine.planned import action_view
from watchdog.engine.verification_view import action_verification

View = dict[str, Any]


@dataclass(frozen=True, slots=True)
class NoPlan:
    """Why there is nothing to plan."""

    reason: str


class PlanView:
    def __init__(self, engine: Engine, rights: Callable[[], Rights | None] = lambda: None) -> None:
        self._engine = engine
        self._rights = rights

    def plan(self, what: str) -> View | NoPlan:
        """`what` names an episode, an action or a rule, looked for in this order."""
        book, policy = self._engine.book, self._engine.in_force()
        ep = book.episodes.get(what)
        if ep is not None:
            return self._of_episode(ep)
        action = policy.actions.get(what)
        if action is not None:
            return self._of_action(action, "action", what, None)
        rule = rule_of(self._engine, what)
        if rule is None:
            return NoPlan(f"there is no episode or action {what}, and {self._no_rule(what)}")
        open_one = book.open_episode(rule.name)
        return self._of_rule(rule, open_one, "rule", what)

    def _no_rule(self, what: str) -> str:
        return no_rule(self._engine, what)

    def _of_episode(self, ep: Episode) -> View | NoPlan:
        if not ep.is_open:
            return NoPlan(f"{ep.id} ({ep.rule}) is over: nothing would run for it")
        if ep.rule == MANUAL:
            action = self._engine.in_force().actions.get(ep.action)
            if action is None:
                return NoPlan(f"the policy has no {ep.action} any more")
            return self._of_action(action, "episode", ep.id, ep)
        rule = self._engine.in_force().rule(ep.rule)
        if rule is None:
            return NoPlan(f"{ep.rule} is not in the policy any more: nothing would run for {ep.id}")
        return self._of_rule(rule, ep, "episode", ep.id)

    def _of_rule(self, rule: RuleSpec, ep: Episode | None, kind: str, what: str) -> View | NoPlan:
        engine, policy = self._engine, self._engine.in_force()
        scene = Scene(policy, engine.facts(), engine.recorder.draft())
        if rule.is_family:
            return NoPlan(f"{rule.name} is a family: ask for one of its members")
        before = ep or _supposed(rule, scene)
        rung = next_rung(rule, before, policy)
        if rung is None:
            return NoPlan(f"{rule.name} has no playbook: it is judged, and people are told")
        action = policy.actions[rung.action]
        judged = self._judged(rule, before, action, scene)
        no_drill = self._undrilled(action, judged["reason"])
        mode = min(rung.mode, standing_mode(engine, rule).mode)
        return {
            "what": what,
            "is": kind,
            "rule": rule.name,
            "episode": ep.id if ep is not None else None,
            "state": ep.state.value if ep is not None else "ok",
            "rung": before.rung + 1,
            "action": action_view(action, engine.book, scene.draft.now),
            "verification": action_verification(engine, action),
            **judged,
            "approvals": self._asks(action, terms_of(rung).needed, ep, rule.owner)
            | {
                "undrilled": no_drill,
                "asks": mode is Mode.APPROVE
                or judged["ruling"] == Ruling.NEEDS_APPROVAL
                or no_drill is not None,
            },
            "within_seconds": rung.within_seconds,
            "next": _after(rule, before, scene),
        }

    def _judged(self, rule: RuleSpec, ep: Episode, action: ActionSpec, scene: Scene) -> View:
        memory = self._engine.memory.of(rule.name)
        rung = next_rung(rule, ep, scene.policy)
        if memory is None or memory.sight is None or rung is None:
            return {"ruling": None, "reason": "it is not judged yet", "gates": []}
        request = self._engine.book.requests.open.get(ep.id)
        consent = consent_to(request, action) if request is not None else NOBODY
        inputs = gate_inputs(rule, ep, rung, memory.sight, scene, consent)
        return _told(rule_on(inputs))

    def _of_action(self, action: ActionSpec, kind: str, what: str, ep: Episode | None) -> View:
        engine = self._engine
        scene = Scene(engine.in_force(), engine.facts(), engine.recorder.draft())
        request = engine.book.requests.open.get(ep.id) if ep is not None else None
        consent = consent_to(request, action) if request is not None else NOBODY
        inputs = command_inputs(action, "", scene, through_hold=False, consent=consent)
        needed = needed_by_hand(action, scene.policy)
        return {
            "what": what,
            "is": kind,
            "rule": None,
            "episode": ep.id if ep is not None else None,
            "state": ep.state.value if ep is not None else None,
            "rung": None,
            "action": action_view(action, engine.book, scene.draft.now),
            "verification": action_verification(engine, action),
            **_told(rule_on_command(inputs)),
            "approvals": self._asks(action, needed, ep, ""),
            "within_seconds": None,
            "next": None,
        }

    def _undrilled(self, action: ActionSpec, reason: str) -> str | None:
        """That people are asked for want of a drill, where that is why."""
        drills, now = self._engine.book.drills, self._engine.ports.clock.now()
        limit = undrilled(action, drills, now)
        known = limit is not None and limit.who in reason
        return asked_for_want_of(action, drills, now) if known else None

    def _asks(self, action: ActionSpec, needed: int, ep: Episode | None, owner: str) -> View:
        """How many must say yes, who may, and what was said already."""
        rights, book = self._rights(), self._engine.book
        plan = plan_for(ep, self._engine.in_force(), book) if ep is not None else ""
        return {
            "needed": needed,
            "asks": needed > 0,
            "means": sorted(means.value for means in means_for(action)),
            "may": list(rights.who_has(Right.APPROVE, owner)) if rights is not None else None,
            "plan": None if isinstance(plan, str) else plan.sha256,
            "request": awaiting_view(self._engine, ep) if ep is not None else None,
        }


def _supposed(rule: RuleSpec, scene: Scene) -> Episode:
    """The episode that a breach would open now."""
    book, now = scene.draft.book, scene.draft.now
    clear = rule.name in book.cleared
    return Episode(
        id="",
        rule=rule.name,
        owner=rule.owner,
        severity=rule.severity,
        world=opening_world(rule, scene.facts, book),
        opened=now,
        moved=now,
        barred="" if clear else "already burning: not once clear since it was started or armed",
    )


def _after(rule: RuleSpec, ep: Episode, scene: Scene) -> View | None:
    """The rung behind, for when this one is proven not to have helped."""
    if rule.playbook is None or ep.rung >= last_rung(rule, scene.policy):
        return None
    rung = scene.policy.playbooks[rule.playbook].rungs[ep.rung + 1]
    return {"action": rung.action, "mode": rung.mode.word, "approvals": rung.approvals}


def _told(judgement: Judgement) -> View:
    return {
        "ruling": judgement.ruling.value,
        "reason": judgement.reason,
        "gates": [
            {"gate": g.gate, "passed": g.passed, "reason": g.reason} for g in judgement.gates
        ],
    }
