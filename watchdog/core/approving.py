"""Asking people before an action, and taking their word.

Laws: only a person's yes moves an episode out of AWAITING into ACTING, and only when it is the
last that was missing and every gate passes as it stands at that moment. A gate that opens later
starts nothing by itself: somebody says yes once more. What was asked for is what is done: when the
action, what it restores, the rule's text or the terms change, every yes is void and people are
asked anew. A request ends, at the latest, when its time does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from shlex import quote

from watchdog.core import entries as e
from watchdog.core.approvals import (
    ApprovalAsked,
    ApprovalGiven,
    Means,
    Terms,
    means_for,
    plan_sha256,
    request_id,
    terms_by_hand,
    terms_of,
    who_of,
)
from watchdog.core.book import MANUAL, Book, Episode
from watchdog.core.deciding import decided_on
from watchdog.core.draft import Draft
from watchdog.core.drilled import asked_for_want_of, undrilled
from watchdog.core.gates import (
    GateInputs,
    Judgement,
    command_refused_by_now,
    rule_on,
    rule_on_command,
)
from watchdog.core.inputs import (
    Scene,
    Sight,
    command_inputs,
    gate_inputs,
    next_rung,
)
from watchdog.core.requests import Request
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.starting import DIGEST, Approval, anchor_digest, open_intent
from watchdog.core.states import Event, State
from watchdog.core.stops import NOBODY, Consent
from watchdog.core.words import Direction, Instant


@dataclass(frozen=True, slots=True)
class Plan:
    """What a request is bound to, as it would be asked for now."""

    action: ActionSpec
    terms: Terms
    anchor: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a yes, in words; `intent` is what it started, if it started something."""

    said: str
    intent: str = ""


def plan_for(ep: Episode, policy: Policy, book: Book, anchor: str = "") -> Plan | str:
    """What the episode would do next, or why there is nothing. `anchor` is the one to go by where
    the present one is not known.
    """
    if ep.rule == MANUAL:
        action = policy.actions.get(ep.action)
        terms = terms_by_hand(action, policy) if action is not None else None
        rule_sha256 = ""
    else:
        rule = policy.rule(ep.rule)
        rung = next_rung(rule, ep, policy) if rule is not None else None
        if rule is None or rung is None:
            return f"the policy does not lead {ep.rule} to {ep.action} any more"
        action, terms = policy.actions.get(rung.action), terms_of(rung)
        rule_sha256 = rule.sha256
    if action is None or terms is None:
        return f"the policy has no {ep.action} any more that is to be approved"
    found = anchor_digest(action, book) or anchor
    return Plan(action, terms, found, plan_sha256(action, found, terms.needed, rule_sha256))


def ask_people(ep: Episode, requester: str, why: str, scene: Scene) -> None:
    """Open the request that the newest decision leads to, and page what can be answered to it."""
    draft = scene.draft
    plan = plan_for(ep, scene.policy, draft.book)
    if isinstance(plan, str):
        return  # the decision was made of this very policy: there is a plan
    asked = ApprovalAsked(
        episode=ep.id,
        decision=f"D{draft.book.counts['D']}",
        action=plan.action.name,
        plan=plan.sha256,
        anchor=plan.anchor,
        needed=plan.terms.needed,
        requester=who_of(requester),
        expires=draft.now.plus(plan.terms.within_seconds),
    )
    draft.add(asked)
    asks = requester if ep.rule == MANUAL else ep.rule
    told = (
        why,
        _for_want_of_a_drill(ep, plan.action, draft),
        _asked_of(plan, requester, asked.expires),
        commands_for(asked, plan.action),
    )
    title = f"{asks} asks for approval of {plan.action.name}"
    draft.page(ep, title, ". ".join(one for one in told if one))


def _for_want_of_a_drill(ep: Episode, action: ActionSpec, draft: Draft) -> str:
    """Why it asks, where that is what keeps it from starting by itself."""
    limit = undrilled(action, draft.book.drills, draft.now)
    if limit is None or limit.who not in ep.reason:
        return ""
    return asked_for_want_of(action, draft.book.drills, draft.now)


def _asked_of(plan: Plan, requester: str, expires: Instant) -> str:
    """Who must say yes by when; the commands that say it stand in every page."""
    people = "1 person" if plan.terms.needed == 1 else f"{plan.terms.needed} people"
    others = f", {requester} not counted," if requester else ""
    signed = " by signature" if means_for(plan.action) == {Means.SSH} else ""
    return f"It needs the yes of {people}{others}{signed} until {expires.utc:%Y-%m-%d %H:%M:%SZ}"


def commands_for(asked: ApprovalAsked, action: ActionSpec) -> str:
    """What can be typed about a request."""
    yes = f"slo-watchdog approve {asked.episode} --reason TEXT"
    if means_for(action) == {Means.SSH}:
        yes = f"slo-watchdog restore sign {request_id(asked)} --key FILE"
    return (
        f"What would run: slo-watchdog plan {asked.episode}. Yes: {yes}. "
        f"No: slo-watchdog deny {asked.episode} --reason TEXT"
    )


def objection(given: ApprovalGiven, scene: Scene) -> str:
    """Why this yes cannot be taken; "" where it can. Changes nothing."""
    book, now = scene.draft.book, scene.draft.now
    request = book.requests.open.get(given.episode)
    if request is None:
        state = book.episodes[given.episode].state.value
        return f"{given.episode} is {state}: nothing waits there for an approval"
    if request.is_over(now):
        return f"the request expired at {request.asked.expires.utc:%Y-%m-%d %H:%M:%SZ}"
    changed = what_changed(request, scene.policy, book)
    if changed:
        return f"{changed}. Every approval of before is void, and people are asked anew"
    return _does_not_count(given, request, scene.policy.actions[request.asked.action])


def _does_not_count(given: ApprovalGiven, request: Request, action: ActionSpec) -> str:
    """Who has said yes by what counts, and is not missing any more, may say it again by any means:
    that asks the gates once more.
    """
    means = means_for(action)
    missing = request.missing(means)
    known = any(one.entry.who == given.who for one in request.counting(means))
    if given.means not in means and not (known and not missing):
        return (
            f"{action.name} restores a whole system: only signatures count, which the privileged "
            f"helper verifies by itself. {commands_for(request.asked, action)}"
        )
    if given.who == request.asked.requester:
        return f"{given.who} asked for it, and so does not count: somebody else must approve"
    if known and missing:
        return f"{given.who} has approved it already; {_more(missing)} must"
    return ""


def approve(given: ApprovalGiven, sight: Sight | None, scene: Scene) -> Taken:
    """Take one yes to which there is no objection; with the last one, ask every gate and act."""
    draft = scene.draft
    ep = draft.book.episodes[given.episode]
    draft.add(given)
    request = draft.book.requests.open[ep.id]
    action = scene.policy.actions[request.asked.action]
    means = means_for(action)
    missing = request.missing(means)
    if missing:
        return Taken(f"{given.who} approves {action.name}; {_more(missing)} must")
    found = _asked_again(ep, action, request, sight, scene)
    if isinstance(found, str):
        return Taken(_told_to_wait(found))
    inputs, judgement = found
    rule = scene.policy.rule(ep.rule)
    if judgement.ruling is e.Ruling.REFUSED and judgement.reason in ep.refusals:
        return Taken(_told_to_wait(judgement.reason))
    draft.add(decided_on(ep, action.name, judgement, asdict(inputs), scene, rule, sight))
    if judgement.ruling is not e.Ruling.ALLOWED:
        held = f"{action.name} is approved, and held: {judgement.reason}"
        draft.page(ep, f"{ep.rule}: {held}", _told_to_wait(judgement.reason))
        return Taken(_told_to_wait(judgement.reason))
    actor = judgement.reason
    draft.move(ep, Event.APPROVED, f"{actor}: {given.reason}", actor=actor)
    intent = open_intent(
        draft,
        ep,
        action,
        Direction.DO,
        reason=ep.why or (sight.verdict.reason if sight is not None else ""),
        decision=f"D{draft.book.counts['D']}",
        by=Approval(inputs.approved_by, request.asked.plan, bool(inputs.through_hold)),
    )
    return Taken(f"{action.name} is {actor}, and started", intent)


def _asked_again(
    ep: Episode, action: ActionSpec, request: Request, sight: Sight | None, scene: Scene
) -> tuple[GateInputs, Judgement] | str:
    """What every gate says now, with what people said; or why none can be asked yet."""
    consent = consent_to(request, action)
    if ep.rule == MANUAL:
        inputs = command_inputs(action, "", scene, through_hold=False, consent=consent)
        return inputs, rule_on_command(inputs)
    rule = scene.policy.rule(ep.rule)
    rung = next_rung(rule, ep, scene.policy) if rule is not None else None
    if rule is None or rung is None or sight is None:
        return f"{ep.rule} is not judged yet by the policy in force"
    inputs = gate_inputs(rule, ep, rung, sight, scene, consent)
    return inputs, rule_on(inputs)


def consent_to(request: Request, action: ActionSpec) -> Consent:
    """What people have said, as the gates look at it."""
    given = request.counting(means_for(action))
    who = {one.entry.who for one in given}
    through = [one for one in request.given if one.entry.through_hold and one.entry.who in who]
    last = max(through, key=lambda one: one.at.steady, default=None)
    return Consent(
        by=tuple(one.entry.who for one in given),
        needed=request.asked.needed,
        through=last.entry.who if last is not None else "",
        said=last.at if last is not None else None,
    )


def still_approved(entry: e.IntentOpened, scene: Scene) -> tuple[Consent, str]:
    """Right before the effect: what people approved, and why it is not that any more."""
    if not entry.approved_by:
        return NOBODY, ""
    book = scene.draft.book
    digest = dict(entry.facts).get(DIGEST, "")
    plan = plan_for(book.episodes[entry.episode], scene.policy, book, digest)
    if isinstance(plan, str) or plan.sha256 != entry.plan:
        why = plan if isinstance(plan, str) else f"{entry.action} is not what was approved any more"
        return NOBODY, why
    through = entry.actor if entry.through_hold else ""
    said = book.intents[entry.intent].at
    return Consent(entry.approved_by, plan.terms.needed, through, said), ""


def approved_command_refused(entry: e.IntentOpened, scene: Scene) -> str:
    """Why a person's rollback that others approved may not take effect by now; "" when it may."""
    consent, changed = still_approved(entry, scene)
    if changed:
        return changed
    action = scene.policy.actions[entry.action]
    inputs = command_inputs(action, "", scene, through_hold=False, consent=consent)
    return command_refused_by_now(inputs)


def deny(ep: Episode, actor: str, reason: str, draft: Draft) -> None:
    """One person's no is enough."""
    action = draft.book.requests.open[ep.id].asked.action
    draft.move(ep, Event.DENIED, f"{action} was denied by {actor}: {reason}", actor=actor)
    _tell_latched(ep, f"{action} was denied by {actor}", reason, draft)


def tend_requests(policy: Policy, draft: Draft) -> None:
    """End what is over, and what is not what was asked for any more."""
    for ep in [one for one in draft.book.open_episodes() if one.state is State.AWAITING]:
        request = draft.book.requests.open.get(ep.id)
        if request is None:
            _ask_anew(ep, "asked for by a version that took no approvals", (), draft)
        elif request.is_over(draft.now):
            _expire(ep, request, draft)
        elif changed := what_changed(request, policy, draft.book):
            said = tuple(one.entry.who for one in request.given)
            _ask_anew(ep, changed, said, draft)


def what_changed(request: Request, policy: Policy, book: Book) -> str:
    """Why what would run now is not what people were asked for; "" where it is."""
    asked = request.asked
    plan = plan_for(book.episodes[asked.episode], policy, book, asked.anchor)
    if isinstance(plan, str):
        return plan
    if plan.sha256 == asked.plan and plan.action.name == asked.action:
        return ""
    if plan.anchor != asked.anchor:
        return (
            f"what {asked.action} would restore has changed "
            f"({asked.anchor[:12] or 'nothing'} to {plan.anchor[:12]})"
        )
    if plan.terms.needed != asked.needed:
        return f"{asked.action} needs {plan.terms.needed} approvals now, and {asked.needed} before"
    return f"the text of {asked.action}, or of the rule that asks for it, has changed"


def _ask_anew(ep: Episode, why: str, said: tuple[str, ...], draft: Draft) -> None:
    void = f"; void is what {', '.join(said)} approved" if said else ""
    if ep.rule == MANUAL:
        draft.move(ep, Event.EXPIRED, f"{why}{void}")
        _tell_latched(ep, f"{why}{void}", "Order it again, if it is still wanted", draft)
        return
    draft.move(ep, Event.REFUSED, f"asked anew: {why}{void}")
    if said:
        draft.page(ep, f"{ep.rule}: approvals are void: {why}", f"People are asked anew{void}.")


def _expire(ep: Episode, request: Request, draft: Draft) -> None:
    asked = request.asked
    given = ", ".join(dict.fromkeys(one.entry.who for one in request.given)) or "nobody"
    told = f"{asked.action} was not approved in time"
    draft.move(ep, Event.EXPIRED, f"{told}: {asked.needed} had to, {given} did")
    _tell_latched(ep, told, f"{asked.needed} had to, {given} did", draft)


def _tell_latched(ep: Episode, title: str, body: str, draft: Draft) -> None:
    whose = f"See: slo-watchdog why {quote(ep.rule)}; " if ep.rule != MANUAL else ""
    draft.page(
        ep,
        f"{ep.rule}: a person must look: {title}",
        f"{body}. Nothing more is done by itself. {whose}"
        f"when it is settled: slo-watchdog close {ep.id} --reason TEXT",
    )


def _more(missing: int) -> str:
    return "1 more person" if missing == 1 else f"{missing} more people"


def _told_to_wait(reason: str) -> str:
    return (
        f"approved, and held: {reason}. The approvals stay until they expire; when that is over, "
        "one of those who approved says so once more"
    )
