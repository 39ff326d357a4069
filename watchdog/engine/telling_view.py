"""How telling people goes: what waits, which channels fail, who is on call. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdog.core.telling.contacts import NEXT_ON_CALL, ON_CALL, Contacts
from watchdog.core.telling.routing import people_of
from watchdog.core.words import Instant
from watchdog.engine.engine import Engine
from watchdog.engine.shapes_around import TellingShape, WhoShape
from watchdog.engine.verdict_view import utc


@dataclass(frozen=True, slots=True)
class TellingNow:
    """For metrics. `failing` is by channel: a line of it fails, or its credential is missing.
    `wrong` is by status page: it does not show what stands, or fails.

    Of a policy that tells nobody both are empty. A page is known by the daemon that tells it, and
    by the one that leads.
    """

    waiting: int = 0
    oldest_seconds: float = 0.0
    failing: Mapping[str, bool] = field(default_factory=dict)
    wrong: Mapping[str, bool] = field(default_factory=dict)


def telling_now(engine: Engine) -> TellingNow:
    contacts, now = engine.in_force().contacts, engine.ports.clock.now()
    waiting = list(engine.book.notes.waiting.values())
    down = {one.line.channel for one in engine.people.outbox.lines.values() if one.failing_since}
    down |= engine.people.credentials.missing.keys()
    channels = contacts.channels if contacts is not None else {}
    return TellingNow(
        len(waiting),
        now.steady - waiting[0].at.steady if waiting else 0.0,
        {name: name in down for name in channels},
        {} if contacts is None else _wrong(engine, contacts),
    )


def _wrong(engine: Engine, contacts: Contacts) -> Mapping[str, bool]:
    pages = engine.people.status_pages
    known = [page for page in contacts.status_pages.values() if pages.answers_for(page)]
    return {page.name: not pages.shows(page) for page in known}


def telling_view(engine: Engine) -> TellingShape | None:
    """None where the policy tells nobody."""
    contacts, now = engine.in_force().contacts, engine.ports.clock.now()
    if contacts is None:
        return None
    return {
        "waiting": len(engine.book.notes.waiting),
        "on_call": _who(ON_CALL, contacts, now),
        "next_on_call": _who(NEXT_ON_CALL, contacts, now),
        "lines": [
            {
                "line": one.line.name,
                "told": one.told,
                "told_at": utc(one.told_at) if one.told_at is not None else None,
                "failing_since": utc(one.failing_since) if one.failing_since is not None else None,
                "reason": one.reason,
            }
            for one in sorted(engine.people.outbox.lines.values(), key=lambda one: one.line)
        ],
        "unusable": [
            {"name": name, "reason": why}
            for name, why in sorted(engine.people.credentials.missing.items())
        ],
        "outside": sorted(name for name, one in contacts.audiences.items() if one.outside),
        "zone": contacts.zone.key,
        "names": sorted(names_to_try(contacts)),
    }


def names_to_try(contacts: Contacts) -> set[str]:
    """What there is to be tried by `notify test`: all that can be told, but the outside."""
    inside = {name for name, one in contacts.audiences.items() if not one.outside}
    people = {name for name, one in contacts.people.items() if not one.outside}
    known = {*contacts.channels, *people, *contacts.roles, *inside}
    turn = {ON_CALL, NEXT_ON_CALL} if contacts.on_call.people else set()
    return known | turn | contacts.status_pages.keys()


def _who(name: str, contacts: Contacts, now: Instant) -> WhoShape | None:
    """Whose turn it is, with what a person needs to call them."""
    for person in people_of(name, contacts, now):
        return {"name": person.name, "title": person.title, "phone": person.phone}
    return None
