"""What stops automatic starts of a rule at this moment, as its gate would say it."""

from __future__ import annotations

from watchdog.core.alerting import alert_labels
from watchdog.core.deploying import keeping_back
from watchdog.core.inputs import opening_world, rung_target
from watchdog.core.spec import RuleSpec
from watchdog.core.standing import Hold
from watchdog.core.stops import Subject, standing_stops
from watchdog.engine.engine import Engine
from watchdog.engine.shapes_around import HoldShape
from watchdog.engine.verdict_view import utc


def stops_view(engine: Engine, rule: RuleSpec) -> list[str]:
    """Holds, silences, ours and Alertmanager's, windows, and deploys of its target; of its episode,
    or of its next one.
    """
    book, policy = engine.book, engine.in_force()
    ep = book.open_episode(rule.name)
    if ep is not None:
        subject = Subject.of(rule, ep, rung_target(rule, ep, policy), policy)
    else:
        rungs = policy.playbooks[rule.playbook].rungs if rule.playbook is not None else ()
        target = policy.actions[rungs[0].action].target if rungs else ""
        labels = alert_labels(rule, policy.environment, opening_world(rule, engine.facts(), book))
        subject = Subject(rule.owner, rule.name, target, labels)
    now = engine.ports.clock.now()
    deploys = keeping_back(subject.target, policy, book, now) if subject.target else ()
    return [*standing_stops(subject, policy, book, now), *deploys]


def hold_view(hold: Hold) -> HoldShape:
    return {
        "id": hold.id,
        "scope": hold.scope.text,
        "reason": hold.reason,
        "actor": hold.actor,
        "silence": hold.silence,
        "placed": utc(hold.placed),
        "expires": utc(hold.expires) if hold.expires else None,
    }
