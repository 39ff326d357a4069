"""Why an episode is where it is, by now: a held one is judged once more, nothing is recorded.

The record names a refusal once, when it is new. One that came, went and came again is not named
again there; whoever asks what holds an episode back now must not be told of what is over.
"""

from __future__ import annotations

from functools import cached_property

from watchdog.core.entries import Ruling
from watchdog.core.gates import rule_on
from watchdog.core.inputs import Scene, gate_inputs, next_rung
from watchdog.core.spec import RuleSpec
from watchdog.core.standing import Episode
from watchdog.core.states import State
from watchdog.engine.engine import Engine
from watchdog.engine.shapes import DecisionShape


class Reasons:
    """Of any number of episodes, at one moment."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, ep: Episode) -> str:
        """Why it stands as it does; of one whose undo came to nothing, that as well."""
        refusal = self._refusal(ep) if ep.state is State.HELD else ""
        reason = ep.reason if refusal in ep.reason else refusal
        in_vain = ep.undo_in_vain if ep.is_open and not ep.intent else ""
        return reason if in_vain in reason else f"{reason}; {in_vain}"

    @cached_property
    def _scene(self) -> Scene:
        engine = self._engine
        return Scene(engine.in_force(), engine.facts(), engine.recorder.draft())

    def _refusal(self, ep: Episode) -> str:
        """What refuses it now; what did last, where that cannot be told; "" where nothing did."""
        last = ep.refusals[-1] if ep.refusals else ""
        rule, memory = self._engine.in_force().rule(ep.rule), self._engine.memory.of(ep.rule)
        if rule is None or memory is None or memory.sight is None:
            return last
        rung = next_rung(rule, ep, self._scene.policy)
        if rung is None:
            return last
        judgement = rule_on(gate_inputs(rule, ep, rung, memory.sight, self._scene))
        return judgement.reason if judgement.ruling is Ruling.REFUSED else last


def not_acting(
    engine: Engine, rule: RuleSpec, ep: Episode | None, last: DecisionShape | None
) -> str:
    """One sentence for the night: why nothing is being done right now. `last` is its decision."""
    memory = engine.memory.of(rule.name)
    if memory is None or memory.sight is None:
        return "nothing has been read yet"
    if ep is None:
        return f"{memory.sight.verdict.status.value}: {memory.sight.verdict.reason}"
    if ep.state is State.PENDING:
        held = memory.sight.held_seconds
        return f"breached for {held:g} s of the {rule.for_seconds:g} s that it must last"
    if ep.state is State.HELD:
        return f"refused: {Reasons(engine).of(ep)}"
    if last is not None and last["episode"] == ep.id and last["ruling"] != "allowed":
        return f"{last['ruling']}: {last['reason']}"
    return f"{ep.state.value}: {Reasons(engine).of(ep)}"
