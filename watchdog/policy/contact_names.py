"""The names of contacts.yaml, each for one thing alone, and lists that are made of them."""

from __future__ import annotations

from typing import Any

from watchdog.core.telling.contacts import NEXT_ON_CALL, ON_CALL, Told
from watchdog.policy.document import Document, entries_of
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest


class Names:
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
        self.taken = frozenset(taken)
        self.all = set(taken) - {entry.name for entry in self.audiences}


def check_people(
    entry: Entry, path: tuple[str, ...], people: list[str], names: Names, findings: Findings
) -> None:
    for index, person in enumerate(people):
        if person not in names.of_people:
            findings.refuse(
                entry.at(*path, index),
                f"there is no person {person}",
                closest(person, names.of_people),
            )


def told_of(
    entry: Entry, path: tuple[str | int, ...], told: list[Any], names: Names, findings: Findings
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
