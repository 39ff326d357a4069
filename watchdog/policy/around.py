"""What a load would change around the watch: who is told, whose silences count, which procedure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import zip_longest
from typing import Any

from watchdog.core.spec import Policy
from watchdog.core.telling.contacts import Contacts, Ladder, Step, Unless
from watchdog.core.telling.status_pages import Component, StatusPage
from watchdog.core.text import duration
from watchdog.core.words import Severity
from watchdog.policy.change import Change, Effect

_NOBODY = Contacts({})


def around(old: Policy | None, new: Policy) -> Iterator[Change]:
    """Of all this, silences alone keep actions back."""
    yield from _alertmanager(old, new)
    yield from _procedure(old, new)
    yield from _drills(old, new)
    yield from _contacts(old.contacts if old else None, new.contacts)


def _contacts(was: Contacts | None, now: Contacts | None) -> Iterator[Change]:
    """By name, so that whoever is not told any more is seen before the night."""
    if was == now:
        return
    if now is None:
        yield Change(Effect.REMOVE, "contacts", "nobody is told of anything any more")
        return
    before = was or _NOBODY
    for kind, old, new in (
        ("channel", before.channels, now.channels),
        ("person", before.people, now.people),
        ("role", before.roles, now.roles),
        ("audience", before.audiences, now.audiences),
    ):
        yield from _named(kind, old, new)
    yield from _status_pages(before.status_pages, now.status_pages)
    yield from _ladders(before.ladders, now.ladders)
    for what, one, other in (
        ("who is on call", before.on_call, now.on_call),
        ("texts of messages", before.templates, now.templates),
        ("the zone of local times", before.zone, now.zone),
        ("the link to our pages", before.link, now.link),
    ):
        if one != other:
            yield Change(Effect.CHANGE, "contacts", f"contacts: {what}: changed")


def _ladders(old: Mapping[Severity, Ladder], new: Mapping[Severity, Ladder]) -> Iterator[Change]:
    """Who is told next when nobody answers, severity by severity and step by step."""
    for severity in sorted({*old, *new}):
        was, now = old.get(severity), new.get(severity)
        if was == now:
            continue
        name = f"escalation of {severity.value}"
        if now is None:
            yield Change(Effect.REMOVE, name, f"the {name} is removed: nobody is called next")
            continue
        before, after = was.steps if was else (), now.steps
        said = [
            f"step {number} {_step_changed(one, other)}"
            for number, (one, other) in enumerate(zip_longest(before, after), 1)
            if one != other
        ]
        if (was.update_seconds if was else None) != now.update_seconds:
            every = now.update_seconds
            said.append(f"updates every {duration(every)}" if every else "no updates any more")
        yield Change(Effect.CHANGE, name, f"the {name}: {'; '.join(said) or 'is named'}")


def _step_changed(was: Step | None, now: Step | None) -> str:
    if now is None:
        return f"is removed ({_step(was)})" if was is not None else ""
    return f"is new: {_step(now)}" if was is None else f"was {_step(was)}, is {_step(now)}"


def _step(one: Step) -> str:
    when = f"after {duration(one.after_seconds)}" if one.after_seconds else "at once"
    by = f" by {', '.join(one.by)}" if one.by else ""
    unless = "" if one.unless is Unless.ACKNOWLEDGED else f" unless {one.unless.value}"
    who = ", ".join(f"{to.name} {to.to}".strip() for to in one.tell)
    return f"{when} {who}{by}{unless}"


def _status_pages(old: Mapping[str, StatusPage], new: Mapping[str, StatusPage]) -> Iterator[Change]:
    """What the public sees by itself is said, and what nobody tends any more."""
    for name in sorted({*old, *new}):
        page = new.get(name)
        if page is None:
            text = f"the status page {name} is told nothing any more: what it shows stays so"
            yield Change(Effect.REMOVE, name, text)
            continue
        if old.get(name) == page:
            continue
        what = "is changed" if name in old else "is new, and public"
        parts = ", ".join(_shown(component) for component in page.components)
        yield Change(Effect.CHANGE, name, f"the status page {name} {what}: it shows {parts}")


def _shown(component: Component) -> str:
    burning = f" (and its trouble as {component.burning.value})" if component.burning else ""
    return component.name + burning


def _named(kind: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in sorted({*old, *new}):
        if name not in new:
            yield Change(Effect.REMOVE, name, f"the {kind} {name} is removed from the contacts")
        elif name not in old:
            yield Change(Effect.CHANGE, name, f"the {kind} {name} is new in the contacts")
        elif old[name] != new[name]:
            yield Change(Effect.CHANGE, name, f"the {kind} {name} of the contacts is changed")


def _alertmanager(old: Policy | None, new: Policy) -> Iterator[Change]:
    """Silences that nobody reads any more let through what they stopped."""
    was, now = old.alertmanager if old else None, new.alertmanager
    if was == now:
        return
    heard, hears = was is not None and was.silences, now is not None and now.silences
    told, tells = was is not None and was.alerts, now is not None and now.alerts
    name = "alertmanager"
    if heard and not hears:
        text = "silences in Alertmanager stop nothing any more"
        yield Change(Effect.WIDEN, name, text)
    elif hears and not heard:
        text = "silences in Alertmanager stop starts, and keep pages back"
        yield Change(Effect.CHANGE, name, text)
    if tells is not told:
        text = f"Alertmanager is {'told' if tells else 'not told any more'} of episodes"
        yield Change(Effect.CHANGE, name, text)
    if (heard, told) == (hears, tells):
        yield Change(Effect.CHANGE, name, "Alertmanager is asked differently, or another one is")


def _procedure(old: Policy | None, new: Policy) -> Iterator[Change]:
    was, now = old.procedure if old else None, new.procedure
    if now is not None and now != was:
        yield Change(Effect.CHANGE, "procedure", f"{now.document} was reviewed on {now.reviewed}")
    elif was is not None and now is None:
        yield Change(Effect.CHANGE, "procedure", "nobody asks for reviews of it any more")


def _drills(old: Policy | None, new: Policy) -> Iterator[Change]:
    was = {one.what: one for one in old.drills} if old else {}
    now = {one.what: one for one in new.drills}
    for what in sorted(was.keys() | now.keys()):
        if what not in now:
            yield Change(Effect.CHANGE, f"drill {what.value}", "nobody asks for it any more")
        elif now[what] != was.get(what):
            by = "the daemon starts it by itself" if now[what].run else "people run it"
            every = duration(now[what].every_seconds)
            yield Change(Effect.CHANGE, f"drill {what.value}", f"is due every {every}; {by}")
