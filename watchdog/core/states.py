"""The episode's states and the events that move it. The table itself is in `episode.py`."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    OK = "ok"  # no trouble; the end of every episode
    PENDING = "pending"  # breached, not yet for long enough
    HELD = "held"  # a gate refuses; re-judged at every pass
    AWAITING = "awaiting"  # a person is asked
    SHADOWED = "shadowed"  # would have acted
    ACTING = "acting"  # an intent is open
    VERIFYING = "verifying"  # the effect is proven; does it help?
    CONTAINED = "contained"  # it does; stays until a person undoes it
    WATCHED = "watched"  # undone; a fresh breach reopens
    LATCHED = "latched"  # a person must look; only a person leaves this


BLINDS = frozenset({State.ACTING, State.VERIFYING, State.CONTAINED})
"""States in which a rule may be blind by what was done: a pause stops the traffic it measures."""

WAITS_FOR_PEOPLE = frozenset({State.HELD, State.AWAITING, State.LATCHED})
"""Somebody has to answer: in all other states it is over, helps, or is the watchdog's own turn."""


class Event(StrEnum):
    """What can happen to an episode. Some say more than their name's first word:

    a HEALTHY that finds something still rolled back is RECOVERED; a proven failure is CLIMB when
    the playbook has a further rung for the rule and EXHAUSTED when it has not.
    """

    BREACHED = "breached"
    HEALTHY = "healthy"
    RECOVERED = "recovered"
    BLIND = "blind"
    ALLOWED = "allowed"
    REFUSED = "refused"
    NEEDS_APPROVAL = "needs_approval"
    WOULD_ACT = "would_act"
    COMMANDED = "commanded"  # a person's `rollback ACTION`
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    DESIRED = "desired"  # the read-back shows the desired state
    CLIMB = "climb"  # proven not to have worked, and there is a further rung
    EXHAUSTED = "exhausted"  # proven not to have worked, and there is none
    UNREADABLE = "unreadable"  # cannot be proven either way in time
    ABANDONED = "abandoned"  # stopped before any effect: a hold, a withdrawn breach
    CONTAINED = "contained"
    UNDONE = "undone"  # by a person through us, or by somebody else (drift)
    SPENT = "spent"  # healthy, and nothing is left to undo
    QUIET = "quiet"
    FRESH_BREACH = "fresh_breach"  # within the watch
    CLOSED = "closed"  # by a person, with a reason
