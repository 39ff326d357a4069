"""What a rule may do, or ask to do, under a policy; and what another policy gives it or takes."""

from __future__ import annotations

from watchdog.core.inputs import last_rung
from watchdog.core.spec import Policy
from watchdog.core.words import Mode

Reach = dict[str, Mode]
"""Action -> how far the rule may go with it."""


def reach(policy: Policy | None, rule_name: str) -> Reach:
    """The actions a rule can reach, each with the lower of the rule's and the rung's mode."""
    rule = policy.rules.get(rule_name) if policy else None
    playbook = policy.playbooks.get(rule.playbook or "") if policy and rule else None
    if policy is None or rule is None or playbook is None:
        return {}
    rungs = playbook.rungs[: last_rung(rule, policy) + 1]
    return {rung.action: min(rule.mode, rung.mode) for rung in rungs}


def gained(old: Policy | None, new: Policy, rule_name: str) -> Reach:
    """What it may do, or ask to, that it might not before."""
    return _more(reach(new, rule_name), reach(old, rule_name))


def lost(old: Policy, new: Policy, rule_name: str) -> Reach:
    """What it might do, or ask to, and may not any more; with how far it may go now."""
    after = reach(new, rule_name)
    taken = _more(reach(old, rule_name), after)
    return {action: after.get(action, Mode.OBSERVE) for action in taken}


def _more(than: Reach, other: Reach) -> Reach:
    return {
        action: mode
        for action, mode in than.items()
        if mode >= Mode.APPROVE and mode > other.get(action, Mode.OBSERVE)
    }
