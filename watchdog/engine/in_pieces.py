"""Something of every rule, without holding the loop for as long as a thousand of them take."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from watchdog.core.spec import RuleSpec
from watchdog.engine.engine import Engine

AT_ONCE = 20
"""Rules that are told in one turn of the loop."""

Shown = TypeVar("Shown")


async def of_rules(engine: Engine, shown: Callable[[RuleSpec], Shown]) -> list[Shown]:
    """Of every rule in force, some in each turn; anew where others come into force meanwhile."""
    while True:
        policy, found = engine.in_force(), list[Shown]()
        for number, rule in enumerate(policy.rules.values()):
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
                if engine.in_force() is not policy:
                    break
            found.append(shown(rule))
        else:
            return found
