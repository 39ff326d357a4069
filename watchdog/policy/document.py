"""One file of the folder as a tree with its variables put in, and its named entries."""

from __future__ import annotations

from dataclasses import dataclass, replace

from watchdog.core.naming import family_of
from watchdog.policy.meant import keys_meant
from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import is_name, shown
from watchdog.policy.shape import closest
from watchdog.policy.tree import read_in_part
from watchdog.policy.unfolding import unfolded
from watchdog.policy.variables import Given, substitute

VERSION = 1


@dataclass(frozen=True, slots=True)
class Document:
    """A file whose top is a mapping."""

    file: str
    node: Node

    @property
    def start(self) -> Place:
        return self.node.place

    def value(self, key: str) -> Node | None:
        found = self.node.entries.get(key)
        return found[1] if found else None

    def key(self, *path: str | int) -> Place:
        return self.node.key_at(path)


def read_document(text: str, file: str, given: Given, findings: Findings) -> Document | None:
    """The file's tree, or None with what is wrong with it as a whole."""
    try:
        node, twice = read_in_part(text, file)
    except BadText as bad:
        findings.refuse(bad.place, bad.what, bad.remedy)
        return None
    for place, what, remedy in twice:
        findings.refuse(place, what, remedy)
    if node is None:
        findings.refuse(
            Place(file, 1, 1), "the file is empty", "Was it saved whole? If not wanted, delete it."
        )
        return None
    if node.kind != "mapping":
        findings.refuse(node.place, "the file is no mapping", "Begin it with `version: 1`.")
        return None
    node = unfolded(node, given.values, findings)
    return Document(file, substitute(node, given, findings))


def check_top(
    document: Document, keys: tuple[str, ...], later: dict[str, str], findings: Findings
) -> Document:
    """The top of a file: known words only, and the language's version. The file is given back
    with its misspelt keys as they are meant.
    """
    entries = keys_meant(document.node, keys, later, findings)
    if entries.keys() != document.node.entries.keys():
        document = replace(document, node=replace(document.node, entries=entries))
    for key, (place, _) in document.node.entries.items():
        if findings.full:
            return document
        if key in later:
            findings.refuse(
                place,
                f"`{key}`: {later[key]} is not supported by this version",
                "Remove it; it is refused so that nobody relies on it.",
            )
        elif key not in keys:
            findings.refuse(place, f"unknown key `{shown(key)}`", closest(key, keys))
    version = document.value("version")
    if version is None:
        findings.refuse(
            document.start, "no `version`", f"Begin the file with `version: {VERSION}`."
        )
    elif version.kind != "scalar" or version.value is True or version.value != VERSION:
        findings.refuse(
            version.place,
            f"version {shown(version.value)} is not known here",
            f"This program reads version {VERSION}.",
        )
    return document


def entries_of(document: Document, key: str, findings: Findings) -> list[Entry]:
    """The named things under `key`; a bad name is reported and the thing still looked at."""
    node = document.value(key)
    if node is None:
        return []
    if node.kind != "mapping":
        findings.refuse(
            node.place, f"`{key}` is a mapping of names", f"Write it as {key}: NAME: ..."
        )
        return []
    found = []
    for name, (place, child) in node.entries.items():
        if findings.full:
            break
        # What was unfolded has its values behind its name; nothing that is written may have.
        if not is_name(family_of(name) if key == "actions" else name):
            findings.refuse(
                place,
                f"{shown(name)!r} is no name",
                "Names are small letters, digits and hyphens, and begin with a letter.",
            )
        found.append(Entry(name, place, child))
    return found
