"""When verification begins and what follows from its end: a message, and nothing else.

A failure is told once for each verification that began by itself, when all its checks have ended.
Who asked for one sees what came of it.
"""

from __future__ import annotations

from watchdog.core.draft import Draft
from watchdog.core.intents import IntentEnded, Outcome
from watchdog.core.paging import Whom
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.urgency import Urgency
from watchdog.core.verification import (
    NamedCheck,
    VerificationBegan,
    VerificationChecked,
    after_what,
    checks_after,
)
from watchdog.core.verified import Run
from watchdog.core.words import Direction, Severity, Truth

_PROVEN = frozenset({Outcome.DONE, Outcome.FOUND})


def change_ended(ended: IntentEnded, policy: Policy, draft: Draft) -> None:
    """Its effect was read back, or was not. On the record together with that."""
    if ended.outcome in _PROVEN and ended.action in policy.actions:
        action = policy.actions[ended.action]
        begin(action, ended.direction, ended.episode, ended.intent, policy, draft)


def begin(
    action: ActionSpec,
    direction: Direction,
    episode: str,
    intent: str,
    policy: Policy,
    draft: Draft,
) -> None:
    """What is proven to stand is looked at from other sides, where the policy says how."""
    checks = checks_after(policy.verification.get(action.name, ()), direction)
    if checks:
        names = tuple(check.name for check in checks)
        what = (episode, action.name, action.target, direction, names, intent)
        draft.add(VerificationBegan(draft.book.next_id("V"), *what))


def checked(entry: VerificationChecked, policy: Policy, draft: Draft) -> None:
    """Record what came of a check; with the last, tell people of those that fail."""
    run = draft.book.verifications.runs.get(entry.verification)
    draft.add(entry)
    if run is not None and not run.missing and not run.began.actor:
        _tell(run, policy, draft)


def _tell(run: Run, policy: Policy, draft: Draft) -> None:
    ended = (run.known[name].entry for name in run.began.checks if name in run.known)
    failed = [one for one in ended if one.truth is Truth.FALSE]
    if not failed:
        return
    began = run.began
    known = {check.name: check for check in policy.verification.get(began.action, ())}
    now = any(known[one.check].page for one in failed if one.check in known)
    names = ", ".join(one.check for one in failed)
    title = f"{after_what(began.action, began.direction)}: verification fails: {names}"
    told = [f"{_said(one, known)}: {one.reason}" for one in failed]
    again = f"slo-watchdog verify {began.episode or began.action}"
    body = f"{'; '.join(told)}. It changes nothing of what is done. Look again with: {again}"
    ep = draft.book.episodes.get(began.episode)
    whom = Whom(urgency=Urgency.NOW if now else Urgency.SOON)
    if ep is not None and ep.is_open:
        draft.page(ep, f"{ep.rule}: {title}", body, target=began.target, whom=whom)
    elif began.action in policy.actions:  # what is over is not opened again for it
        severity = ep.severity if ep is not None else Severity.P3
        action = policy.actions[began.action]
        draft.page_about_action(action, "verification", severity, title, body, whom=whom)


def _said(one: VerificationChecked, known: dict[str, NamedCheck]) -> str:
    says = known[one.check].says if one.check in known else ""
    return f"{one.check} ({says})" if says else one.check
