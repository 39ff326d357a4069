"""Who is told next when nobody answers, and how often those who know are told again.

The law: a step that is for want of an answer is counted from the first page that needed somebody,
and taken while people are waited for and nobody has said `ack`; one that is for want of an end is
counted from the first page, and taken until the trouble is over. Each is taken once in an episode,
and is on the record. What is silenced escalates to nobody until the silence ends, and what it kept
back is told then (`kept_back.py`). Blindness calls people as well (`blindness.py`).
"""

from __future__ import annotations

from watchdog.core import entries as e
from watchdog.core.approving import commands_for
from watchdog.core.book import Episode
from watchdog.core.draft import Draft
from watchdog.core.paging import Whom
from watchdog.core.spec import Policy
from watchdog.core.states import WAITS_FOR_PEOPLE, State
from watchdog.core.telling.blindness import forget_strangers, tend_blindness
from watchdog.core.telling.contacts import Step, Unless
from watchdog.core.telling.due import Since, due_steps
from watchdog.core.telling.kept_back import tell_what_was_kept_back
from watchdog.core.telling.notes import Fate, NoteTold
from watchdog.core.telling.routing import names_of
from watchdog.core.telling.topics import Topic
from watchdog.core.text import duration
from watchdog.core.urgency import Urgency
from watchdog.core.words import World

OVER = frozenset({State.OK, State.WATCHED})


def tend_people(policy: Policy, draft: Draft) -> None:
    """What is due by time: steps, updates, and what nobody is told of any more."""
    late = draft.book.notes.overdue(draft.now)
    if late:
        draft.add(NoteTold(late, "", Fate.DROPPED, "too old, or too many wait"))
    forget_strangers(policy, draft)
    if policy.contacts is None:
        return
    for ep in list(draft.book.open_episodes()):
        if ep.world is not World.LIVE or draft.silenced(ep):
            continue
        tell_what_was_kept_back(ep, _asked(ep, policy, draft), draft)
        if ep.id not in draft.book.notes.first:
            continue
        ladder = policy.contacts.ladder(ep.severity)
        for number, step in due_steps(ep.id, ladder.steps, since_when(ep.id, draft), draft):
            if _wants(step, ep):
                _take(number, step, ep, policy, draft)
        _update(ep, ladder.update_seconds, draft)
    tend_blindness(policy, policy.contacts, draft)


def since_when(matter: str, draft: Draft) -> Since:
    """Steps for want of an answer are counted from when somebody had to answer."""
    notes = draft.book.notes
    return {Unless.ACKNOWLEDGED: notes.needed.get(matter), Unless.RESOLVED: notes.first.get(matter)}


def _wants(step: Step, ep: Episode) -> bool:
    if step.unless is Unless.RESOLVED:
        return ep.state not in OVER
    return not ep.acked_by and ep.state in WAITS_FOR_PEOPLE


def _take(number: int, step: Step, ep: Episode, policy: Policy, draft: Draft) -> None:
    tells = names_of(step.tell)
    lasted = duration(step.after_seconds)
    what = "resolved" if step.unless is Unless.RESOLVED else "answered"
    why = f"not {what} for {lasted}" if step.after_seconds else "you are called"
    draft.add(e.Escalated(ep.id, number, tells, why, step.by, step.unless.value))
    draft.page(
        ep,
        f"{ep.rule}: {why}: {ep.state.value}: {ep.because}",
        f"{_asked(ep, policy, draft)}Say that you are looking: slo-watchdog ack {ep.id}",
        whom=Whom(tells, step.by, Topic.ESCALATED, Urgency.NOW),
    )


def _asked(ep: Episode, policy: Policy, draft: Draft) -> str:
    """The commands of what people are asked for; who is called last has seen no page of it."""
    request = draft.book.requests.open.get(ep.id)
    action = policy.actions.get(request.asked.action) if request is not None else None
    if request is None or action is None:
        return ""
    return f"{commands_for(request.asked, action)}. "


def _update(ep: Episode, every_seconds: float | None, draft: Draft) -> None:
    last = draft.book.notes.last.get(ep.id)
    if every_seconds is None or last is None or ep.state in OVER:
        return
    if draft.now.steady - last.steady >= every_seconds:
        draft.page(
            ep,
            f"{ep.rule}: still {ep.state.value}: {ep.because}",
            ep.read_back and f"Read back: {ep.read_back}",
            whom=Whom(topic=Topic.UPDATE, urgency=Urgency.NEWS),
        )
