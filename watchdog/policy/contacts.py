"""contacts.yaml as core values: who is told, by what, and who next.

It is part of the platform's share of the policy, and as all-or-nothing: a person whose channel does
not exist would be told of nothing, and nobody would know before the night in which it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from watchdog.core.telling.contacts import (
    NEXT_ON_CALL,
    ON_CALL,
    TEAM,
    AppriseUrl,
    Audience,
    Channel,
    Contacts,
    Ladder,
    OnCall,
    Person,
    Role,
    Step,
    Told,
    Unless,
    Webhook,
)
from watchdog.core.words import Severity
from watchdog.messages import FIELDS, TEMPLATES, check
from watchdog.policy.calendar import zone_named
from watchdog.policy.contacts_models import (
    AudienceShape,
    ContactChannelShape,
    LadderShape,
    OnCallShape,
    PersonShape,
    RoleShape,
)
from watchdog.policy.document import Document, Given, check_top, entries_of, read_document
from watchdog.policy.folder import MESSAGES
from watchdog.policy.http import endpoint
from watchdog.policy.problem import Entry, Findings, Problem
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest, shape_of

FILE = "contacts.yaml"
TEMPLATE_END = ".j2"
KEYS = (
    "version", "channels", "people", "roles", "on-call", "audiences", "escalation", "zone", "link",
)  # fmt: skip


def compile_contacts(files: Mapping[str, str], given: Given, findings: Findings) -> Contacts | None:
    """None where there is no such file, or with what is wrong in `findings`."""
    templates = _templates(files, findings)
    text = files.get(FILE)
    if text is None:
        for path in (path for path in files if path.startswith(MESSAGES)):
            _at_start(path, "a message that nobody is told", f"Add {FILE}.", findings)
        return None
    document = read_document(text, FILE, given, findings)
    if document is None:
        return None
    check_top(document, KEYS, {}, findings)
    names = _Names(document, findings)
    found = Contacts(
        channels={c.name: c for entry in names.channels if (c := _channel(entry, names, findings))},
        people={p.name: p for entry in names.people if (p := _person(entry, names, findings))},
        roles={r.name: r for entry in names.roles if (r := _role(entry, names, findings))},
        audiences={
            a.name: a for entry in names.audiences if (a := _audience(entry, names, findings))
        },
        on_call=_on_call(document, names, findings),
        ladders=_ladders(document, names, findings),
        zone=_zone(document, findings),
        templates=templates,
        link=_link(document, findings),
    )
    _check_team(document, found, findings)
    return found


class _Names:
    """Every name of the file, each for one thing alone."""

    def __init__(self, document: Document, findings: Findings) -> None:
        self.channels = entries_of(document, "channels", findings)
        self.people = entries_of(document, "people", findings)
        self.roles = entries_of(document, "roles", findings)
        self.audiences = entries_of(document, "audiences", findings)
        self.of_channels = {entry.name for entry in self.channels}
        self.of_people = {entry.name for entry in self.people}
        taken = {ON_CALL: "who is on call", NEXT_ON_CALL: "who is on call next"}
        kinds = (
            ("a channel", self.channels),
            ("a person", self.people),
            ("a role", self.roles),
            ("an audience", self.audiences),
        )
        for kind, entries in kinds:
            for entry in entries:
                if entry.name in taken:
                    findings.refuse(
                        entry.key,
                        f"{entry.name} is {kind} and {taken[entry.name]}",
                        "Give one of them another name.",
                    )
                taken[entry.name] = kind
        self.all = set(taken) - {entry.name for entry in self.audiences}


def _channel(entry: Entry, names: _Names, findings: Findings) -> Channel | None:
    shape = shape_of(ContactChannelShape, entry, findings)
    if shape is None:
        return None
    given = [key for key in ("apprise", "url", "webhook") if getattr(shape, key) is not None]
    if len(given) != 1:
        findings.refuse(
            entry.key_at(given[1]) if given else entry.key,
            f"the channel {entry.name} is {' and '.join(given) or 'of no kind'}",
            "Write exactly one of apprise, url and webhook.",
        )
        return None
    for key in ("hmac", "ca", "headers"):
        if given != ["webhook"] and key in shape.model_fields_set:
            findings.refuse(entry.key_at(key), f"`{key}` is for webhooks", "Remove it.")
    if shape.fallback is not None and (
        shape.fallback == entry.name or shape.fallback not in names.of_channels
    ):
        findings.refuse(
            entry.at("fallback"),
            f"{shape.fallback} is no other channel",
            closest(shape.fallback, names.of_channels - {entry.name}),
        )
    how: AppriseUrl | Webhook
    if shape.webhook is not None:
        where = endpoint(entry, (), shape.webhook, shape.headers, shape.ca, findings)
        how = Webhook(where, shape.hmac or "")
    else:
        how = _apprise(entry, shape, findings)
    return Channel(
        entry.name,
        how,
        shape.to or "",
        shape.deadline,
        shape.give_up,
        shape.fallback or "",
        shape.fallback_after,
    )


def _apprise(entry: Entry, shape: ContactChannelShape, findings: Findings) -> AppriseUrl:
    if shape.url is not None:
        try:
            parts = urlsplit(shape.url)
            secret = parts.password is not None
        except ValueError:
            secret, parts = False, None
        if parts is None or not parts.scheme or "://" not in shape.url:
            findings.refuse(
                entry.at("url"),
                f"{shown(shape.url)} is no Apprise URL",
                "Write it like mailto://mail.example.org?from=a@example.org&to={to}.",
            )
        elif secret:
            findings.refuse(
                entry.at("url"),
                "a secret in a rule file",
                "Put the URL into a credential, and name that: `apprise: NAME`.",
            )
    words = shape.phases
    phases = () if words is None else (
        ("opened", words.opened), ("updated", words.updated), ("ended", words.ended)
    )  # fmt: skip
    return AppriseUrl(shape.apprise or "", shape.url or "", phases)


def _person(entry: Entry, names: _Names, findings: Findings) -> Person | None:
    shape = shape_of(PersonShape, entry, findings)
    if shape is None:
        return None
    for channel in shape.reach:
        if channel not in names.of_channels:
            findings.refuse(
                entry.key_at("reach", channel),
                f"there is no channel {channel}",
                closest(channel, names.of_channels),
            )
    reach = tuple(shape.reach.items())
    return Person(entry.name, shape.name, reach, shape.phone or "", shape.outside, shape.note or "")


def _role(entry: Entry, names: _Names, findings: Findings) -> Role | None:
    shape = shape_of(RoleShape, entry, findings)
    if shape is None:
        return None
    _check_people(entry, ("people",), shape.people, names, findings)
    return Role(entry.name, shape.title, tuple(shape.people))


def _check_people(
    entry: Entry, path: tuple[str, ...], people: list[str], names: _Names, findings: Findings
) -> None:
    for index, person in enumerate(people):
        if person not in names.of_people:
            findings.refuse(
                entry.at(*path, index),
                f"there is no person {person}",
                closest(person, names.of_people),
            )


def _audience(entry: Entry, names: _Names, findings: Findings) -> Audience | None:
    shape = shape_of(AudienceShape, entry, findings)
    if shape is None:
        return None
    if shape.outside and entry.name == TEAM:
        findings.refuse(
            entry.at("outside"), "the team is told at once, without approval", "Remove `outside`."
        )
    return Audience(entry.name, _told(entry, ("to",), shape.to, names, findings), shape.outside)


def _told(
    entry: Entry, path: tuple[str | int, ...], told: list[Any], names: _Names, findings: Findings
) -> tuple[Told, ...]:
    found = []
    for index, one in enumerate(told):
        name, to = one if isinstance(one, tuple) else (one, "")
        known = names.all
        if isinstance(one, dict):
            ((name, to),) = one.items()
            known = names.of_channels
        if name not in known:
            findings.refuse(
                entry.at(*path, index),
                f"there is no {'channel' if to else 'channel, person or role'} {shown(str(name))}",
                closest(str(name), known),
            )
        elif to and (not isinstance(to, str) or not to.isprintable() or " " in to):
            findings.refuse(entry.at(*path, index), f"{shown(to)} is no address", "Correct it.")
        else:
            found.append(Told(name, str(to)))
    return tuple(found)


def _on_call(document: Document, names: _Names, findings: Findings) -> OnCall:
    entry = _entry(document, "on-call")
    shape = shape_of(OnCallShape, entry, findings) if entry is not None else None
    if entry is None or shape is None:
        return OnCall()
    _check_people(entry, ("people",), shape.people, names, findings)
    if (shape.turn is None) != (shape.since is None):
        findings.refuse(
            entry.key_at("turn" if shape.since is None else "since"),
            "`turn` and `since` belong together",
            "Write both, or neither: then the first is always the first to be called.",
        )
    since = _instant(entry, shape.since, findings) if shape.since is not None else 0.0
    return OnCall(tuple(shape.people), shape.turn, since)


def _instant(entry: Entry, text: str, findings: Findings) -> float:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        findings.refuse(
            entry.at("since"),
            f"{shown(text)} is no time with its zone",
            'Write it like "2026-01-05T09:00+01:00".',
        )
        return 0.0
    return found.astimezone(UTC).timestamp()


def _ladders(document: Document, names: _Names, findings: Findings) -> dict[Severity, Ladder]:
    node = document.value("escalation")
    if node is None:
        return {}
    if node.kind != "mapping":
        findings.refuse(node.place, "`escalation` is a mapping", "Write it as P0: {steps: [...]}.")
        return {}
    found: dict[Severity, Ladder] = {}
    for name, (place, child) in node.entries.items():
        if name not in set(Severity):
            findings.refuse(place, f"{shown(name)} is no severity", closest(name, set(Severity)))
            continue
        entry = Entry(name, place, child)
        shape = shape_of(LadderShape, entry, findings)
        if shape is not None:
            found[Severity(name)] = _ladder(entry, Severity(name), shape, names, findings)
    return found


def _ladder(
    entry: Entry, severity: Severity, shape: LadderShape, names: _Names, findings: Findings
) -> Ladder:
    steps = []
    for index, step in enumerate(shape.steps):
        for number, channel in enumerate(step.by):
            if channel not in names.of_channels:
                findings.refuse(
                    entry.at("steps", index, "by", number),
                    f"there is no channel {channel}",
                    closest(channel, names.of_channels),
                )
        tell = _told(entry, ("steps", index, "tell"), step.tell, names, findings)
        steps.append(Step(step.after or 0.0, tell, tuple(step.by), Unless(step.unless)))
    return Ladder(severity, tuple(steps), shape.updates)


def _zone(document: Document, findings: Findings) -> ZoneInfo:
    node = document.value("zone")
    if node is None:
        return ZoneInfo("UTC")
    return zone_named(node.place, str(node.value), findings) or ZoneInfo("UTC")


def _link(document: Document, findings: Findings) -> str:
    node = document.value("link")
    if node is None:
        return ""
    text = str(node.value)
    if not text.startswith(("http://", "https://")) or not text.isprintable() or " " in text:
        findings.refuse(
            node.place, f"{shown(text)} is no web address", "Write where people find our pages."
        )
    return text


def _check_team(document: Document, found: Contacts, findings: Findings) -> None:
    if TEAM not in found.audiences and not findings.errors:
        findings.refuse(
            document.start,
            "there is no audience `team`",
            "Write `audiences: {team: {to: [CHANNEL]}}`: it is told of everything.",
        )


def _entry(document: Document, key: str) -> Entry | None:
    node = document.value(key)
    return Entry(key, document.key(key), node) if node is not None else None


def _templates(files: Mapping[str, str], findings: Findings) -> tuple[tuple[str, str], ...]:
    """Operators' own texts, tried on examples: what cannot be filled is told now."""
    examples = {name: example for name, (_, example) in FIELDS.items()}
    found = []
    for path in sorted(path for path in files if path.startswith(MESSAGES)):
        name = path.removeprefix(MESSAGES).removesuffix(TEMPLATE_END)
        if name not in TEMPLATES:
            _at_start(path, f"there is no message {name}", closest(name, TEMPLATES), findings)
            continue
        wrong = check(files[path], examples)
        if wrong is not None:
            findings.errors.append(Problem(path, wrong.line, 1, wrong.what, wrong.remedy))
        found.append((name, files[path]))
    return tuple(found)


def _at_start(path: str, what: str, remedy: str, findings: Findings) -> None:
    findings.errors.append(Problem(path, 1, 1, what, remedy))
