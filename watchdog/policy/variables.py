"""`{{ name }}` in any scalar becomes the environment's value; an unknown one is an error in place.

A scalar that is one variable and nothing else takes the variable's own type, so a number stays a
number. Values are put in once: a value that itself looks like a variable is not followed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.problem import Findings
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest
from watchdog.policy.tree import read_in_part, resolve

Value = str | int | float | bool
Variables = Mapping[str, Value]

GIVEN = "vars/.given.yaml"
"""Where variables that the caller gave are kept among the files in force (a file of that name
is never read from a folder), so that a restart from the journal loads exactly what was applied."""

_ANY = re.compile(r"\{\{([^{}]*)\}\}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z", re.ASCII)
_LISTED = 8
_DUMPED = re.compile(r"[\"\\\x00-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Given:
    """The variables of the environment and the file that defines them; none if it is refused.
    `places` tell where each is set.
    """

    values: Variables
    file: str
    places: Mapping[str, Place] = field(default_factory=dict)

    def set_by(self, name: str) -> str:
        """Where the value of a variable comes from, in words."""
        place = self.places.get(name)
        if place is None:
            return ""
        where = "given from outside the folder" if place.file == GIVEN else f"set in {place.text}"
        return f"{{{{ {name} }}}} is {where}"


def places_of(text: str, file: str) -> dict[str, Place]:
    """Where each variable of a file has its value."""
    try:
        tree, _ = read_in_part(text, file)
    except BadText:
        return {}
    return {name: node.place for name, (_, node) in tree.entries.items()} if tree else {}


def read_variables(text: str, file: str, findings: Findings) -> dict[str, Value]:
    """The variables of one file: name to text, number or truth."""
    try:
        tree, twice = read_in_part(text, file)
    except BadText as bad:
        findings.refuse(bad.place, bad.what, bad.remedy)
        return {}
    for place, what, remedy in twice:
        findings.refuse(place, what, remedy)
    if tree is None:
        findings.refuse(
            Place(file, 1, 1), "the file is empty", "Was it saved whole? Else delete it."
        )
        return {}
    if tree.kind != "mapping":
        findings.refuse(tree.place, "variables are a mapping of names to values", "app: http://...")
        return {}
    found: dict[str, Value] = {}
    for name, (key, node) in tree.entries.items():
        if not _NAME.match(name):
            findings.refuse(
                key, f"{shown(name)} is no variable name", "Use small letters, digits and _."
            )
        elif node.kind != "scalar" or node.value is None:
            findings.refuse(
                node.place, f"the variable {name} is no text or number", "Write one value."
            )
        else:
            found[name] = node.value
    return found


def write_variables(values: Variables) -> str:
    """Variables as a file's text; `read_variables` reads the same values from it."""
    lines = []
    for name, value in sorted(values.items()):
        if isinstance(value, str):
            quoted = _DUMPED.sub(lambda m: f"\\u{ord(m[0]):04x}", value)
            lines.append(f'{name}: "{quoted}"')
        else:
            lines.append(f"{name}: {str(value).lower() if isinstance(value, bool) else value}")
    return "".join(f"{line}\n" for line in lines)


def substitute(node: Node, given: Given, findings: Findings) -> Node:
    """A copy of the tree with every variable put in, each place with what set it. Where `given`
    names no file, that is refused itself or not there, and what it lacks is not told of again.
    """
    if node.kind == "list":
        return replace(node, items=[substitute(n, given, findings) for n in node.items])
    if node.kind == "mapping":
        entries = {}
        for key, (place, child) in node.entries.items():
            if "{{" in key:
                findings.refuse(place, "a variable in a key", "Variables stand in values only.")
            entries[key] = (place, substitute(child, given, findings))
        return replace(node, entries=entries)
    if not isinstance(node.value, str) or "{{" not in node.value:
        return node
    return _scalar(node, node.value, given, findings)


def _scalar(node: Node, text: str, given: Given, findings: Findings) -> Node:
    values = given.values
    names = [match.strip() for match in _ANY.findall(text)]
    if not names or "{{" in _ANY.sub("", text):
        findings.refuse(
            node.place, f"a broken variable in {shown(text)}", 'Write it like "{{ app }}".'
        )
        return node
    for name in names:
        if name not in values:
            remedy = closest(name, values) if values else f"Define it in {given.file}."
            if given.file:
                findings.refuse(node.place, f"unknown variable {shown(name)}", remedy)
            else:
                findings.lacking.add(name)
            findings.unknown.add(node.place)
            return node
    said = "; ".join(filter(None, map(given.set_by, dict.fromkeys(names))))
    place = replace(node.place, set_by=said)
    whole = _ANY.fullmatch(text)
    if whole:
        value = values[names[0]]
        return replace(node, place=place, value=value, text=str(value))
    filled = _ANY.sub(lambda match: str(values[match[1].strip()]), text)
    return replace(node, place=place, value=filled, text=filled)


def refuse_absent(file: str, findings: Findings) -> None:
    """A file of variables that is not there: told once, and not wherever one is used."""
    names = sorted(findings.lacking)
    if names:
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        findings.refuse(
            Place(file, 1, 1),
            f"the file is not there, and {', '.join(map(shown, names[:_LISTED]))}{more} would be "
            "defined in it",
            f"Write it, one variable a line, like `{shown(names[0])}: VALUE`.",
        )


def typed(values: Mapping[str, Value], findings: Findings) -> dict[str, Value]:
    """The caller's variables, texts read as a file would read them ("20" is a number)."""
    found: dict[str, Value] = {}
    for name, value in values.items():
        place = Place("variables", 1, 1)
        if not _NAME.match(name):
            findings.refuse(place, f"{shown(name)} is no variable name", "Use small letters and _.")
            continue
        found[name] = value
        if isinstance(value, str):
            try:
                plain = resolve(value, place)
            except BadText as bad:
                findings.refuse(place, f"{name}: {bad.what}", bad.remedy)
                continue
            found[name] = value if plain is None else plain
    return found
