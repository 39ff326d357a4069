"""One rule's turn in a pass: from its verdict to what is recorded about it.

Pure: the same policy, book, sight and facts give the same entries. The order within a turn is
blindness, clearing, then the episode. A turn starts nothing itself: an IntentOpened in the draft
is done by the runner once it is recorded.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from shlex import quote

from watchdog.core import entries as e
from watchdog.core.alerting import alert_labels
from watchdog.core.anew import is_news
from watchdog.core.approving import approved_command_refused, ask_people, still_approved
from watchdog.core.book import MANUAL, Episode
from watchdog.core.channels import EventSignal
from watchdog.core.deciding import decided_on
from watchdog.core.draft import Draft
from watchdog.core.episode import RISING, move
from watchdog.core.gates import FLOAT_DUST, Judgement, refused_by_now, rule_on
from watchdog.core.inputs import Scene, Sight, gate_inputs, next_rung, opening_world, rung_target
from watchdog.core.judge.told import none_is_fresh
from watchdog.core.keeping import kept_by_others
from watchdog.core.paging import Whom
from watchdog.core.persistence import longest_gap_seconds
from watchdog.core.promotion import attend
from watchdog.core.spec import RuleSpec
from watchdog.core.standing import Blindness
from watchdog.core.starting import open_intent
from watchdog.core.states import BLINDS, Event, State
from watchdog.core.stops import Subject, acts_through, standing_stops
from watchdog.core.telling.blindness import sees_again
from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.words import Blind, Direction, Status, Truth, Verdict

MAX_CHAIN = 2
"""How often a breach after an undo may reopen before people must look."""


def take_turn(rule: RuleSpec, sight: Sight, scene: Scene) -> None:
    """Judge one rule once more and add what is new to the scene's draft."""
    draft = scene.draft
    _note_blindness(rule, sight, draft)
    attend(rule, sight, scene)
    _note_clearing(rule, sight.verdict, draft)
    if rule.is_family:
        return  # its members have the episodes
    ep = draft.book.open_episode(rule.name)
    if ep is not None and ep.state is State.WATCHED:
        ep = _watch(rule, ep, sight, scene)
    elif ep is None and sight.verdict.status is Status.BREACHED:
        ep = _open(rule, sight, scene, reopens=None)
    if ep is None:
        return
    _bar(rule, ep, sight, scene)
    match sight.verdict.status:
        case Status.HEALTHY:
            _healthy(rule, ep, sight, draft)
        case Status.BREACHED:
            _breached(rule, ep, sight, scene)
        case Status.BLIND:
            pass  # holds, freezes `for`, and pages by itself; it never moves an episode


# -- blindness and clearing ------------------------------------------------------------------------


def _note_blindness(rule: RuleSpec, sight: Sight, draft: Draft) -> None:
    """Record where blindness begins and ends, and page it when its time has come."""
    verdict = sight.verdict
    blindness = draft.book.blind.get(rule.name)
    if verdict.status is not Status.BLIND:
        if blindness is not None:
            sees_again(rule, verdict.reason, draft)
        return
    kind = verdict.blind or Blind.OURS
    if blindness is None or kind not in blindness.kinds:
        draft.add(e.BlindBegan(rule.name, kind, verdict.reason))
        blindness = draft.book.blind[rule.name]
    ep = draft.book.open_episode(rule.name)
    state = ep.state if ep else State.OK
    if state in BLINDS or (blindness.paged and not _may_tell_again(blindness, rule, draft)):
        return
    in_breach = state in {State.PENDING, State.HELD, State.AWAITING}
    lasted = draft.now.steady - blindness.since.steady >= rule.page_after_seconds
    due = (lasted or kind is Blind.BUG) and not sight.told_elsewhere
    if due or (in_breach and kind is not Blind.NOT_YET):
        draft.page_about_rule(
            rule,
            "blind",
            f"{rule.name} is blind{' in mid-breach' if in_breach else ''}: {verdict.reason}",
            "It cannot be judged, and nothing is started or ended for it until it can. "
            f"See: slo-watchdog why {quote(rule.name)}",
        )


def _may_tell_again(blindness: Blindness, rule: RuleSpec, draft: Draft) -> bool:
    """Nobody has heard of it yet, and by now somebody would."""
    tells = draft.book.policy is not None and draft.book.policy.tells
    return blindness.muted and tells and not draft.silences_rule(rule, "blind")


def _note_clearing(rule: RuleSpec, verdict: Verdict, draft: Draft) -> None:
    """A family that was looked at with success was clear of all who are not there."""
    if rule.is_family:
        seen = verdict.status is not Status.BLIND
        if seen and rule.name not in draft.book.cleared:
            draft.add(e.RuleCleared(rule.name))
        return
    if verdict.status is Status.HEALTHY and verdict.clear and rule.name not in draft.book.cleared:
        draft.add(e.RuleCleared(rule.name))


# -- opening ---------------------------------------------------------------------------------------


def _watch(rule: RuleSpec, ep: Episode, sight: Sight, scene: Scene) -> Episode | None:
    """After an undo: quiet for long enough ends it, a fresh breach reopens it, at most twice.

    Fresh is a breach shown by events after the undo alone: a long window stays breached by what
    happened before it.
    """
    draft = scene.draft
    if sight.verdict.status is not Status.BREACHED:
        watched = draft.now.steady - ep.moved.steady
        if sight.verdict.status is Status.HEALTHY and watched >= rule.watch_seconds:
            draft.move(ep, Event.QUIET, f"quiet for {rule.watch_seconds:g} s after the undo")
        return None
    if sight.recovered_since_undo is not Truth.FALSE:
        return None
    if ep.chain >= MAX_CHAIN:
        draft.move(ep, Event.EXHAUSTED, f"breached again after {ep.chain} reopenings")
        draft.page(ep, f"{ep.rule}: breached again after every undo", "A person must look.")
        return None
    bad = sight.first_bad
    if bad is not None and bad.steady < ep.moved.steady:
        bad = ep.moved  # what was bad before the undo belongs to the episode before
    return _reopen(rule, replace(sight, first_bad=bad), scene, ep)


def _reopen(rule: RuleSpec, sight: Sight, scene: Scene, ep: Episode) -> Episode:
    """Another episode goes on where this one ends. Nothing is over: who heard of this one hears of
    that first, so that a pager opens what goes on before it closes what ended.
    """
    draft = scene.draft
    why = "breached again while watched"
    known, after = ep.id in draft.book.notes.last, move(ep.state, Event.FRESH_BREACH)
    draft.add(e.EpisodeMoved(ep.id, ep.state, Event.FRESH_BREACH, after, ep.rung, why))
    again = _open(rule, sight, scene, reopens=ep)
    draft.page(
        again,
        f"{rule.name} is breached again, after the undo of {ep.id}",
        sight.verdict.reason,
        whom=Whom(topic=Topic.OPENED),
    )
    if known:
        told = Whom(topic=Topic.RESOLVED, urgency=Urgency.NEWS)
        draft.page(ep, f"{rule.name}: {ep.id} goes on as {again.id}: {why}", "", whom=told)
    return again


def _open(
    rule: RuleSpec,
    sight: Sight,
    scene: Scene,
    *,
    reopens: Episode | None,
) -> Episode:
    draft = scene.draft
    name = draft.book.next_id("E")
    barred = ""
    if reopens is None and rule.name not in draft.book.cleared:
        barred = "already burning: not once clear since it was started, armed or closed"
    else:
        barred = _nothing_fresh(rule, sight)
    world = opening_world(rule, scene.facts, draft.book)
    seen = sight.breached or draft.now
    if reopens is not None:
        seen = max(seen, reopens.moved, key=lambda at: at.steady)
    unrecorded = draft.now.steady - seen.steady > longest_gap_seconds(rule.every_seconds)
    draft.add(
        e.EpisodeOpened(
            episode=name,
            rule=rule.name,
            owner=rule.owner,
            severity=rule.severity,
            world=world,
            verdict=sight.verdict,
            rule_sha256=rule.sha256,
            reopens=reopens.id if reopens else "",
            chain=reopens.chain + 1 if reopens else 0,
            barred=barred,
            first_bad=sight.first_bad,
            breached=seen if unrecorded else None,
            labels=alert_labels(rule, scene.policy.environment, world),
        )
    )
    ep = draft.book.episodes[name]
    draft.move(ep, Event.BREACHED, sight.verdict.reason, verdict=sight.verdict)
    return ep


def _nothing_fresh(rule: RuleSpec, sight: Sight) -> str:
    """Why what a rule has heard may not start anything by itself, if so."""
    heard = isinstance(rule.signal, EventSignal) and sight.verdict.status is Status.BREACHED
    unseen = none_is_fresh(sight.points) if heard else ""
    return f"already burning: {unseen}" if unseen else ""


def _bar(rule: RuleSpec, ep: Episode, sight: Sight, scene: Scene) -> None:
    """A stop that covers a rising breach at any time makes it already burning; so does it that
    no event it rests on is fresh any more. A person may have said `act` nevertheless.
    """
    if ep.barred or ep.state not in {State.PENDING, State.HELD}:
        return
    draft = scene.draft
    unseen = _nothing_fresh(rule, sight)
    if unseen and not ep.unbarred_by:
        draft.add(e.EpisodeBarred(ep.id, unseen))
        return
    subject = Subject.of(rule, ep, rung_target(rule, ep, scene.policy), scene.policy)
    stops = standing_stops(subject, scene.policy, draft.book, draft.now)
    if stops and not acts_through(ep, subject, scene.policy, draft.book, draft.now):
        draft.add(e.EpisodeBarred(ep.id, f"already burning: breached under {stops[0]}"))


def ask_once_more(entry: e.IntentOpened, sight: Sight | None, scene: Scene) -> str:
    """Why an automatic start that was allowed may not take effect by now; "" when it may.

    Between the decision and the effect lies the time that recording took, and on a full disk that
    may be most of the deadline. `sight` is what is seen of its rule now, None where that is new.
    """
    ep = scene.draft.book.episodes[entry.episode]
    if ep.rule == MANUAL:
        return approved_command_refused(entry, scene)
    rule = scene.policy.rule(ep.rule)
    rung = next_rung(rule, ep, scene.policy) if rule is not None else None
    if rule is None or rung is None or rung.action != entry.action:
        return f"the policy does not lead {ep.rule} to {entry.action} any more"
    if sight is None:
        return f"{ep.rule} is not judged yet by the policy in force"
    consent, changed = still_approved(entry, scene)
    return changed or refused_by_now(gate_inputs(rule, ep, rung, sight, scene, consent))


# -- going on --------------------------------------------------------------------------------------


def _healthy(rule: RuleSpec, ep: Episode, sight: Sight, draft: Draft) -> None:
    if ep.state not in RISING:
        ours = any(not claim.found for claim in draft.book.claims_of(ep.id))
        if ep.state is State.CONTAINED and not ours:
            left = kept_by_others(ep, draft.book) or "nothing of ours is left to undo"
            draft.move(ep, Event.SPENT, f"healthy, and {left}")
        return
    if ep.state is not State.PENDING and (
        not sight.verdict.clear or sight.quiet_seconds < rule.keep_firing_seconds
    ):
        return  # what was not wholly seen counts as good, which is no proof of recovery
    if draft.book.claims_of(ep.id):
        draft.move(ep, Event.RECOVERED, "healthy again with a rollback in place")
    else:
        draft.move(ep, Event.HEALTHY, sight.verdict.reason, verdict=sight.verdict)


def _breached(rule: RuleSpec, ep: Episode, sight: Sight, scene: Scene) -> None:
    """Ask the gates once `for` is reached, and again at every pass while they refuse."""
    if ep.state not in {State.PENDING, State.HELD}:
        return
    if ep.state is State.PENDING and sight.held_seconds + FLOAT_DUST < rule.for_seconds:
        return
    draft = scene.draft
    rung = next_rung(rule, ep, scene.policy)
    if rung is None:
        judgement = Judgement(e.Ruling.REFUSED, "mode: no playbook: verdicts only", ())
        _record(rule, ep, "", judgement, {}, sight, scene)
        return
    inputs = gate_inputs(rule, ep, rung, sight, scene)
    judgement = rule_on(inputs)
    _record(rule, ep, rung.action, judgement, asdict(inputs), sight, scene)
    if judgement.ruling is e.Ruling.ALLOWED:
        open_intent(
            draft,
            ep,
            scene.policy.actions[rung.action],
            Direction.DO,
            reason=sight.verdict.reason,
            decision=f"D{draft.book.counts['D']}",
        )


_EVENTS = {
    e.Ruling.ALLOWED: Event.ALLOWED,
    e.Ruling.REFUSED: Event.REFUSED,
    e.Ruling.NEEDS_APPROVAL: Event.NEEDS_APPROVAL,
    e.Ruling.WOULD_ACT: Event.WOULD_ACT,
}


def _record(
    rule: RuleSpec,
    ep: Episode,
    action: str,
    judgement: Judgement,
    inputs: dict[str, object],
    sight: Sight,
    scene: Scene,
) -> None:
    """A refusal is recorded once per reason, until something was tried; everything else always.

    The first of them is paged, whatever led here: no breach is held in silence. Only what is
    looked at anew in this moment calls nobody: what that look shows does.
    """
    if judgement.ruling is e.Ruling.REFUSED and judgement.reason in ep.refusals:
        return
    draft = scene.draft
    first_refusal = judgement.ruling is e.Ruling.REFUSED and is_news(judgement.reason, ep.refusals)
    draft.add(decided_on(ep, action, judgement, inputs, scene, rule, sight))
    if ep.state is not State.HELD or judgement.ruling is not e.Ruling.REFUSED:
        draft.move(ep, _EVENTS[judgement.ruling], judgement.reason, verdict=sight.verdict)
    if first_refusal:
        held = f" and held: {judgement.reason}" if rule.playbook is not None else ""
        draft.page(ep, f"{rule.name} is breached{held}", sight.verdict.reason)
    if judgement.ruling is e.Ruling.NEEDS_APPROVAL:
        ask_people(ep, ep.unbarred_by, sight.verdict.reason, scene)
