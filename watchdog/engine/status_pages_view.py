"""The status pages as people are shown them: what stands on each, and whether it was accepted."""

from __future__ import annotations

from watchdog.core.telling.status_pages import ANY_HOST, StatusPage
from watchdog.engine.engine import Engine
from watchdog.engine.shapes_around import StatusPageShape
from watchdog.engine.verdict_view import utc


def status_pages_view(engine: Engine) -> list[StatusPageShape]:
    """None of them where the policy has none."""
    contacts = engine.in_force().contacts
    return [_page(engine, page) for page in contacts.status_pages.values()] if contacts else []


def _page(engine: Engine, page: StatusPage) -> StatusPageShape:
    pages = engine.people.status_pages
    state, last = pages.state(page), pages.accepted(page.name)
    fares, failing = pages.pages.get(page.name), engine.book.pages.failing.get(page.name)
    here = pages.tells(page)
    return {
        "name": page.name,
        "host": page.host,
        "told_here": here,
        "condition": state.worst.value,
        "shown": last.entry.condition if last is not None else None,
        "shows": pages.shows(page),
        "since": utc(last.at) if last is not None else None,
        "next_update": (
            utc(last.entry.next_update) if last is not None and last.entry.next_update else None
        ),
        "reason": (fares.reason if fares is not None else "")
        or (failing.reason if failing is not None else "")
        or ("" if here or last is not None else _unheard(page)),
        "failing_since": utc(failing.since) if failing is not None else None,
        "attempts": fares.attempts if fares is not None else 0,
        "components": [
            {
                "name": one.component.name,
                "condition": one.condition.value,
                "since": utc(one.since) if one.since is not None else None,
                "episodes": list(one.episodes),
            }
            for one in state.components
        ],
    }


def _unheard(page: StatusPage) -> str:
    """Of a page that another daemon tells, before anything of it is on the record."""
    if page.host == ANY_HOST:
        return ""
    return f"the daemon of {page.host} tells it: nothing is known of it yet"
