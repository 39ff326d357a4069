"""The one way an intent is opened: with the anchor, or with what the rollback had learned.

What is decided for is what is done: an intent carries the facts that its decision rested on, so
that an anchor which changes meanwhile changes nothing that is under way.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core import entries as e
from watchdog.core.book import Book, Episode
from watchdog.core.draft import Draft
from watchdog.core.spec import ActionSpec
from watchdog.core.text import duration
from watchdog.core.trees import DIGEST as DIGEST  # noqa: PLC0414  # a word of what is started
from watchdog.core.trees import Facts, merged
from watchdog.core.words import Direction

ANNOUNCED_ABOVE_SECONDS = 60.0
"""What may take longer is told when it begins; of what is quicker the outcome is enough."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Whose yes an intent is, and to which plan."""

    by: tuple[str, ...]
    plan: str
    through_hold: bool

    @property
    def actor(self) -> str:
        return f"approved by {', '.join(self.by)}"


def open_intent(
    draft: Draft,
    ep: Episode,
    action: ActionSpec,
    direction: Direction,
    *,
    reason: str,
    decision: str = "",
    by: str | Approval = "",
) -> str:
    """Add an IntentOpened to the draft; its name. `by` nobody: it is an automatic start."""
    approval = by if isinstance(by, Approval) else None
    name = draft.book.next_id("I")
    doing = direction is Direction.DO
    draft.add(
        e.IntentOpened(
            intent=name,
            episode=ep.id,
            action=action.name,
            target=action.target,
            direction=direction,
            deadline=draft.now.plus(action.deadline_seconds),
            actor=by if isinstance(by, str) else by.actor,
            reason=reason,
            decision=decision,
            approved_by=approval.by if approval is not None else (),
            plan=approval.plan if approval is not None else "",
            through_hold=approval is not None and approval.through_hold,
            sla_seconds=action.sla_seconds,
            action_sha256=action.sha256,
            facts=anchor_facts(action, draft.book) if doing else _learned(action, draft.book),
        )
    )
    if doing and action.deadline_seconds > ANNOUNCED_ABOVE_SECONDS:
        _announce(draft, ep, action, reason)
    return name


def _announce(draft: Draft, ep: Episode, action: ActionSpec, reason: str) -> None:
    """Before it begins, since it takes its time; of what is quick the end is told."""
    policy = draft.book.policy
    if policy is not None and policy.tells:
        draft.page(
            ep,
            f"{ep.rule}: {action.name} begins on {action.target}",
            f"{reason}. It ends within {duration(action.deadline_seconds)}, read back.",
        )


def anchor_digest(action: ActionSpec, book: Book) -> str:
    """Of what the action would restore now; "" where nothing is known of it."""
    found = book.anchors.now.get(action.name)
    return found.digest if found is not None else ""


def anchor_facts(action: ActionSpec, book: Book) -> Facts:
    """What is known of what the action would restore now; nothing where it restores nothing."""
    anchor = book.anchors.now.get(action.name)
    return () if anchor is None else merged(anchor.facts, ((DIGEST, anchor.digest),))


def _learned(action: ActionSpec, book: Book) -> Facts:
    """Of those who hold the target, what the one who changed it had learned."""
    claims = sorted(book.claimants(action.target), key=lambda claim: claim.found)
    return claims[0].facts if claims else ()
