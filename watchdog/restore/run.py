"""One start of the helper: accept a request, or go on with one that was accepted, to its end.

no mark yet            everything is checked; then the nonce is spent, then the first mark written
marks, not ended       goes on at the first step that has no mark: for a day, or when root asks
ended                  nothing, or its undoing where root asks, or where a request of its own is
                       approved by as many people
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from watchdog.restore.gate import approved
from watchdog.restore.places import Places
from watchdog.restore.plan import Plan, is_id, read_plan
from watchdog.restore.refused import Refused
from watchdog.restore.rules import Rules, read_rules
from watchdog.restore.state import Desk, State, alone, refuse, spend, unfinished
from watchdog.restore.steps import steps_of

_ENDED = {"restore": "done", "undo": "undone", "back out": "backed out"}
_RESUMES_BY_ITSELF_SECONDS = 86400.0


@dataclass(frozen=True, slots=True)
class Helper:
    places: Places
    now: Callable[[], float] = time.time

    def run(self, name: str) -> int:
        """The exit status: 0 where it ended as was asked for."""
        if not is_id(name):
            return self._refused("", f"{name!r} is no id of 32 hexadecimal digits")
        desk = Desk(self.places, name)
        try:
            desk.prepare()
            with alone(self.places):
                state = desk.load()
                if state is None:
                    state = self._accepted(desk)
                return self._go_on(desk, state)
        except Refused as refused:
            return self._refused(name, str(refused))
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            return self._refused(name, f"{where}{error.strerror or error}")

    # -- beginning --------------------------------------------------------------------------------

    def _accepted(self, desk: Desk) -> State:
        try:
            return self._accept(desk)
        except (Refused, OSError):
            if desk.load() is None:
                shutil.rmtree(self.places.of(desk.id), ignore_errors=True)  # it was never begun
            raise

    def _accept(self, desk: Desk) -> State:
        plan, rules, people = approved(desk.id, self.places, self.now())
        other = unfinished(self.places, besides=plan.of or desk.id)
        if other and other != desk.id:
            raise Refused(f"restore {other} is not ended: resume or undo it first")
        state = State(desk.id, plan.text, list(people), self.now())
        if plan.act == "undo":
            self._same(plan)
            state.course = "undo request"
        else:
            with steps_of(desk, state, plan, rules) as steps:
                steps.check()
        spend(self.places, plan.nonce, plan.id, plan.digest)
        desk.keep(state)
        return state

    def _same(self, plan: Plan) -> None:
        """An undo must say of the restore that it undoes what that one's approvers had read."""
        before = Desk(self.places, plan.of).load()
        if before is None:
            raise Refused(f"no restore {plan.of} was ever begun here")
        theirs = read_plan(before.text.encode())
        for name in ("archive", "sha256", "root", "services", "host"):
            if getattr(plan, name) != getattr(theirs, name):
                raise Refused(f"{name} is not that of the restore {plan.of}")

    # -- going on ---------------------------------------------------------------------------------

    def _go_on(self, desk: Desk, state: State) -> int:
        plan, rules = read_plan(state.text.encode()), read_rules(self.places.rules)
        if plan.act == "undo":
            return self._undo_for(desk, state, plan)
        wanted = desk.wanted()
        if wanted == "undo":
            _turn(state)
        elif not state.ended and not wanted and self._too_old(state):
            raise Refused("it was left for more than a day: root must resume or undo it")
        desk.keep(state)
        desk.heard()
        return 0 if state.ended and not wanted else self._follow(desk, state, plan, rules)

    def _undo_for(self, desk: Desk, state: State, plan: Plan) -> int:
        """Undo another restore, for a request of its own."""
        if state.ended:
            return 0
        other = Desk(self.places, plan.of)
        before = other.load()
        if before is None:
            raise Refused(f"the restore {plan.of} is gone")
        _turn(before)
        other.keep(before)
        theirs = read_plan(before.text.encode())
        status = self._follow(other, before, theirs, read_rules(self.places.rules))
        state.ended, state.reason = before.ended, before.reason
        desk.result({**self._told(before), "id": desk.id, "of": plan.of, "people": state.people})
        desk.keep(state)
        return status

    def _too_old(self, state: State) -> bool:
        return self.now() > state.accepted_at + _RESUMES_BY_ITSELF_SECONDS

    def _follow(self, desk: Desk, state: State, plan: Plan, rules: Rules) -> int:
        with steps_of(desk, state, plan, rules) as steps:
            while not state.ended:
                left = [one for one in steps.courses[state.course] if one[0] not in state.done]
                if not left:
                    state.ended = _ENDED[state.course]
                    break
                name, do = left[0]
                _say(f"{state.course}: {name} ...")
                began = time.monotonic()
                try:
                    do()
                except (Refused, OSError) as error:
                    why = f"{name}: {error}"
                    if state.course != "restore" or "saved" in state.done:
                        return self._stuck(desk, state, why)
                    state.course, state.reason = "back out", why
                else:
                    state.done.append(name)
                    state.seconds[name] = round(time.monotonic() - began, 3)
                desk.keep(state)
        desk.result(self._told(state))  # before the mark: after a death here it is written again
        desk.keep(state)
        _say(f"{state.ended}: {state.reason or 'as asked'}")
        return 0 if state.ended != "backed out" and not state.troubles else 1

    def _stuck(self, desk: Desk, state: State, why: str) -> int:
        state.reason = why
        desk.keep(state)
        desk.result({**self._told(state), "outcome": "stuck"})
        _say(f"stuck, to be resumed or undone: {why}")
        return 1

    def _told(self, state: State) -> dict[str, Any]:
        unproven = state.ended == "done" and state.troubles
        return {
            "id": state.id,
            "outcome": "unverified" if unproven else state.ended,
            "reason": state.reason or "; ".join(state.troubles),
            "people": state.people,
            "units": state.units,
            "seconds": state.seconds,
            "verified": state.verified,
            "saved": str(self.places.of(state.id) / "saved.tar") if state.saved else "",
            "at": self.now(),
        }

    def _refused(self, name: str, why: str) -> int:
        _say(f"refused: {why}")
        if name:
            told = {"id": name, "outcome": "refused", "reason": why, "at": self.now()}
            refuse(self.places, name, told)
        return 1


def _say(text: str) -> None:
    """For the service's journal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _turn(state: State) -> None:
    """Onto the way back, from wherever it is; where it is back already, nothing changes."""
    if state.course == "restore":
        state.course = "undo" if "saved" in state.done else "back out"
        state.ended, state.reason, state.troubles = "", "", []
