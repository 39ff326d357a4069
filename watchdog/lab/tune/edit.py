"""The rule file with a chosen variant written into it: only those numbers change.

The text is changed where the numbers stand, so that comments, order and spelling stay; then the
whole folder is loaded from the new text, and the rule must come out as the variant that was tried.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from watchdog.core.spec import BurnPair, Policy, RatioThreshold, RuleSpec, Slo, ValueThreshold
from watchdog.core.text import duration
from watchdog.lab.history import Bad
from watchdog.policy import load_files
from watchdog.policy.folder import read_folder
from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.tree import read_tree


@dataclass(frozen=True, slots=True)
class Edit:
    """`diff` is empty where the variant is what stands there."""

    path: Path
    before: str
    after: str

    @property
    def diff(self) -> str:
        lines = difflib.unified_diff(
            self.before.splitlines(keepends=True),
            self.after.splitlines(keepends=True),
            str(self.path),
            str(self.path),
        )
        return "".join(lines)


def edited(folder: Path, policy: Policy, variant: RuleSpec, variables: Mapping[str, str]) -> Edit:
    """The change that makes `variant` of the folder's rule of that name. Raises Bad."""
    rule = policy.rules[variant.name]
    file = rule.where.rsplit(":", 2)[0]
    files = dict(read_folder(folder).files)
    text = files.get(file)
    if text is None:
        raise Bad(f"{folder}/{file} is not there any more")
    try:
        tree = read_tree(text, file)
    except BadText as error:
        raise Bad(f"{folder}/{error}") from None
    where = f"{folder}/{rule.where}"
    after = _written(text, _rule_node(tree, rule.name, where), rule, variant, where)
    files[file] = after
    load = load_files(files, policy.environment, variables=variables)
    if load.errors or load.policy is None:
        first = load.errors[0].text if load.errors else "the rules do not load"
        raise Bad(f"This variant would be refused: {folder}/{first}")
    made = load.policy.rules[rule.name]
    if _judging(made) != _judging(variant):
        raise Bad(
            f"{folder}/{rule.where}: this rule is written in a way that cannot be changed for you. "
            "Write the numbers by hand"
        )
    return Edit(folder / file, text, after)


def _judging(rule: RuleSpec) -> tuple[object, ...]:
    """What was tried, told apart from how it is written."""
    signal: object = rule.signal
    if isinstance(rule.signal, Slo):
        pairs = [(p.long_seconds, p.short_seconds, f"{p.factor:.9g}") for p in rule.signal.pairs]
        signal = rule.signal.counters, rule.signal.objective, pairs
    elif isinstance(rule.signal, RatioThreshold | ValueThreshold):
        bound = rule.signal.bound
        limited = replace(rule.signal, bound=replace(bound, limit=0.0, text=""))
        signal = limited, f"{bound.limit:.9g}"
    return signal, rule.for_seconds, rule.minimum_events


def _rule_node(tree: Node | None, name: str, where: str) -> Node:
    rules = tree.child("rules") if tree is not None else None
    found = rules[1].child(name) if rules is not None else None
    if found is None:
        raise Bad(f"{where}: the rule does not stand there any more")
    return found[1]


def _written(text: str, node: Node, old: RuleSpec, new: RuleSpec, where: str) -> str:
    lines = text.splitlines(keepends=True)
    changes = [(_at(node, path), path, value) for path, value in _values(old, new)]
    read = node.child("from")
    if read is not None and any(place is None and len(path) > 1 for place, path, _ in changes):
        raise Bad(
            f"{where}: this rule's numbers stand in the alert that it reads, {read[1].value}. "
            "Change the expression there, or write the rule out: slo-watchdog import"
        )
    # From the end to the beginning, so that places before stay where they are.
    missing = [(path, value) for place, path, value in changes if place is None]
    known = [(found, value) for found, _, value in changes if found is not None]
    for found, value in sorted(known, key=lambda c: (c[0].place.line, c[0].place.column))[::-1]:
        _replace(lines, found, value)
    for path, value in missing:
        _insert(lines, node, str(path[-1]), value)
    return "".join(lines)


Path_ = tuple[str | int, ...]


def _values(old: RuleSpec, new: RuleSpec) -> Iterator[tuple[Path_, str]]:
    """Where in the rule each changed number stands, and how it is written."""
    match old.signal, new.signal:
        case Slo(pairs=before), Slo(pairs=after):
            for index, (was, pair) in enumerate(zip(before, after, strict=True)):
                yield from ((("slo", "burn", index, key), v) for key, v in _pair(was, pair))
        case RatioThreshold() as was, RatioThreshold() as ratio:
            if was.over_seconds != ratio.over_seconds:
                yield ("threshold", "over"), duration(ratio.over_seconds)
            if was.bound != ratio.bound:
                yield ("threshold", "breach_when"), f'"{ratio.bound.text}"'
        case ValueThreshold() as was, ValueThreshold() as value if was.bound != value.bound:
            yield (old.kind, "breach_when"), f'"{value.bound.text}"'
        case _:
            pass
    if old.for_seconds != new.for_seconds:
        yield ("for",), duration(new.for_seconds)
    if old.minimum_events != new.minimum_events:
        yield ("minimum_events",), f"{new.minimum_events:.12g}"


def _pair(was: BurnPair, pair: BurnPair) -> Iterator[tuple[str, str]]:
    if was.budget != pair.budget:
        yield "budget", f"{pair.budget * 100:.12g}%"
    if was.long_seconds != pair.long_seconds:
        yield "long", duration(pair.long_seconds)
    if was.short_seconds != pair.short_seconds:
        yield "short", duration(pair.short_seconds)


def _at(node: Node, path: Path_) -> Node | None:
    for step in path:
        found = node.child(step)
        if found is None:
            return None
        node = found[1]
    return node


def _replace(lines: list[str], node: Node, value: str) -> None:
    line, start = lines[node.place.line - 1], node.place.column - 1
    rest = line[start:]
    quote = rest[:1] if rest[:1] in {'"', "'"} else ""
    end = rest.find(quote, 1) + 1 if quote else len(node.text)
    lines[node.place.line - 1] = line[:start] + value + rest[end:]


def _insert(lines: list[str], node: Node, key: str, value: str) -> None:
    """A line of its own before the rule's first key."""
    place = _first(node)
    indent = " " * (place.column - 1)
    lines.insert(place.line - 1, f"{indent}{key}: {value}\n")


def _first(node: Node) -> Place:
    return min((place for place, _ in node.entries.values()), key=lambda p: (p.line, p.column))
