"""Who looks after what an episode holds, when the policy changes under it.

A claim names the action that set or found the state. Its action may be renamed, removed, or moved
to another target while the claim stands; what is held stays held, and people are told.
"""

from __future__ import annotations

from collections.abc import Iterable

from watchdog.core.book import Book
from watchdog.core.intents import IntentOpened
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.standing import Claim, Episode


def own_action(claim: Claim, policy: Policy) -> ActionSpec | None:
    """The action that made the claim, while the policy has it for that target."""
    found = policy.actions.get(claim.action)
    return found if found is not None and found.target == claim.target else None


def is_as_decided(entry: IntentOpened, action: ActionSpec) -> bool:
    """Whether the action of that name is still the one that the intent was opened for."""
    return action.target == entry.target and entry.action_sha256 in {"", action.sha256}


def keeper(claim: Claim, policy: Policy) -> ActionSpec | None:
    """The action that reads the claim's target back and can undo it; None where there is none.

    Its own, or one that a playbook has for the same target: a load refuses playbooks that want
    opposite states of one target, so that such a one wants what stands.
    """
    rungs = (rung.action for book in policy.playbooks.values() for rung in book.rungs)
    others = (policy.actions[name] for name in rungs)
    standing_in = (action for action in others if action.target == claim.target)
    return own_action(claim, policy) or next(standing_in, None)


def left_alone(claims: Iterable[Claim], old: Policy | None, new: Policy) -> tuple[Claim, ...]:
    """The claims that `new` leaves without a keeper and `old` did not."""
    return tuple(
        claim
        for claim in claims
        if keeper(claim, new) is None and (old is None or keeper(claim, old) is not None)
    )


def kept_by_others(ep: Episode, book: Book) -> str:
    """For whom what it changed, or found, last stays as it is; "" where for nobody else."""
    others = (claim.episode for claim in book.claimants(ep.target) if claim.episode != ep.id)
    named = ", ".join(f"{name} ({book.episodes[name].rule})" for name in others)
    return f"{ep.target} stays as it is for {named}" if named else ""


def held_already(action: ActionSpec, policy: Policy, book: Book, besides: str = "") -> str:
    """How other episodes than `besides` hold its target; "" where none does.

    What a rollback restored may be other content than this one would; a plain state is the same.
    """
    held = [claim for claim in book.claimants(action.target) if claim.episode != besides]
    named = ", ".join(f"{claim.episode} ({book.episodes[claim.episode].rule})" for claim in held)
    own = [own_action(claim, policy) for claim in held if not claim.facts]
    if any(one is not None and one.do.expect == action.do.expect for one in own):
        return f"stands so already, by {named}"
    return f"is held by {named}" if held else ""
