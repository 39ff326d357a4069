"""The names of contacts.yaml, each for one thing alone, and lists that are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from watchdog.core.telling.contacts import NEXT_ON_CALL, ON_CALL, Told
from watchdog.policy.base import Shape
from watchdog.policy.document import Document, entries_of
from watchdog.policy.meant import corrected
from watchdog.policy.nodes import Node
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import is_name, shown
from watchdog.policy.shape import closest, shape_of

S = TypeVar("S", bound=Shape)


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


def read_named(model: type[S], entry: Entry, names: Names, findings: Findings) -> S | None:
    """The entry as `model`; where its form is refused, the names in it are judged all the same."""
    shape = shape_of(model, entry, findings)
    if shape is None:
        _judge_names(corrected(model, entry, findings).node, names, findings)
    return shape


def _judge_names(node: Node, names: Names, findings: Findings) -> None:
    """Of lists and mappings whose key says what is named in them."""
    for item in node.items:
        _judge_names(item, names, findings)
    for key, (place, child) in node.entries.items():
        entry = Entry(key, place, child)
        match key:
            case "people":
                check_people(entry, (), names_in(child), names, findings)
            case "by":
                check_channels(entry, (), names_in(child), names, findings)
            case "tell" | "to":
                told_of(entry, (), [_telling(one) for one in child.items], names, findings)
            case "reach":
                check_reach(Entry("", place, node), child.entries, names, findings)
            case _:
                _judge_names(child, names, findings)


def names_in(node: Node) -> list[str | None]:
    """What a list of names says; None for what can be no name, which is told of its form."""
    values = [one.value for one in node.items]
    return [one if isinstance(one, str) and is_name(one) else None for one in values]


def _telling(node: Node) -> Any:
    """One of a list that tells; nothing of one whose form is refused."""
    plain = node.plain()
    one = isinstance(plain, dict) and len(plain) == 1
    return plain if one or isinstance(plain, str) else None


def check_people(
    entry: Entry,
    path: tuple[str, ...],
    people: Sequence[str | None],
    names: Names,
    findings: Findings,
) -> None:
    for index, person in enumerate(people):
        if person is not None and person not in names.of_people:
            findings.refuse(
                entry.at(*path, index),
                f"there is no person {person}",
                closest(person, names.of_people),
            )


def check_channels(
    entry: Entry,
    path: tuple[str | int, ...],
    channels: Sequence[str | None],
    names: Names,
    findings: Findings,
) -> None:
    for index, channel in enumerate(channels):
        if channel is not None and channel not in names.of_channels:
            findings.refuse(
                entry.at(*path, index),
                f"there is no channel {channel}",
                closest(channel, names.of_channels),
            )


def check_reach(person: Entry, channels: Iterable[str], names: Names, findings: Findings) -> None:
    for channel in channels:
        if channel not in names.of_channels:
            findings.refuse(
                person.key_at("reach", channel),
                f"there is no channel {channel}",
                closest(channel, names.of_channels),
            )


def told_of(
    entry: Entry, path: tuple[str | int, ...], told: list[Any], names: Names, findings: Findings
) -> tuple[Told, ...]:
    """Whom a list names; None in it is what its form is refused for."""
    found = []
    for index, one in enumerate(told):
        if one is None:
            continue
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
