"""Which text of each part is in force: the offered one, else the last good one, else none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from watchdog.policy.contacts import FILE as CONTACTS
from watchdog.policy.contacts import compile_contacts
from watchdog.policy.document import Document, check_top, read_document
from watchdog.policy.environments import Named, named_in
from watchdog.policy.folder import MESSAGES, is_test
from watchdog.policy.importers.in_place import AlertFiles, is_alert_file
from watchdog.policy.leaning import leaning
from watchdog.policy.meant import nearest
from watchdog.policy.nodes import Place
from watchdog.policy.platform import DEFAULT_LIMITS, KEYS, LATER, Platform, compile_platform
from watchdog.policy.problem import PLATFORM, Findings, Problem
from watchdog.policy.rules import KEYS as OWNER_KEYS
from watchdog.policy.rules import LATER as OWNER_LATER
from watchdog.policy.rules import Owned, compile_owner
from watchdog.policy.scalars import is_name
from watchdog.policy.shape import closest
from watchdog.policy.status_pages import Places
from watchdog.policy.together import Choice, add_hidden, settle
from watchdog.policy.variables import GIVEN, Given, Value, places_of, read_variables, refuse_absent

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
    """The platform with what it was made from. `draft` is what there would be of one that is
    refused, and None where its variables are another environment's.
    """

    platform: Platform | None
    given: Given
    files: Mapping[str, str]
    findings: Findings
    pages: Places = field(default_factory=Places)
    draft: Platform | None = None
    unset: str = ""
    """The file of variables that is not there, where that is not told yet."""


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
    given = _variables(parts, own, findings)
    ours = {"platform.yaml", CONTACTS, own, GIVEN}
    used = {p: t for p, t in parts.platform.items() if p in ours or p.startswith(MESSAGES)}
    for path in parts.platform:
        if path not in ours and not path.startswith(_OF_PLATFORM):
            findings.errors.append(
                Problem(path, 1, 1, "a rule file beside platform.yaml", _meant(path))
            )
    absent = not given.file and not any(p.file in {own, GIVEN} for p in findings.errors)
    text = parts.platform.get("platform.yaml", "")
    document = read_document(text, "platform.yaml", given, findings)
    platform: Platform | None = None
    named: Named | None = None
    if document is None:
        compile_contacts(parts.platform, given, findings)
        platform = _unread(environment)
    else:
        document = check_top(document, KEYS, LATER, findings)
        named = named_in(document, findings)
        if named is not None and environment not in named.names:
            # all else would be judged with variables that were never meant for it
            findings.errors[:] = [named.foreign(environment)]
        else:
            contacts = compile_contacts(parts.platform, given, findings)
            platform = compile_platform(document, environment, findings, contacts)
    pages = Places.of(parts.platform.get(CONTACTS), CONTACTS, given)
    if platform is not None and not platform.refused and platform.refused is not None:
        pages.check_targets({action.target for action in platform.actions.values()}, findings)
    if absent and named is not None and environment in named.names and findings.lacking:
        refuse_absent(own, findings)
        absent = False  # that is told
    whole = None if findings.errors else platform
    unset = own if absent and named is not None else ""
    return Base(whole, given, used, findings, pages, platform, unset)


def _meant(path: str) -> str:
    """What to do about a file that is none of the platform's own."""
    near = nearest(path, {"platform.yaml", CONTACTS})
    if near is not None:
        return f"Is it meant to be {near}? Rename it."
    return "Rules lie in their owner's folder: OWNER/rules.yaml."


def _variables(parts: Parts, own: str, findings: Findings) -> Given:
    """What the caller gave, before what the environment's own file says."""
    values: dict[str, Value] = {}
    places: dict[str, Place] = {}
    wrong = Findings()
    there = [path for path in (own, GIVEN) if path in parts.platform]
    for path in there:
        values.update(read_variables(parts.platform[path], path, wrong))
        places.update(places_of(parts.platform[path], path))
    findings.errors.extend(wrong.errors)
    broken = any(problem.file == own for problem in findings.errors) or wrong.errors
    return Given(values, own if there and not broken else "", places)


def _unread(environment: str) -> Platform:
    """What is known of a platform whose file cannot be read: nothing at all."""
    return Platform(environment, {}, {}, {}, {}, (), {}, DEFAULT_LIMITS, "", {}, refused=None)


def wrong_besides(base: Base, new: Parts) -> dict[str, Findings]:
    """What is wrong in the owners' files beside a platform that is refused, by owner.

    So that all is told at once, and not file by file as they are mended.
    """
    if base.draft is None:
        return {}
    apart = replace(base, platform=base.draft)
    found = choose_owners(apart, new, Parts({}, {}, {})).findings
    return {owner: findings for owner, findings in found.items() if owner != PLATFORM}


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
        written = _compile(owner, files, base, platform, findings)
        owned = None if findings.errors else written
        choice.written[owner] = written
        before = last.owners.get(owner)
        again = Findings()
        kept = _compile(owner, before, base, platform, again) if before else None
        kept = None if again.errors else kept
        if kept is not None:
            fallback[owner] = kept
        chosen = owned or kept
        if chosen is not None:
            choice.owned[owner] = chosen
    wrong = {owner for owner in new.owners if choice.findings[owner].errors}
    settle(choice, fallback)
    add_hidden(choice, wrong)
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
    unread = bool(findings.errors)
    alerts = {path: text for path, text in files.items() if is_alert_file(text)}
    for path, text in sorted(files.items()):
        if path in alerts:
            continue
        document = read_document(text, path, base.given, findings)
        if document is None:
            unread = True
            continue
        if platform.refused != frozenset():
            findings.unknown.update(leaning(document.node, platform.refused))
        document = check_top(document, OWNER_KEYS, OWNER_LATER, findings)
        if document.value("rules") is None:
            findings.refuse(document.start, "the file has no `rules`", "Add them, or delete it.")
        documents.append(document)
    found = compile_owner(owner, documents, platform, findings, AlertFiles(alerts))
    if base.unset:
        refuse_absent(base.unset, findings)
    return None if unread else found


def _advise(choice: Choice, pages: Places) -> None:
    findings = choice.findings[PLATFORM]
    rules = choice.standing()
    if choice.read:
        pages.advise_rules(rules, findings)
    known = {"owner": set(choice.findings) - {PLATFORM}}
    if choice.read:
        known["rule"] = rules
    for window in choice.platform.windows:
        names = known.get(window.scope.kind)
        if names is not None and window.scope.name not in names:
            findings.advise(
                choice.platform.window_places[window.name].at("scope"),
                f"the window {window.name} covers the {window.scope.text}, which does not exist",
                closest(window.scope.name, names),
            )
