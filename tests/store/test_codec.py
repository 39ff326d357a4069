from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store.stories import NOON, decided, held, opened
from watchdog.core.entries import (
    Acked,
    Decided,
    Entry,
    FollowUpClosed,
    Recorded,
    Started,
    Stopped,
    Unread,
)
from watchdog.core.words import Mode
from watchdog.store.chain import batch_of, recorded, rows_after
from watchdog.store.codec import UnknownEntry, UnwritableEntry, decode, encode
from watchdog.store.schema import genesis
from watchdog.store.trouble import Place

PLACE = Place("the journal", "Look at it.", "nothing")
KINDS: tuple[type[Any], ...] = tuple(kind for kind in get_args(Entry) if kind is not Unread)
OLDEST = Path(__file__).parent / "entries-v1.jsonl"

_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def _entry_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    if kind is Decided:
        return st.builds(Decided, inputs=st.dictionaries(st.text(), _plain, max_size=3))
    return st.from_type(kind)


def _same(one: object, other: object) -> bool:
    """Equal down to the types, and NaN equals NaN."""
    if type(one) is not type(other):
        return False
    if dataclasses.is_dataclass(one) and dataclasses.is_dataclass(other):
        return all(
            _same(getattr(one, field.name), getattr(other, field.name))
            for field in dataclasses.fields(one)
        )
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return repr(one) == repr(other)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_every_kind_of_entry_is_read_back_as_it_was_written(
    kind: type[Any], data: st.DataObject
) -> None:
    entry = data.draw(_entry_of(kind))
    text = encode(entry)
    back = decode(text)
    assert _same(back, entry)
    assert encode(back) == text, "the form is canonical"


def test_the_free_inputs_of_a_decision_come_back_as_plain_data() -> None:
    entry = decided()
    assert isinstance(entry, Decided)
    entry = dataclasses.replace(entry, inputs={"mode": Mode.ARMED, "over": (1, 2), "at": {"b": 1}})
    back = decode(encode(entry))
    assert isinstance(back, Decided)
    assert back.inputs == {"mode": 3, "over": [1, 2], "at": {"b": 1}}


def test_garbage_from_a_tool_can_be_recorded() -> None:
    garbage = Stopped(b"half \xff a word\0".decode("utf-8", "surrogateescape"))
    assert decode(encode(garbage)) == Stopped("half ? a word\0")


def test_a_value_of_another_type_is_refused_before_it_is_written() -> None:
    wrong: Any = 7
    with pytest.raises(UnwritableEntry, match="Acked cannot be written"):
        encode(Acked("E1", actor=wrong))


@pytest.mark.parametrize("inputs", [{"what": object()}, {"what": {1: 2}.keys()}])
def test_inputs_that_are_no_data_are_refused(inputs: dict[str, object]) -> None:
    entry = decided()
    assert isinstance(entry, Decided)
    with pytest.raises(UnwritableEntry):
        encode(dataclasses.replace(entry, inputs=inputs))


def test_a_field_of_a_newer_program_is_refused_wherever_it_stands() -> None:
    text = encode(opened())
    for newer in (
        text[:-1] + ',"urgency":3}',
        text.replace('"coverage":1.0', '"coverage":1.0,"urgency":3'),
    ):
        assert newer != text
        with pytest.raises(UnknownEntry, match="urgency"):
            decode(newer)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ('{"kind":"orbit.changed"}', "orbit.changed"),
        ('{"episode":"E1"}', "kind"),
        ('{"kind":"daemon.stopped","reason":7}', "reason"),
        ('{"kind":"daemon.stopped"', "Invalid JSON"),
    ],
)
def test_what_is_no_entry_is_named(body: str, says: str) -> None:
    with pytest.raises(UnknownEntry, match=says):
        decode(body)


def test_what_nothing_is_decided_by_is_passed_over_and_kept_as_it_stands() -> None:
    known = encode(FollowUpClosed("F1", "alice", "done"))
    for newer in (
        '{"kind":"aside.moon_seen","phase":[0.5]}',
        known[:-1] + ',"urgency":3}',
        known.replace('"reason":"done"', '"reason":7'),
    ):
        found = decode(newer)
        assert isinstance(found, Unread)
        assert encode(found) == newer
        (row,) = rows_after(genesis("1" * 32), batch_of([found], NOON))
        assert recorded(row, PLACE) == Recorded(1, NOON, found, row.hash)


def test_a_kind_that_only_looks_as_if_nothing_was_decided_by_it_is_refused() -> None:
    for body in ('{"kind":"besides.aside.x"}', '{"kind":["aside."]}', '{"aside.x":1}'):
        with pytest.raises(UnknownEntry):
            decode(body)


def test_a_field_that_an_older_program_did_not_write_takes_its_default() -> None:
    entry = held()
    plain = json.loads(encode(entry))
    del plain["silence"]
    assert decode(json.dumps(plain)) == entry


def test_entries_of_the_first_release_stay_readable() -> None:
    """One line for each kind. Lines are added, never changed: a new field needs a default."""
    lines = OLDEST.read_text(encoding="utf-8").splitlines()
    old = [decode(line) for line in lines]
    assert {type(entry) for entry in old} == set(KINDS)
    assert Started in {type(entry) for entry in old}
    for entry, line in zip(old, lines, strict=True):
        assert _of_old(json.loads(encode(entry)), json.loads(line)) == json.loads(line)


def _of_old(now: Any, old: Any) -> Any:
    """Of a document, at each depth, the fields that an older one has."""
    if isinstance(now, dict) and isinstance(old, dict):
        return {name: _of_old(now[name], value) for name, value in old.items()}
    if isinstance(now, list) and isinstance(old, list) and len(now) == len(old):
        return [_of_old(one, other) for one, other in zip(now, old, strict=True)]
    return now
