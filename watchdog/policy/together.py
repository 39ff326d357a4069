"""Owners' parts judged together: names that two of them want, and rules that lean on each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdog.policy.platform import Platform
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rules import Owned
from watchdog.policy.scalars import is_name
from watchdog.policy.shape import closest


@dataclass(slots=True)
class Choice:
    """What is in force under one platform. `lost` were in force and no longer can be.

    `written` is all that was offered, as far as it could be read: None of what could not.
    """

    platform: Platform
    owned: dict[str, Owned] = field(default_factory=dict)
    findings: dict[str, Findings] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    written: dict[str, Owned | None] = field(default_factory=dict)

    def standing(self, *, but: str = "") -> set[str]:
        """Names of rules that stand in files or are in force, also where they are refused."""
        known = [*self.written.values(), *self.owned.values()]
        return {name for one in known if one and one.owner != but for name in one.entries}

    @property
    def read(self) -> bool:
        """Whether every rule's name is known."""
        return all(self.written.values())


def settle(choice: Choice, fallback: Mapping[str, Owned]) -> None:
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
    draft = choice.platform.refused != frozenset()
    if draft and not choice.read:
        return set()
    rules = {name for owned in choice.owned.values() for name in owned.rules}
    known = choice.standing() if draft else rules
    fallen: set[str] = set()
    for owner, owned in sorted(choice.owned.items()):
        for name in owned.rules:
            for index, partner in partners_of(owned.entries[name]):
                if partner in known and partner != name:
                    continue
                _refuse_partner(choice, owned, name, index)
                if owned is not fallback.get(owner):
                    fallen.add(owner)
    return fallen


def partners_of(entry: Entry) -> list[tuple[int, str]]:
    """The rules that corroborate it, as it is written: where in the list, and which."""
    written = entry.node.plain()
    names = written.get("corroborate") if isinstance(written, dict) else None
    listed = names if isinstance(names, list) else []
    return [(index, name) for index, name in enumerate(listed) if is_name(str(name))]


def _refuse_partner(choice: Choice, owned: Owned, name: str, index: int) -> None:
    """The rule that corroborates `name` is itself, is nowhere, or is refused where it stands."""
    partner = dict(partners_of(owned.entries[name]))[index]
    standing = choice.standing()
    if partner == name:
        what, remedy = f"{name} cannot corroborate itself", "Name another rule."
    elif partner in standing:
        what, remedy = f"the rule {partner}, which it leans on, is refused", "Mend that one first."
    elif not choice.read:
        what, remedy = f"no file that could be read has a rule {partner}", "Mend the files first."
    else:
        what, remedy = f"there is no rule {partner}", closest(partner, standing - {name})
    choice.findings[owned.owner].refuse(owned.entries[name].at("corroborate", index), what, remedy)


def add_hidden(choice: Choice, wrong: set[str]) -> None:
    """What only shows among all rules, of owners that are refused for something else already."""
    for owner in sorted(wrong - set(choice.owned)):
        findings, owned = choice.findings[owner], choice.written[owner]
        if owned is None:
            continue
        for name in sorted(set(owned.entries) & choice.standing(but=owner)):
            findings.refuse(
                owned.entries[name].key,
                f"the rule {name} stands also in the files of another owner",
                "Rule names are one for all owners: give one of them another name.",
            )
        for name, entry in owned.entries.items() if choice.read else ():
            for index, partner in partners_of(entry):
                if partner == name or partner not in choice.standing():
                    _refuse_partner(choice, owned, name, index)
