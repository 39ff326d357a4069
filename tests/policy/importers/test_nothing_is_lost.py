"""No field of a foreign file goes without a word: each changes the rules, or stands in the report.

Held field by field: whatever is written differently makes a difference, and whatever is added is
told of at its line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.policy.importers.beside import as_policy
from tests.policy.importers.samples import SAMPLES
from watchdog.core.words import Mode
from watchdog.policy.importers.importing import Imported, import_texts
from watchdog.policy.importers.report import Fate
from watchdog.policy.nodes import Node
from watchdog.policy.tree import read_trees

STRANGER = "zz-stranger"


@dataclass(frozen=True, slots=True)
class Changed:
    """A sample with one thing done to it, at `path`."""

    sample: str
    path: tuple[str | int, ...]
    text: str


def _documents(sample: str) -> list[object]:
    return [node.plain() for node in read_trees(SAMPLES[sample], "sample.yaml")]


def _paths(node: Node, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    yield path, node
    for key, (_, child) in node.entries.items():
        yield from _paths(child, (*path, key))
    for index, item in enumerate(node.items):
        yield from _paths(item, (*path, index))


def _text(documents: list[object]) -> str:
    """JSON is YAML; a line for each value, so that a place tells what it is of."""
    return "\n---\n".join(json.dumps(document, indent=1) for document in documents)


def _put(documents: list[object], path: tuple[str | int, ...], value: object) -> list[object]:
    copy: list[object] = json.loads(json.dumps(documents))
    holder: object = copy
    for step in path[:-1]:
        holder = holder[step]  # type: ignore[index]  # a path leads through what has such a step
    holder[path[-1]] = value  # type: ignore[index]  # the same
    return copy


def _changes(sample: str) -> Iterator[Changed]:
    """The sample with one value written otherwise, for each of its values."""
    documents = _documents(sample)
    for number, node in enumerate(read_trees(SAMPLES[sample], "sample.yaml")):
        for path, inner in _paths(node, (number,)):
            if inner.kind == "scalar":
                for value in _others(inner.text):
                    yield Changed(sample, path, _text(_put(documents, path, value)))


def _others(text: str) -> Iterator[str]:
    """The same value otherwise: what it could have been, and what it could not."""
    if text in {"true", "false"}:
        yield "false" if text == "true" else "true"
    elif text[:1].isdigit() and text.rstrip("smhdw%").replace(".", "").isdigit():
        yield text.replace(text[0], "3" if text[0] != "3" else "4", 1)
    else:
        yield f"{text}x"


def outcome(result: Imported) -> tuple[object, ...]:
    """All that an import says, but for places."""
    return (
        result.rules,
        [(n.fate, n.field, n.what) for n in sorted(result.report.notes)],
        [e.what for e in result.errors],
    )


def is_told_dropped(result: Imported, changed: Changed) -> bool:
    """Whether the field, or what it is a part of, is reported as dropped at its very place."""
    places = {(n.line, n.column) for n in result.report.notes if n.fate is Fate.DROPPED}
    tree = read_trees(changed.text, "sample.yaml")[int(changed.path[0])]
    steps = changed.path[1:]
    around = (tree.key_at(steps[:end]) for end in range(1, len(steps) + 1))
    document = (tree.place.line, tree.place.column)
    return document in places or any((at.line, at.column) in places for at in around)


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_sample_comes_over_and_loads(sample: str) -> None:
    result = import_texts({"sample.yaml": SAMPLES[sample]})
    policy = as_policy(result)
    assert len(policy.rules) == len(result.report.came) > 0
    assert {rule.mode for rule in policy.rules.values()} == {Mode.OBSERVE}
    assert {rule.source for rule in policy.rules.values()} == {"prometheus"}


@pytest.mark.parametrize("sample", SAMPLES)
def test_fields_that_nobody_knows_are_told_of(sample: str) -> None:
    """One in every mapping of the file."""
    documents = _documents(sample)
    strangers: dict[str, tuple[str | int, ...]] = {}
    for number, node in enumerate(read_trees(SAMPLES[sample], "sample.yaml")):
        for path, inner in _paths(node, (number,)):
            if inner.kind == "mapping":
                name = f"{STRANGER}-{len(strangers)}-"
                strangers[name] = (*path, name)
                documents = _put(documents, strangers[name], "unheard of")
    text = _text(documents)
    result = import_texts({"sample.yaml": text})
    told = "\n".join(note.text for note in result.report.notes) + result.rules
    silent = [
        path
        for name, path in strangers.items()
        if name not in told and not is_told_dropped(result, Changed(sample, path, text))
    ]
    assert not silent


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_value_that_is_another_makes_a_difference(sample: str) -> None:
    before = outcome(import_texts({"sample.yaml": _text(_documents(sample))}))
    silent = []
    for changed in _changes(sample):
        result = import_texts({"sample.yaml": changed.text})
        if outcome(result) == before and not is_told_dropped(result, changed):
            silent.append(changed.path)
    assert not silent
