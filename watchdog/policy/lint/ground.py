"""What lints look at: a loaded policy, and where each of its things stands in the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdog.core.inputs import last_rung
from watchdog.core.naming import family_of
from watchdog.core.spec import ActionSpec, Policy, RuleSpec, SourceSpec
from watchdog.policy.alertmanager import KEY as ALERTMANAGER
from watchdog.policy.contacts import FILE as CONTACTS
from watchdog.policy.document import entries_of, read_document
from watchdog.policy.load import Load
from watchdog.policy.nodes import Place
from watchdog.policy.parts import compile_base, split
from watchdog.policy.problem import PLATFORM, Entry, Findings
from watchdog.policy.status_pages import Places

Entries = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Ground:
    """One environment's policy. `others` are the other environments that the folder loads for.
    Not `whole`, an owner's part is refused, and what is missing may be there.

    `tested` are the rules that test files speak of; None where nobody looked.
    """

    policy: Policy
    rules: Entries
    sources: Entries
    actions: Entries
    playbooks: Entries
    others: Mapping[str, Policy] = field(default_factory=dict)
    tested: frozenset[str] | None = None
    alertmanager: Entry | None = None
    channels: Entries = field(default_factory=dict)
    people: Entries = field(default_factory=dict)
    pages: Places = field(default_factory=Places)
    tells: Entries = field(default_factory=dict)  # the channels and status pages of the contacts
    whole: bool = True

    def source_of(self, rule: RuleSpec) -> SourceSpec:
        return self.policy.sources[rule.source]

    def reach_of(self, rule: RuleSpec) -> tuple[ActionSpec, ...]:
        """The actions that the rule's playbook may come to."""
        if rule.playbook is None:
            return ()
        rungs = self.policy.playbooks[rule.playbook].rungs
        last = last_rung(rule, self.policy)
        return tuple(self.policy.actions[rung.action] for rung in rungs[: last + 1])

    def action(self, written: str) -> Entry:
        """An action by its name as it is written: of one for listed values the first of them."""
        return next(one for name, one in self.actions.items() if written in {name, family_of(name)})

    def at(self, rule: RuleSpec, *path: str | int) -> Place:
        return self.rules[rule.name].at(*path)


def ground_of(
    load: Load,
    *,
    others: Mapping[str, Policy] | None = None,
    tested: frozenset[str] | None = None,
) -> Ground | None:
    """The ground under what is loaded; None where the platform is refused."""
    policy = load.policy
    if policy is None or PLATFORM in {part.owner for part in load.parts if part.errors}:
        return None
    found = Findings()
    parts = split(load.files, ())
    given = compile_base(parts, policy.environment).given
    platform = read_document(parts.platform["platform.yaml"], "platform.yaml", given, found)
    if platform is None:
        return None
    rules: dict[str, Entry] = {}
    for files in parts.owners.values():
        for path, text in files.items():
            document = read_document(text, path, given, found)
            if document is not None:
                rules |= {e.name: e for e in entries_of(document, "rules", found)}
    sections = {
        name: {e.name: e for e in entries_of(platform, name, found)}
        for name in ("sources", "actions", "playbooks", "events")
    }
    contacts = read_document(parts.platform.get(CONTACTS, ""), CONTACTS, given, found)
    channels = entries_of(contacts, "channels", found) if contacts else ()
    section = platform.value(ALERTMANAGER)
    return Ground(
        policy,
        rules,
        sections["sources"],
        sections["actions"],
        sections["playbooks"],
        others or {},
        tested,
        Entry(ALERTMANAGER, platform.key(ALERTMANAGER), section) if section else None,
        sections["events"],
        {e.name: e for e in entries_of(contacts, "people", found)} if contacts else {},
        pages := Places.of(parts.platform.get(CONTACTS), CONTACTS, given),
        {e.name: e for e in (*channels, *pages.entries)},
        load.complete,
    )
