"""Families and their members, as people are shown them: plain data."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator, Mapping

from watchdog.core.naming import family_of
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Status
from watchdog.engine.engine import Engine
from watchdog.engine.modes import mode_reason, standing_mode
from watchdog.engine.shapes import MemberShape

_NAMED = 8


def members(engine: Engine, rule: RuleSpec) -> list[MemberShape]:
    """How each member of a family stands, in the order of their names; none of another rule."""
    if not rule.is_family:
        return []
    return [_member(engine, name) for name in sorted(engine.book.members.of(rule.name))]


def _member(engine: Engine, name: str) -> MemberShape:
    verdict, ep = engine.memory.verdict(name), engine.book.open_episode(name)
    rule = engine.in_force().rule(name)
    limit = standing_mode(engine, rule) if rule is not None else None
    return {
        "name": name,
        "labels": dict(rule.member) if rule is not None else {},
        "status": verdict.status.value if verdict is not None else "blind",
        "reason": verdict.reason if verdict is not None else "nothing has been read yet",
        "value": verdict.value if verdict is not None else None,
        "effective_mode": limit.mode.word if limit is not None else "",
        "mode_reason": mode_reason(engine, rule, limit) if rule and limit else "",
        "episode": ep.id if ep is not None else None,
        "state": ep.state.value if ep is not None else "ok",
    }


def members_by_status(engine: Engine, rule: RuleSpec) -> Mapping[Status, int]:
    """How many members stand so; one that was not judged yet is blind."""
    verdicts = (engine.memory.verdict(name) for name in engine.book.members.of(rule.name))
    return Counter(v.status if v is not None else Status.BLIND for v in verdicts)


def known_rules(engine: Engine) -> Iterator[str]:
    """The names of all rules in force, and of the members of those that have some."""
    for rule in engine.in_force().rules.values():
        yield rule.name
        yield from engine.book.members.of(rule.name)


def rule_of(engine: Engine, name: str) -> RuleSpec | None:
    """A rule in force, or a member that is known; a label set that nobody has seen is none."""
    rule = engine.in_force().rule(name)
    if rule is None or not rule.member or name in engine.book.members.of(rule.family):
        return rule
    return None


def no_rule(engine: Engine, name: str) -> str:
    """Why there is no rule of this name, and what was perhaps meant."""
    retired = engine.book.members.retired.get(name)
    if retired is not None:
        reason, at = retired
        return f"{name} is not watched any more: {reason}, at {at.utc:%Y-%m-%d %H:%M:%SZ}"
    family = engine.in_force().rules.get(family_of(name))
    if family is not None and family.is_family:
        known = sorted(engine.book.members.of(family.name))
        near = difflib.get_close_matches(name, known, 1)
        shown = near or known[:_NAMED]
        more = "" if near or len(known) <= _NAMED else f" and {len(known) - _NAMED} more"
        told = ", ".join(shown) + more if known else "none were seen yet"
        which = "the nearest is" if near else "there are"
        return f"{family.name} has no member {name}; {which}: {told}"
    names = list(known_rules(engine))
    near = difflib.get_close_matches(name, names, 1)
    told = f"{near[0]} is the nearest" if near else "there are: " + ", ".join(sorted(names))
    return f"there is no rule {name}; {told}"
