"""A key that is nearly one of the language's: told, and what stands under it is read on with.

A misspelt key refuses its file all the same. But whoever mends it should not learn only then what
else is wrong under it, nor be told of faults that merely follow from its being missing.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from watchdog.policy.base import Shape
from watchdog.policy.nodes import Node, Place
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.scalars import shown

Entries = dict[str, tuple[Place, Node]]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that `word` most likely means."""
    return next(iter(difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)), None)


def corrected(model: type[Shape], entry: Entry, findings: Findings) -> Entry:
    """The entry with its misspelt keys as they are meant, each of them told."""
    node = as_meant(model, entry.node, findings)
    return entry if node is entry.node else replace(entry, node=node)


def as_meant(model: type[Shape], node: Node, findings: Findings) -> Node:
    """The same node where nothing in it is misspelt; else a copy, with every such key told."""
    if node.kind != "mapping":
        return node
    fields = {info.alias or name: info.annotation for name, info in model.model_fields.items()}
    entries = {
        key: (place, _below(fields.get(key), child, findings))
        for key, (place, child) in keys_meant(node, fields, model.later, findings).items()
    }
    return node if _same(entries, node.entries) else replace(node, entries=entries)


def keys_meant(
    node: Node, known: Collection[str], later: Collection[str], findings: Findings
) -> Entries:
    """The entries of a mapping by the words of `known` that its keys mean, where that is plain."""
    entries: Entries = {}
    for key, (place, child) in node.entries.items():
        near = None if key in known or key in later else nearest(key, known)
        if near is None or near in node.entries or near in entries:
            entries[key] = (place, child)
            continue
        findings.refuse(place, f"unknown key `{shown(key)}`", f"Did you mean {near}?")
        entries[near] = (place, child)
    return entries


def _below(annotation: Any, node: Node, findings: Findings) -> Node:
    """What a field holds, where the field says of which shape that is."""
    inside = _plain(annotation, node)
    if isinstance(inside, type) and issubclass(inside, Shape):
        return as_meant(inside, node, findings)
    if get_origin(inside) is list and node.kind == "list":
        items = [_below(get_args(inside)[0], item, findings) for item in node.items]
        changed = any(new is not old for new, old in zip(items, node.items, strict=True))
        return replace(node, items=items) if changed else node
    return node


def _plain(annotation: Any, node: Node) -> Any:
    """Without what validates it and without `None`; of several the one that a mapping can be."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0], node)
    if get_origin(annotation) in {Union, UnionType}:
        rest = [_plain(one, node) for one in get_args(annotation) if one is not NoneType]
        if len(rest) > 1 and node.kind == "mapping":
            rest = [one for one in rest if isinstance(one, type) and issubclass(one, Shape)]
        return rest[0] if len(rest) == 1 else annotation
    return annotation


def _same(new: Mapping[str, tuple[Place, Node]], old: Mapping[str, tuple[Place, Node]]) -> bool:
    return new.keys() == old.keys() and all(new[key][1] is old[key][1] for key in new)
