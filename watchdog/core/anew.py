"""What must be looked at anew before anything is decided for it: what is known of it is overtaken.

Laws: nothing is decided on facts that were read before a deploy of the target ended, or that an
attempt has just found to be otherwise. Who keeps changing a target is not raced: an episode is
decided anew so at most twice, and then a person looks.
"""

from __future__ import annotations

from collections.abc import Iterable

from watchdog.core.book import Book
from watchdog.core.changes import Deploy
from watchdog.core.deploys import ALL
from watchdog.core.entries import ReadinessChanged
from watchdog.core.spec import ActionSpec, Policy
from watchdog.core.words import Instant, Truth

MOST_ANEW = 2
"""How often one episode is decided anew because what was there was not what was decided for."""

DIFFERS = "changed since it was looked at; looked at anew"
DEPLOYED = "changed by a deploy; looked at anew"


def differs(action: str) -> ReadinessChanged:
    """What an attempt found is not what is known: that is known no more."""
    return ReadinessChanged(action, Truth.UNKNOWN, DIFFERS)


def after_deploy(target: str, policy: Policy, book: Book) -> tuple[ReadinessChanged, ...]:
    """What a deploy that is over leaves in doubt: all that was ready to restore something."""
    return tuple(
        ReadinessChanged(action.name, Truth.UNKNOWN, DEPLOYED)
        for action in covered(target, policy)
        if action.name in book.anchors.now and _ready(action.name, book)
    )


def covered(target: str, policy: Policy) -> tuple[ActionSpec, ...]:
    """The actions of a deploy's target."""
    return tuple(one for one in policy.actions.values() if target in {one.target, ALL})


def is_in_doubt(action: str, book: Book) -> bool:
    """Whether it waits for a look, and is not ready until then."""
    known = book.readiness.get(action)
    return known is not None and known[1] in {DIFFERS, DEPLOYED}


def is_news(refusal: str, before: Iterable[str]) -> bool:
    """Whether people have heard of no refusal yet, and this one is not over with the next look."""
    return not _passes(refusal) and all(_passes(one) for one in before)


def _passes(refusal: str) -> bool:
    return refusal.endswith((DIFFERS, DEPLOYED))


def is_overtaken(action: ActionSpec, began: Instant, book: Book) -> bool:
    """Whether a look that began then may have seen what is there no more."""
    known = book.readiness.get(action.name)
    if known is not None and is_in_doubt(action.name, book) and known[2].steady > began.steady:
        return True
    return any(_ended_after(one, began) for one in book.deploys.last_of(action.target))


def _ended_after(one: Deploy, began: Instant) -> bool:
    return one.ended is not None and one.ended.steady > began.steady


def _ready(action: str, book: Book) -> bool:
    known = book.readiness.get(action)
    return known is not None and known[0] is Truth.TRUE
