"""contacts.yaml as core values: who is told, by what, and who next.

It is part of the platform's share of the policy, and as all-or-nothing: a person whose channel does
not exist would be told of nothing, and nobody would know before the night in which it matters.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from watchdog.core.telling.contacts import (
    TEAM,
    AppriseUrl,
    Audience,
    Channel,
    Contacts,
    Person,
    Role,
    Webhook,
)
from watchdog.messages import TEMPLATES, check, fields_of
from watchdog.policy.calendar import zone_named
from watchdog.policy.contact_names import Names, check_people, check_reach, read_named, told_of
from watchdog.policy.contacts_models import (
    AudienceShape,
    ContactChannelShape,
    PersonShape,
    RoleShape,
)
from watchdog.policy.document import Document, check_top, read_document
from watchdog.policy.escalation import ladders_of, on_call_of
from watchdog.policy.folder import MESSAGES
from watchdog.policy.http import endpoint
from watchdog.policy.problem import Entry, Findings, Problem
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest, shape_of
from watchdog.policy.status_pages import KEY as STATUS_PAGES
from watchdog.policy.status_pages import status_pages
from watchdog.policy.variables import GIVEN, Given, Value, read_variables

FILE = "contacts.yaml"
TEMPLATE_END = ".j2"
KEYS = (
    "version", "channels", "people", "roles", "on-call", "audiences", "escalation", "zone", "link",
    STATUS_PAGES,
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
    document = check_top(document, KEYS, {}, findings)
    names = Names(document, findings)
    found = Contacts(
        channels={c.name: c for entry in names.channels if (c := _channel(entry, names, findings))},
        people={p.name: p for entry in names.people if (p := _person(entry, names, findings))},
        roles={r.name: r for entry in names.roles if (r := _role(entry, names, findings))},
        audiences={
            a.name: a for entry in names.audiences if (a := _audience(entry, names, findings))
        },
        on_call=on_call_of(document, names, findings),
        ladders=ladders_of(document, names, findings),
        zone=_zone(document, findings),
        templates=templates,
        link=_link(document, findings),
        status_pages=status_pages(document, names.taken, findings),
    )
    _check_team(document, names, findings)
    return found


def _channel(entry: Entry, names: Names, findings: Findings) -> Channel | None:
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


def _person(entry: Entry, names: Names, findings: Findings) -> Person | None:
    shape = read_named(PersonShape, entry, names, findings)
    if shape is None:
        return None
    check_reach(entry, shape.reach, names, findings)
    reach = tuple(shape.reach.items())
    return Person(entry.name, shape.name, reach, shape.phone or "", shape.outside, shape.note or "")


def _role(entry: Entry, names: Names, findings: Findings) -> Role | None:
    shape = read_named(RoleShape, entry, names, findings)
    if shape is None:
        return None
    check_people(entry, ("people",), shape.people, names, findings)
    return Role(entry.name, shape.title, tuple(shape.people))


def _audience(entry: Entry, names: Names, findings: Findings) -> Audience | None:
    shape = read_named(AudienceShape, entry, names, findings)
    if shape is None:
        return None
    if shape.outside and entry.name == TEAM:
        findings.refuse(
            entry.at("outside"), "the team is told at once, without approval", "Remove `outside`."
        )
    return Audience(entry.name, told_of(entry, ("to",), shape.to, names, findings), shape.outside)


def zone_in(files: Mapping[str, str], environment: str) -> ZoneInfo | None:
    """The zone in which this policy's people are told times; None where it names no people."""
    if FILE not in files:
        return None
    values: dict[str, Value] = {}
    for path in (f"vars/{environment}.yaml", GIVEN):
        values |= read_variables(files.get(path, ""), path, Findings())
    document = read_document(files[FILE], FILE, Given(values, ""), Findings())
    return _zone(document, Findings()) if document is not None else None


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


def _check_team(document: Document, names: Names, findings: Findings) -> None:
    if all(entry.name != TEAM for entry in names.audiences):
        findings.refuse(
            document.start,
            "there is no audience `team`",
            "Write `audiences: {team: {to: [CHANNEL]}}`: it is told of everything.",
        )


def _templates(files: Mapping[str, str], findings: Findings) -> tuple[tuple[str, str], ...]:
    """Operators' own texts, tried on examples: what cannot be filled is told now."""
    found = []
    for path in sorted(path for path in files if path.startswith(MESSAGES)):
        name = path.removeprefix(MESSAGES).removesuffix(TEMPLATE_END)
        if name not in TEMPLATES:
            _at_start(path, f"there is no message {name}", closest(name, TEMPLATES), findings)
            continue
        examples = {field: example for field, (_, example) in fields_of(name).items()}
        wrong = check(files[path], examples)
        if wrong is not None:
            findings.errors.append(Problem(path, wrong.line, 1, wrong.what, wrong.remedy))
        found.append((name, files[path]))
    return tuple(found)


def _at_start(path: str, what: str, remedy: str, findings: Findings) -> None:
    findings.errors.append(Problem(path, 1, 1, what, remedy))
