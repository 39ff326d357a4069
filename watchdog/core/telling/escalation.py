"""Who is told next when nobody answers, and how often those who know are told again.

The law: the steps of a severity are counted from the first page that needed somebody. A step that
is for want of an answer is taken while people are waited for and nobody has said `ack`; one
that is for want of an end is taken until the trouble is over. Each is taken once in an episode, and
is on the record, known by what it is and not by its place: contacts may change in mid-episode. One
that was taken before a step is due was not that step, whatever it told. What is silenced escalates
to nobody until the silence ends. A blindness calls people as an episode does (`blindness.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchdog.core import entries as e
from watchdog.core.approving import commands_for
from watchdog.core.book import Episode
from watchdog.core.draft import Draft
from watchdog.core.paging import Whom
from watchdog.core.spec import Policy
from watchdog.core.states import WAITS_FOR_PEOPLE, State
from watchdog.core.telling.blindness import call_about_blindness, calling, forget_strangers
from watchdog.core.telling.contacts import Ladder, Step, Unless
from watchdog.core.telling.notes import Fate, NoteTold, StepKnown, blindness_of
from watchdog.core.telling.routing import names_of
from watchdog.core.telling.topics import Topic
from watchdog.core.text import duration
from watchdog.core.urgency import Urgency
from watchdog.core.words import World

_ROUNDED_SECONDS = 1.0
"""How far the time of a step on the record may lie before its own, by rounding."""

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
        if ep.world is not World.LIVE or ep.id not in draft.book.notes.first or draft.silenced(ep):
            continue
        ladder = policy.contacts.ladder(ep.severity)
        for number, step in _due(ep.id, ladder, draft):
            if _wants(step, ep):
                _take(number, step, ep, policy, draft)
        _update(ep, ladder.update_seconds, draft)
    for rule in list(calling(policy, draft)):
        ladder = policy.contacts.ladder(rule.severity)
        for number, step in _due(blindness_of(rule.name), ladder, draft):
            call_about_blindness(number, step, rule, draft)


def _due(matter: str, ladder: Ladder, draft: Draft) -> list[tuple[int, Step]]:
    """The steps of a matter whose time has come, and that were not taken; with their numbers."""
    notes = draft.book.notes
    since = notes.first[matter]
    lasted = draft.now.steady - since.steady
    taken = [(what, at.steady - since.steady) for what, at in notes.steps.get(matter, ())]
    untaken = sorted(_untaken(ladder.steps, taken), key=lambda one: one[0])
    return [(number, step) for number, step in untaken if lasted >= step.after_seconds]


def _untaken(
    steps: Sequence[Step], taken: list[tuple[StepKnown, float]]
) -> Iterator[tuple[int, Step]]:
    """With their numbers; `taken` tells when, in seconds since people were first needed.

    The latest first: what was taken late enough for it may also stand for one that is due before.
    """
    left = list(taken)
    for number, step in sorted(
        enumerate(steps), key=lambda one: one[1].after_seconds, reverse=True
    ):
        known = (names_of(step.tell), step.by, step.unless.value)
        enough = step.after_seconds - _ROUNDED_SECONDS
        match = next((one for one in left if one[0] == known and one[1] >= enough), None)
        if match is None:
            yield number, step
        else:
            left.remove(match)


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
        f"{ep.rule}: {why}: {ep.state.value}: {ep.reason}",
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
            f"{ep.rule}: still {ep.state.value}: {ep.reason}",
            ep.read_back and f"Read back: {ep.read_back}",
            whom=Whom(topic=Topic.UPDATE, urgency=Urgency.NEWS),
        )
