"""What people are asked and what they say: the entries, and which words count for what.

Laws: an approval is bound to one request (episode, decision, action, plan) and dies with it;
distinct people count, and never the one who asked. A system restore counts only signatures that
its privileged helper verifies by itself: who sits at the control socket cannot say yes to it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from watchdog.core.spec import ActionSpec, Policy, Rung
from watchdog.core.trees import RestoreSystem
from watchdog.core.words import Instant

APPROVE_WITHIN_SECONDS = 3600.0
RESTORE_APPROVALS = 2
"""How many a system restore needs where no playbook says how many."""


class Means(StrEnum):
    """How somebody said it."""

    SOCKET = "socket"  # over the control socket: the kernel tells who
    SSH = "ssh"  # signed with `ssh-keygen -Y sign`


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """People are asked: of what they are told here, and nothing else, their words are taken."""

    episode: str
    decision: str
    action: str
    plan: str  # SHA-256 of what would run, see plan_sha256
    anchor: str  # the digest of what would be restored; "" where there is none
    needed: int
    requester: str  # does not count; "" where nobody asked but a rule
    expires: Instant
    kind: Literal["approval.asked"] = "approval.asked"


@dataclass(frozen=True, slots=True)
class ApprovalGiven:
    """One person's yes to one request."""

    episode: str
    decision: str
    action: str
    plan: str
    who: str  # the person, however they said it: two words of one person are one
    actor: str  # as everywhere: "alice (uid 1000)"
    reason: str
    means: Means = Means.SOCKET
    through_hold: bool = False  # also through the stops that stand now
    proof: str = ""  # of a signature: what tells it from every other
    kind: Literal["approval.given"] = "approval.given"


def who_of(actor: str) -> str:
    """The person behind an actor as recorded, by whatever means they spoke: "alice (uid 1000)" and
    "alice@example.org (key 3f...)" are one. Users without a name are told apart by their uid.
    """
    name, _, rest = actor.partition(" (")
    return actor if name == "unknown" or not rest else name.partition("@")[0]


def restores_system(action: ActionSpec) -> bool:
    """Whether it is never done without asking, and by signatures alone."""
    return isinstance(action.do.how, RestoreSystem)


def means_for(action: ActionSpec) -> frozenset[Means]:
    """By which a yes to this action counts."""
    return frozenset({Means.SSH}) if restores_system(action) else frozenset(Means)


@dataclass(frozen=True, slots=True)
class Terms:
    """How many must say yes, and how long they are asked."""

    needed: int
    within_seconds: float


def terms_by_hand(action: ActionSpec, policy: Policy) -> Terms | None:
    """What a person's own rollback of it must wait for; None where their word is enough.

    The strictest rung that has the action counts.
    """
    rungs = [
        rung
        for book in policy.playbooks.values()
        for rung in book.rungs
        if rung.action == action.name
    ]
    restores = restores_system(action)
    if not rungs and restores:
        return Terms(RESTORE_APPROVALS, APPROVE_WITHIN_SECONDS)
    if not rungs:
        return None
    needed = max(rung.approvals for rung in rungs)
    within = min(rung.approve_within_seconds for rung in rungs)
    return Terms(needed, within) if needed > 1 or restores else None


def needed_by_hand(action: ActionSpec, policy: Policy) -> int:
    """How many must say yes to a person's own rollback of it; 0 where their word is enough."""
    terms = terms_by_hand(action, policy)
    return terms.needed if terms is not None else 0


def terms_of(rung: Rung) -> Terms:
    return Terms(rung.approvals, rung.approve_within_seconds)


def request_id(asked: ApprovalAsked) -> str:
    """Under which a request is signed: 32 hexadecimal digits, the same after a restart."""
    parts = asked.episode, asked.decision, asked.plan, str(asked.expires.wall)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def plan_sha256(action: ActionSpec, anchor: str, needed: int, rule_sha256: str) -> str:
    """Names what would run: the action's text, target and host, what it restores, for which rule.

    Whatever of it changes makes it another plan.
    """
    parts = [action.name, action.sha256, action.target, action.host, anchor, needed, rule_sha256]
    return hashlib.sha256(json.dumps(parts, separators=(",", ":")).encode()).hexdigest()
