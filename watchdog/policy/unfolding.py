"""An action with `each: {flag: [a, b]}` is one action for each value, before anything else is read.

The values stand in the file, and nothing else ever takes their place: a label's value that metrics
show only chooses among them. What is read afterwards are plain actions, named with their values:
`pause-flag{flag="a"}`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import product

from watchdog.core.naming import Values, labelled
from watchdog.policy.nodes import Node, Place
from watchdog.policy.problem import Findings
from watchdog.policy.scalars import shown

MOST = 100
"""Actions that one may be unfolded into."""
MOST_LABELS = 5

_LABEL = re.compile(r"[a-zA-Z][a-zA-Z0-9_]{0,99}\Z", re.ASCII)
VALUE = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
_VALUE = re.compile(VALUE + r"\Z", re.ASCII)
_ANY = re.compile(r"\{\{([^{}]*)\}\}")

Entries = dict[str, tuple[Place, Node]]


def unfolded(top: Node, variables: Mapping[str, object], findings: Findings) -> Node:
    """The file's tree with every action that has `each` in as many as it is for."""
    key, actions = top.entries.get("actions", (top.place, top))
    if (
        actions is top
        or actions.kind != "mapping"
        or not any(map(_folded, actions.entries.items()))
    ):
        return top
    entries: Entries = {}
    for name, (place, node) in actions.entries.items():
        if "{" in name:
            findings.refuse(place, f"{shown(name)!r} is no name", "Labels stand in `each`.")
        elif _folded((name, (place, node))):
            entries |= _unfolded(name, place, node, variables, findings)
        else:
            entries[name] = (place, node)
    return replace(top, entries=top.entries | {"actions": (key, replace(actions, entries=entries))})


def _folded(item: tuple[str, tuple[Place, Node]]) -> bool:
    """Whether it has `each`, or a name that pretends to have been unfolded."""
    name, (_, node) = item
    return "{" in name or (node.kind == "mapping" and "each" in node.entries)


def _unfolded(
    name: str, place: Place, node: Node, variables: Mapping[str, object], findings: Findings
) -> Entries:
    each_place, each = node.entries["each"]
    body = replace(node, entries={k: v for k, v in node.entries.items() if k != "each"})
    lists, asked = _lists(each_place, each, findings), _asked(body)
    alone: Entries = {name: (place, _filled(body, dict.fromkeys(asked - variables.keys(), "x")))}
    if lists is None:
        return alone  # with any value, so that nothing more is said of it
    for label, (label_place, _) in each.entries.items():
        if label in variables:
            what = f"{label} is a variable of the environment as well"
            findings.refuse(label_place, what, "Give one of them another name.")
            return alone
        if label not in asked:
            findings.refuse(
                label_place,
                f"{name} does the same for every {label}",
                f'Use it, as in flag: "{{{{ {label} }}}}", or remove it from `each`.',
            )
    combinations: list[Values] = [
        tuple(zip(lists, values, strict=True)) for values in product(*lists.values())
    ]
    if len(combinations) > MOST:
        findings.refuse(
            each_place, f"{len(combinations)} actions in one; {MOST} is the most", "Split it."
        )
        return alone
    return {labelled(name, values): (place, _filled(body, dict(values))) for values in combinations}


def _lists(place: Place, each: Node, findings: Findings) -> dict[str, list[str]] | None:
    """Each label with the values that are listed for it, or None."""
    how = "Write it like each: {flag: [btc_redemption, eth_redemption]}."
    if each.kind != "mapping" or not 1 <= len(each.entries) <= MOST_LABELS:
        findings.refuse(place, "`each` of an action lists values of one to five labels", how)
        return None
    found: dict[str, list[str]] = {}
    for label, (label_place, node) in each.entries.items():
        if not _LABEL.match(label):
            findings.refuse(label_place, f"{shown(label)!r} is no label name", how)
            return None
        if node.kind != "list" or not node.items:
            findings.refuse(node.place, f"{label} lists no values", how)
            return None
        values: list[str] = []
        for item in node.items:
            if not _VALUE.match(item.text) or item.kind != "scalar":
                findings.refuse(
                    item.place,
                    f"{shown(item.text)!r} is no value to act by",
                    "Letters, digits, `_`, `.` and `-`, at most 100.",
                )
                return None
            if item.text in values:
                findings.refuse(item.place, f"{item.text} stands twice", "Remove one.")
                return None
            values.append(item.text)
        found[label] = values
    return found


def _asked(node: Node) -> set[str]:
    """The names in double braces anywhere below."""
    if node.kind == "scalar":
        return {name.strip() for name in _ANY.findall(node.text)}
    below = node.items if node.kind == "list" else [child for _, child in node.entries.values()]
    return {name for child in below for name in _asked(child)}


def _filled(node: Node, values: Mapping[str, str]) -> Node:
    """A copy with these names put in; other variables are the environment's, and come later."""
    if node.kind == "list":
        return replace(node, items=[_filled(item, values) for item in node.items])
    if node.kind == "mapping":
        entries = {k: (place, _filled(child, values)) for k, (place, child) in node.entries.items()}
        return replace(node, entries=entries)
    if not isinstance(node.value, str) or "{{" not in node.value:
        return node

    def put(match: re.Match[str]) -> str:
        return values.get(match[1].strip(), match[0])

    text = _ANY.sub(put, node.value)
    return replace(node, value=text, text=text)
