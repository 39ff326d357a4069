"""Which text of each part is in force: the offered one, else the last good one, else none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchdog.policy.contacts import FILE as CONTACTS
from watchdog.policy.contacts import compile_contacts
from watchdog.policy.document import Document, Given, check_top, read_document
from watchdog.policy.environments import check_environment
from watchdog.policy.folder import MESSAGES, is_test
from watchdog.policy.importers.in_place import AlertFiles, is_alert_file
from watchdog.policy.platform import KEYS, LATER, Platform, compile_platform
from watchdog.policy.problem import PLATFORM, Findings, Problem
from watchdog.policy.rules import KEYS as OWNER_KEYS
from watchdog.policy.rules import LATER as OWNER_LATER
from watchdog.policy.rules import Owned, compile_owner
from watchdog.policy.scalars import is_name
from watchdog.policy.shape import closest
from watchdog.policy.status_pages import Places
from watchdog.policy.variables import GIVEN, Value, read_variables

RESERVED = frozenset({PLATFORM, "vars", "messages", "manual"})
"""No owner may be called so: the platform's own part, its folders, and orders of people."""

_OF_PLATFORM = ("vars/", MESSAGES)


@dataclass(frozen=True, slots=True)
class Parts:
    """Texts and reading problems by part."""

    platform: Mapping[str, str]
    owners: Mapping[str, Mapping[str, str]]
    problems: Mapping[str, tuple[Problem, ...]]


@dataclass(frozen=True, slots=True)
class Base:
    """The platform with what it was made from."""

    platform: Platform | None
    given: Given
    files: Mapping[str, str]
    findings: Findings
    pages: Places = field(default_factory=Places)


@dataclass(slots=True)
class Choice:
    """What is in force under one platform. `lost` were in force and no longer can be."""

    platform: Platform
    owned: dict[str, Owned] = field(default_factory=dict)
    findings: dict[str, Findings] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)


def split(files: Mapping[str, str], problems: Iterable[Problem]) -> Parts:
    """Files and problems by the part that they belong to."""
    platform: dict[str, str] = {}
    owners: dict[str, dict[str, str]] = {}
    sorted_problems: dict[str, list[Problem]] = {}
    for problem in problems:
        sorted_problems.setdefault(_part_of(problem.file), []).append(problem)
    for path, text in files.items():
        if is_test(path):
            continue
        part = _part_of(path)
        if part == PLATFORM:
            platform[path] = text
        else:
            owners.setdefault(part, {})[path] = text
    for part in sorted_problems:
        if part != PLATFORM:
            owners.setdefault(part, {})
    return Parts(platform, owners, {part: tuple(found) for part, found in sorted_problems.items()})


def _part_of(path: str) -> str:
    first, slash, _ = path.partition("/")
    return first if (slash or is_name(first)) and not path.startswith(_OF_PLATFORM) else PLATFORM


def compile_base(parts: Parts, environment: str) -> Base:
    """The platform of these texts, with the environment's variables."""
    findings = Findings(errors=list(parts.problems.get(PLATFORM, ())))
    own = f"vars/{environment}.yaml"
    values: dict[str, Value] = {}
    for path in (own, GIVEN):  # what the caller gave goes before what the file says
        if path in parts.platform:
            values.update(read_variables(parts.platform[path], path, findings))
    ours = {"platform.yaml", CONTACTS, own, GIVEN}
    used = {p: t for p, t in parts.platform.items() if p in ours or p.startswith(MESSAGES)}
    for path in parts.platform:
        if path not in ours and not path.startswith(_OF_PLATFORM):
            findings.errors.append(
                Problem(
                    path,
                    1,
                    1,
                    "a rule file beside platform.yaml",
                    "Rules lie in their owner's folder: OWNER/rules.yaml.",
                )
            )
    given = Given(values, own)
    text = parts.platform.get("platform.yaml", "")
    document = read_document(text, "platform.yaml", given, findings)
    platform = None
    if document is not None:
        foreign = check_environment(document, environment)
        if foreign:  # all else would be judged with variables that were never meant for it
            findings.errors[:] = foreign
        else:
            check_top(document, KEYS, LATER, findings)
            contacts = compile_contacts(parts.platform, given, findings)
            platform = compile_platform(document, environment, findings, contacts)
    pages = Places.of(parts.platform.get(CONTACTS), CONTACTS, given)
    if platform is not None:
        pages.check_targets({action.target for action in platform.actions.values()}, findings)
    return Base(platform if not findings.errors else None, given, used, findings, pages)


def choose_owners(base: Base, new: Parts, last: Parts) -> Choice:
    """Each owner's offered text where it loads, else its last good text where that loads."""
    platform = base.platform
    if platform is None:
        raise ValueError("there is no platform to judge owners against")
    choice = Choice(platform, findings={PLATFORM: base.findings}, files=dict(base.files))
    fallback: dict[str, Owned] = {}
    for owner, files in sorted(new.owners.items()):
        findings = Findings(errors=list(new.problems.get(owner, ())))
        choice.findings[owner] = findings
        owned = _compile(owner, files, base, platform, findings)
        before = last.owners.get(owner)
        kept = _compile(owner, before, base, platform, Findings()) if before else None
        if kept is not None:
            fallback[owner] = kept
        chosen = owned or kept
        if chosen is not None:
            choice.owned[owner] = chosen
    _settle(choice, fallback)
    for owner, files in new.owners.items():
        if owner not in choice.owned:
            if last.owners.get(owner):
                choice.lost.append(owner)
        elif choice.owned[owner] is fallback.get(owner) and choice.findings[owner].errors:
            choice.files.update(last.owners[owner])
        else:
            choice.files.update(files)
    _advise(choice, base.pages)
    return choice


def _compile(
    owner: str, files: Mapping[str, str], base: Base, platform: Platform, findings: Findings
) -> Owned | None:
    start = Problem(f"{owner}/", 1, 1, "", "")
    if not is_name(owner) or owner in RESERVED:
        what = f"{owner} is no name for an owner"
        findings.errors.append(
            Problem(start.file, 1, 1, what, "Name the folder with small letters and hyphens.")
        )
        return None
    documents: list[Document] = []
    alerts = {path: text for path, text in files.items() if is_alert_file(text)}
    for path, text in sorted(files.items()):
        if path in alerts:
            continue
        document = read_document(text, path, base.given, findings)
        if document is None:
            continue
        check_top(document, OWNER_KEYS, OWNER_LATER, findings)
        if document.value("rules") is None:
            findings.refuse(document.start, "the file has no `rules`", "Add them, or delete it.")
        documents.append(document)
    return compile_owner(owner, documents, platform, findings, AlertFiles(alerts))


def _settle(choice: Choice, fallback: Mapping[str, Owned]) -> None:
    """Judge the parts together until nothing more falls back.

    An owner falls back at most once and is dropped at most once, so this ends.
    """
    while True:
        fallen = _duplicates(choice, fallback) or _strangers(choice, fallback)
        if not fallen:
            return
        for owner in fallen:
            kept = fallback.get(owner)
            if kept is not None and choice.owned[owner] is not kept:
                choice.owned[owner] = kept
            else:
                del choice.owned[owner]


def _duplicates(choice: Choice, fallback: Mapping[str, Owned]) -> set[str]:
    """Owners that must give way because another has a rule of the same name.

    Whoever had the name in force keeps it; where nobody had, nobody gets it.
    """
    users: dict[str, list[str]] = {}
    for owner, owned in sorted(choice.owned.items()):
        for name in owned.rules:
            users.setdefault(name, []).append(owner)
    fallen: set[str] = set()
    for name, owners in users.items():
        if len(owners) == 1:
            continue
        holders = [o for o in owners if o in fallback and name in fallback[o].rules]
        for owner in owners:
            if owner in holders[:1]:
                continue
            others = [o for o in owners if o != owner]
            places = ", ".join(choice.owned[o].rules[name].where for o in others)
            choice.findings[owner].refuse(
                choice.owned[owner].entries[name].key,
                f"the rule {name} stands also at {places}",
                "Rule names are one for all owners: give one of them another name.",
            )
            fallen.add(owner)
    return fallen


def _strangers(choice: Choice, fallback: Mapping[str, Owned]) -> set[str]:
    """Owners whose rules lean on rules that do not exist.

    What is in force stays even so: its missing partner counts as blind, and it holds.
    """
    known = {name for owned in choice.owned.values() for name in owned.rules}
    fallen: set[str] = set()
    for owner, owned in sorted(choice.owned.items()):
        for name, rule in owned.rules.items():
            for index, partner in enumerate(rule.corroborate):
                if partner in known and partner != name:
                    continue
                itself = partner == name
                choice.findings[owner].refuse(
                    owned.entries[name].at("corroborate", index),
                    f"{name} cannot corroborate itself"
                    if itself
                    else f"there is no rule {partner}",
                    "Name another rule." if itself else closest(partner, known - {name}),
                )
                if owned is not fallback.get(owner):
                    fallen.add(owner)
    return fallen


def _advise(choice: Choice, pages: Places) -> None:
    findings = choice.findings[PLATFORM]
    rules = {name for owned in choice.owned.values() for name in owned.rules}
    pages.advise_rules(rules, findings)
    known = {"owner": set(choice.findings) - {PLATFORM}, "rule": rules}
    for window in choice.platform.windows:
        names = known.get(window.scope.kind)
        if names is not None and window.scope.name not in names:
            findings.advise(
                choice.platform.window_places[window.name].at("scope"),
                f"the window {window.name} covers the {window.scope.text}, which does not exist",
                closest(window.scope.name, names),
            )
