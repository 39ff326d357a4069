"""What the watchdog does next about an episode by itself, when, and which command stops it.

For the first line of a message: who reads it on a phone at night has to know whether to get up.
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from watchdog.core.book import MANUAL, Book, Episode
from watchdog.core.inputs import last_rung
from watchdog.core.spec import Policy, Rung
from watchdog.core.states import State
from watchdog.core.words import Instant, Mode

NOTHING = "nothing by itself"
HELPS = " unless it helps"


@dataclass(frozen=True, slots=True)
class NextStep:
    """`text` may stand alone; `at` is when, where that is known, and `unless` comes after it;
    `stop` is a command, or "".
    """

    text: str
    at: Instant | None = None
    stop: str = ""
    unless: str = ""


def next_step(ep: Episode, book: Book, policy: Policy) -> NextStep:  # noqa: PLR0911  # one a state
    """By what stands in the book now."""
    hold = f"slo-watchdog hold --rule {quote(ep.rule)} --for 1h --reason WHY"
    match ep.state:
        case State.PENDING:
            return NextStep("the gates are asked once it has lasted", stop=hold)
        case State.HELD:
            return _held(ep, policy, hold)
        case State.AWAITING:
            asked = book.requests.open.get(ep.id)
            ends = asked.asked.expires if asked is not None else None
            return NextStep("the request expires", ends, f"slo-watchdog deny {ep.id} --reason WHY")
        case State.ACTING:
            intent = book.intents.get(ep.intent)
            by = intent.entry.deadline if intent is not None else None
            return NextStep(f"{ep.action} is read back, at the latest", by)
        case State.VERIFYING:
            return _climb(ep, policy, hold)
        case State.CONTAINED:
            return NextStep(NOTHING, stop=f"slo-watchdog undo {ep.id}")
        case State.WATCHED if ep.rule != MANUAL:  # else no rule judges it
            return NextStep("a fresh breach acts anew", stop=hold)
        case State.LATCHED:
            return NextStep(NOTHING, stop=f"slo-watchdog close {ep.id} --reason WHY")
    return NextStep(NOTHING)


def _held(ep: Episode, policy: Policy, hold: str) -> NextStep:
    if ep.barred:
        return NextStep(NOTHING, stop=f"slo-watchdog act {ep.id} --reason WHY")
    rule = policy.rule(ep.rule) if ep.rule != MANUAL else None
    if rule is not None and (rule.playbook is None or rule.mode <= Mode.OBSERVE):
        return NextStep(NOTHING)  # it only gives verdicts
    return NextStep("it acts once no gate refuses", stop=hold)


def _climb(ep: Episode, policy: Policy, hold: str) -> NextStep:
    rule = policy.rule(ep.rule) if ep.rule != MANUAL else None
    if rule is None or rule.playbook is None:
        return NextStep(NOTHING, stop=f"slo-watchdog undo {ep.id}")
    rungs = policy.playbooks[rule.playbook].rungs
    since = ep.effect_at or ep.moved
    ends = since.plus(rungs[ep.rung].within_seconds) if ep.rung < len(rungs) else None
    if ep.rung >= last_rung(rule, policy) or ep.rung + 1 >= len(rungs):
        return NextStep("a person is called", ends, unless=HELPS)
    return NextStep(_verb(rungs[ep.rung + 1]), ends, hold, HELPS)


def _verb(rung: Rung) -> str:
    return f"{rung.action} {'starts' if rung.mode is Mode.ARMED else 'is asked for'}"
