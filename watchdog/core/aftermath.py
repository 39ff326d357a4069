"""What follows from an effect, or from its absence: outcomes, containment, drift.

Only a proven failure climbs the ladder. What cannot be proven either way is latched and paged.
Success is said only here, and only with the read-back that shows it.
"""

from __future__ import annotations

from shlex import quote

from watchdog.core import entries as e
from watchdog.core.anew import MOST_ANEW, differs
from watchdog.core.book import MANUAL, Book, Episode, OpenIntent
from watchdog.core.changes import Deploy
from watchdog.core.draft import Draft
from watchdog.core.inputs import last_rung
from watchdog.core.keeping import kept_by_others, left_alone
from watchdog.core.late import Tried
from watchdog.core.spec import Policy, Rung
from watchdog.core.states import Event, State
from watchdog.core.words import CheckReading, Direction, Truth, any_true

UNDOABLE = frozenset(
    {
        State.HELD,
        State.AWAITING,
        State.SHADOWED,
        State.VERIFYING,
        State.CONTAINED,
        State.LATCHED,
    }
)
"""States of an episode that can have something rolled back."""

MANUAL_WATCH_SECONDS = 60.0

AS_ORDERED = "as ordered, and no contained_when says more; read back"
"""Why what a person ordered is contained where nothing else judges it."""


def intent_ended(entry: e.IntentEnded, policy: Policy, draft: Draft) -> None:
    """Record how an intent ended and move every episode that it concerns."""
    ep = draft.book.episodes[entry.episode]
    if entry.direction is Direction.UNDO:
        _undo_ended(entry, ep, draft)
        return
    opened = draft.book.intents.get(entry.intent)
    draft.add(entry)
    match entry.outcome:
        case e.Outcome.DONE | e.Outcome.FOUND:
            draft.move(ep, Event.DESIRED, entry.reason)
            verb = "is" if entry.outcome is e.Outcome.FOUND else "is now, as read back,"
            draft.page(
                ep,
                f"{ep.rule}: {entry.target} {verb} rolled back by {entry.action}",
                f"Read back: {entry.read_back}. Undo with: slo-watchdog undo {ep.id}",
            )
        case e.Outcome.FAILED:
            climb_or_latch(ep, f"{entry.action} failed: {entry.reason}", policy, draft)
        case e.Outcome.UNKNOWN:
            latch(ep, f"{entry.action}: {entry.reason}", draft)
        case e.Outcome.ABANDONED if opened is not None and opened.differed:
            _decide_anew(opened, entry.reason, ep, policy, draft)
        case e.Outcome.ABANDONED if ep.rule == MANUAL:
            latch(ep, f"{entry.action} was not started: {entry.reason}", draft)
        case e.Outcome.ABANDONED:
            draft.move(ep, Event.ABANDONED, entry.reason)


def _decide_anew(
    opened: OpenIntent, reason: str, ep: Episode, policy: Policy, draft: Draft
) -> None:
    """What is there is not what was decided for, and nothing was tried: it is looked at first.

    Then the gates decide again, or who ordered it goes on. Others had approved something else.
    """
    action = opened.entry.action
    if action in policy.actions:
        draft.add(differs(action))
    if ep.differed > MOST_ANEW:
        latch(ep, f"{action} was decided {ep.differed} times, and overtaken: {reason}", draft)
    elif ep.rule == MANUAL and opened.entry.approved_by:
        latch(ep, f"{action} was not started: {reason}", draft)
    else:
        draft.move(ep, Event.ABANDONED, reason)


def verify(
    ep: Episode,
    rung: Rung,
    contained: tuple[CheckReading, ...],
    recovered: CheckReading,
    policy: Policy,
    draft: Draft,
) -> None:
    """Judge a proven effect: contained or recovered at any time, or neither when time is up.

    `contained` are the readings of the action's `contained_when`; all must hold. `recovered`
    counts events after the effect alone. What a person ordered has no rule that could recover:
    its `contained_when` judges it, and without one the read-back, which shows what was ordered.
    """
    truths = [c.truth for c in contained]
    held = _all_or_nothing(truths)
    judged = contained if ep.rule == MANUAL else (*contained, recovered)
    if not judged:
        _contained(ep, f"{AS_ORDERED}: {ep.read_back}", draft)
        return
    either = any_true(*([held] if held else []), *(c.truth for c in judged[len(contained) :]))
    if either is Truth.TRUE:
        _contained(ep, contained[0].reason if held is Truth.TRUE else recovered.reason, draft)
        return
    since = draft.now.steady - (ep.effect_at or ep.moved).steady
    if since < rung.within_seconds:
        return
    reasons = "; ".join(c.reason for c in judged)
    if either is Truth.FALSE:
        climb_or_latch(
            ep, f"not contained within {rung.within_seconds:g} s: {reasons}", policy, draft
        )
    else:
        latch(
            ep, f"cannot tell whether it helped within {rung.within_seconds:g} s: {reasons}", draft
        )


def _contained(ep: Episode, why: str, draft: Draft) -> None:
    draft.move(ep, Event.CONTAINED, why)
    draft.page(ep, f"{ep.rule}: contained by {ep.action}", why)


def drifted(target: str, action: str, seen: str, draft: Draft) -> None:
    """A target that we hold is changed, and not by us: tell people, change nothing back."""
    claims = draft.book.claimants(target)
    late = draft.book.late.may_show(target, draft.now, Direction.UNDO)
    draft.add(e.Drifted(target, action, tuple(c.episode for c in claims), seen))
    for claim in claims:
        ep = draft.book.episodes[claim.episode]
        deploy = _deployed_since(target, ep, draft.book)
        by = f"with the deploy {deploy.name} by {deploy.actor}" if deploy else "by somebody else"
        draft.add(e.ClaimReleased(ep.id, target, f"changed {by}"))
        draft.page(
            ep,
            f"{target} is back, by an undo that was given up or by somebody else, "
            f"while {ep.id} holds it"
            if late
            else f"{target} was changed {by} while {ep.id} holds it",
            f"Seen: {seen}. It is not forced back. {ep.rule} is watched; "
            f"to roll back again: {by_hand(action)}",
            target=target,
        )
        _undone(ep, f"drift: {seen}", "", draft)


def _deployed_since(target: str, ep: Episode, book: Book) -> Deploy | None:
    """The deploy that may have changed it: one under way, or ended since it was rolled back."""
    since = (ep.effect_at or ep.opened).steady
    ended = [one for one in book.deploys.last_of(target) if one.ended and one.ended.steady > since]
    return next(iter((*book.deploys.of(target), *ended)), None)


def came_late(one: Tried, seen: str, draft: Draft) -> None:
    """What had not shown when its intent ended shows now; who holds it by now is told with it."""
    draft.add(e.CameLate(one.intent, one.episode, one.action, one.target, seen))
    ep = draft.book.episodes.get(one.episode)
    if ep is None:
        return
    whose = "It came late, or somebody else did it since"
    held = any(claim.episode == ep.id for claim in draft.book.claimants(one.target))
    then = (
        f"{ep.id} holds it from now on. Undo with: slo-watchdog undo {ep.id}"
        if held
        else f"{ep.id} is over, so nobody holds it: if it is not meant so, put it back by hand"
    )
    draft.page(
        ep,
        f"{ep.rule}: {one.target} is rolled back after {one.action} was given up",
        f"Read back: {seen}. {whose}. {then}",
        target=one.target,
    )


def policy_changed(old: Policy | None, new: Policy, draft: Draft) -> None:
    """Tell of every claim that nothing in the policy looks after from now on."""
    for claim in left_alone(draft.book.every_claim(), old, new):
        ep = draft.book.episodes[claim.episode]
        draft.page(
            ep,
            f"{claim.target} is not looked after any more: the policy has no {claim.action} for it",
            f"{ep.id} ({ep.rule}) holds it. Its drift is not watched, and undo is not possible. "
            f"Apply a policy that has {claim.action} again, or restore {claim.target} by hand and "
            f"then: slo-watchdog close {ep.id} --reason TEXT",
            target=claim.target,
        )


def tend_manual(draft: Draft) -> None:
    """Episodes that a person commanded have no rule to watch them: they are quiet by time.

    One that gave up its claim to another, which holds the target on, has nothing left to end by.
    """
    for ep in list(draft.book.open_episodes()):
        watched = draft.now.steady - ep.moved.steady
        if ep.rule == MANUAL and ep.state is State.CONTAINED and not draft.book.claims_of(ep.id):
            left = kept_by_others(ep, draft.book)
            draft.move(ep, Event.SPENT, f"it holds nothing any more{left and '; '}{left}")
        if ep.rule != MANUAL or watched < MANUAL_WATCH_SECONDS:
            continue
        if ep.state is State.WATCHED:
            draft.move(ep, Event.QUIET, "undone, and nothing asked for it again")
        elif ep.state is State.HELD:  # who ordered it was to go on, and is not there any more
            reason = ep.reason
            draft.move(ep, Event.CLOSED, f"not started, and nobody waits for it: {reason}")
            draft.page(
                ep,
                f"{ep.action} was ordered by {ep.actor} and not started: {reason}",
                f"Nothing was changed. To order it again: {by_hand(ep.action)}",
            )


def climb_or_latch(ep: Episode, reason: str, policy: Policy, draft: Draft) -> None:
    """A proven failure: the next rung if the rule may reach one, else a person."""
    rule = policy.rule(ep.rule)
    if rule is not None and ep.rung < last_rung(rule, policy):
        draft.move(ep, Event.CLIMB, reason, rung=ep.rung + 1)
        draft.page(
            ep,
            f"{ep.rule}: {reason}",
            f"Every gate is asked for its next rung. See: slo-watchdog why {quote(ep.rule)}",
        )
        return
    _latch(ep, Event.EXHAUSTED, reason, draft)


def latch(ep: Episode, reason: str, draft: Draft) -> None:
    """Something cannot be proven: nothing more is done by itself."""
    _latch(ep, Event.UNREADABLE, reason, draft)


def _latch(ep: Episode, event: Event, reason: str, draft: Draft) -> None:
    draft.move(ep, event, reason)
    draft.page(
        ep,
        f"{ep.rule}: a person must look: {reason}",
        f"Nothing more is done by itself. See: {_look_at(ep)}; "
        f"when it is settled: slo-watchdog close {ep.id} --reason TEXT",
    )


def _undo_ended(entry: e.IntentEnded, asked: Episode, draft: Draft) -> None:
    opened = draft.book.intents.get(entry.intent)
    actor = opened.entry.actor if opened is not None else ""
    concerned = {asked.id, *(c.episode for c in draft.book.claimants(entry.target))}
    draft.add(entry)
    if entry.outcome not in {e.Outcome.DONE, e.Outcome.FOUND}:
        draft.page(
            asked,
            f"undo of {entry.action} {entry.outcome.value}: {entry.reason}",
            f"{entry.target} read back: {entry.read_back or 'not readable'}.",
            target=entry.target,
        )
        return
    title = f"{entry.target} is back, as read back"
    if not asked.is_open:  # closed meanwhile: who heard of the one is to hear of the other
        draft.page(asked, title, entry.read_back, target=entry.target)
    for ep in list(draft.book.open_episodes()):
        if ep.id in concerned:
            draft.page(ep, title, entry.read_back, target=entry.target)
            _undone(ep, entry.reason, actor, draft)


def _undone(ep: Episode, reason: str, actor: str, draft: Draft) -> None:
    """One of its rollbacks is gone. It is watched only when none is left in place.

    What a person ordered and a person undid is settled by that word, also where it had latched:
    no rule is in trouble, and nothing is left to look at.
    """
    if ep.state not in UNDOABLE:
        return
    left = ", ".join(claim.target for claim in draft.book.claims_of(ep.id))
    if not left:
        latched = ep.state is State.LATCHED
        draft.move(ep, Event.UNDONE, reason, actor=actor)
        if latched and ep.rule == MANUAL and actor:
            draft.move(ep, Event.CLOSED, f"undone: {reason}", actor=actor)
    elif ep.state is State.VERIFYING:
        latch(ep, f"undone while it was verified, and {left} stays rolled back: {reason}", draft)


def _all_or_nothing(truths: list[Truth]) -> Truth | None:
    """All must be true; one proven false decides; None where nothing is asked."""
    if not truths:
        return None
    if Truth.FALSE in truths:
        return Truth.FALSE
    return Truth.UNKNOWN if Truth.UNKNOWN in truths else Truth.TRUE


def by_hand(action: str) -> str:
    """The command of a person's own rollback, as it can be given."""
    return f"slo-watchdog rollback {quote(action)} --kind technical --reason WHY"


def _look_at(ep: Episode) -> str:
    """The command that shows it; no rule judges what a person ordered."""
    return "slo-watchdog status" if ep.rule == MANUAL else f"slo-watchdog why {quote(ep.rule)}"
