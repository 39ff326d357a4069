"""How far a rule goes, as people are shown it: by the very limits that the gates judge by."""

from __future__ import annotations

from functools import lru_cache

from watchdog.core.book import Episode
from watchdog.core.evidence import EARNED
from watchdog.core.gates import ModeLimit, lowest
from watchdog.core.inputs import PROCESS, Facts, last_rung, mode_limits
from watchdog.core.promotion import lacks
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Mode
from watchdog.engine.engine import Engine
from watchdog.engine.shapes import RungShape

LIMITS = ("process", "rung", "evidence", "episode")
"""What can lower a rule below the mode that it declares, in a word each."""


def standing_mode(engine: Engine, rule: RuleSpec) -> ModeLimit:
    """What counts on the rung that the rule stands before, and who says so."""
    ep = engine.book.open_episode(rule.name)
    return _on_rung(engine, rule, ep, ep.rung if ep else 0)


def lowered_by(rule: RuleSpec, limit: ModeLimit) -> str:
    """One of LIMITS; "" where the rule goes as far as it declares."""
    if limit.mode >= rule.mode:
        return ""
    if limit.who.startswith(EARNED):
        return "evidence"
    if limit.who == PROCESS:
        return "process"
    return "rung" if limit.who.startswith("rung ") else "episode"


def mode_reason(engine: Engine, rule: RuleSpec, limit: ModeLimit) -> str:
    """Why it goes so far and no further. `limit` is its standing mode."""
    if limit.mode < rule.mode:
        lowered = f"lowered by {limit.who.removeprefix('process ')} = {limit.mode.word}"
        return lowered + (f": needs {still_missing(engine, rule)}" if limit.who == EARNED else "")
    if rule.mode is not Mode.ARMED or rule.armed_because:
        return f"armed because: {rule.mode_reason}" if rule.armed_because else rule.mode_reason
    evidence = engine.book.merits.evidence.get(rule.proof)
    if evidence is not None and evidence.promoted is not None:
        return f"armed since {evidence.promoted.utc:%Y-%m-%d}, by what it has earned"
    return f"armed because: {rule.mode_reason}"


def still_missing(engine: Engine, rule: RuleSpec) -> str:
    """What it lacks to be armed by evidence, in one line."""
    now, needed = engine.ports.clock.now(), engine.process.shadow_seconds or 0.0
    return "; ".join(lacks(rule, engine.in_force(), engine.book, needed, now))


def rungs(engine: Engine, rule: RuleSpec) -> list[RungShape]:
    """Each rung that the rule may reach, and how far it goes there."""
    policy, ep = engine.in_force(), engine.book.open_episode(rule.name)
    if rule.playbook is None:
        return []
    found: list[RungShape] = []
    for number in range(last_rung(rule, policy) + 1):
        rung = policy.playbooks[rule.playbook].rungs[number]
        limit = _on_rung(engine, rule, ep, number)
        found.append(
            {
                "action": rung.action,
                "mode": rung.mode.word,
                "effective_mode": limit.mode.word,
                "by": limit.who,
            }
        )
    return found


def _on_rung(engine: Engine, rule: RuleSpec, ep: Episode | None, number: int) -> ModeLimit:
    facts = _facts(engine.process.max_mode, engine.process.shadow_seconds)
    now = engine.ports.clock.now()
    return lowest(mode_limits(rule, ep, number, engine.in_force(), facts, engine.book, now))


@lru_cache(maxsize=16)
def _facts(ceiling: Mode, shadow_seconds: float | None) -> Facts:
    return Facts("", "", ceiling, shadow_seconds=shadow_seconds)
