"""How far a rule goes, as people are shown it: by the very limits that the gates judge by."""

from __future__ import annotations

from watchdog.core.gates import ModeLimit, lowest
from watchdog.core.inputs import last_rung, mode_limits
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Mode
from watchdog.engine.engine import Engine


def standing_mode(engine: Engine, rule: RuleSpec) -> ModeLimit:
    """What counts on the rung that the rule stands before, and who says so."""
    ep = engine.book.open_episode(rule.name)
    return _on_rung(engine, rule, ep.rung if ep else 0)


def mode_reason(engine: Engine, rule: RuleSpec) -> str:
    """Why it goes so far and no further."""
    limit = standing_mode(engine, rule)
    if limit.mode < rule.mode:
        return f"lowered by {limit.who.removeprefix('process ')} = {limit.mode.word}"
    return f"armed because: {rule.mode_reason}" if rule.mode is Mode.ARMED else rule.mode_reason


def rungs(engine: Engine, rule: RuleSpec) -> list[dict[str, str]]:
    """Each rung that the rule may reach, and how far it goes there."""
    policy = engine.in_force()
    if rule.playbook is None:
        return []
    found = []
    for number in range(last_rung(rule, policy) + 1):
        rung, limit = policy.playbooks[rule.playbook].rungs[number], _on_rung(engine, rule, number)
        found.append(
            {
                "action": rung.action,
                "mode": rung.mode.word,
                "effective_mode": limit.mode.word,
                "by": limit.who,
            }
        )
    return found


def _on_rung(engine: Engine, rule: RuleSpec, number: int) -> ModeLimit:
    ep = engine.book.open_episode(rule.name)
    return lowest(mode_limits(rule, ep, number, engine.in_force(), engine.process.max_mode))
