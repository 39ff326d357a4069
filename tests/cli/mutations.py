"""Good files with something wrong in them: their nodes dropped, doubled, swapped and exchanged for
others, or their bytes.

A mutated structure is written as JSON, which is YAML too, so that only the structure is strange.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from watchdog.policy.tree import read_trees

Data = dict[str, Any] | list[Any]

ODD_VALUES: list[Any] = [
    None, True, 0, -1, 1e308, 10**400, 0.1, "", " ", "0", "x" * 20_000, [], {}, [[]], {"": None},
    {"a": {"a": {"a": {"a": "b"}}}}, "\x00", "\x1b[31mred", "\ud800", "\u202e", "a\nb", "{{ x }}",
    "{{", "~", ".inf", "1e999", "-5m", "999999999w", "1" * 40, "> 5%", "> -1", "== NaN", "5%",
    "2026-13-45", "\N{ARABIC-INDIC DIGIT THREE}", "../../etc/passwd", "/", "http://[", "http://x:99999/",
    "http://user:pass@x/", "('" * 200, "(" * 2000, "-" * 1990 + "1", "a" + "+a" * 990,
    'up{a=~"(a+)+$"}', 'up{a=~"' + "(a|b)*" * 200 + '"}', 'up{a=~"(((a{1000}){1000}){1000})"}',
    'up{a=~"["}', "rate(up[999999999w])", "up offset 9999999999d", "up[5m:1ms]", "sum(", "1/0",
    "up @ 1e999", 'label_replace(up, "a", "$1", "b", "(.*)*")', "1 == bool 1", "count({})",
    "a." * 900 + "a", "[?" * 900, "`[[[`", "`1e999` == `NaN`", "a == `false`", "!" * 1900 + "a",
    "0+1x10000000000", "1x99999999999999", "_x9999999999 1", "stale", "1 2 three", "1e400", "-Inf",
    "{{ template }}", "{{ range . }}", '{{ printf "%999999999d" 1 }}', "&a", "*a", "!!x:y",
]  # fmt: skip
"""What may stand in the place of any value."""


def structure(text: str) -> list[Data]:
    """A file's documents as plain data; scalars as they are written."""
    return [tree.plain() for tree in read_trees(text, "file")]


def as_yaml(documents: list[Any]) -> str:
    """Documents as JSON, one key or item a line."""
    return "\n---\n".join(json.dumps(one, indent=1) for one in documents) + "\n"


def _paths(data: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place below, by keys and numbers."""
    steps: list[Any] = []
    if isinstance(data, dict):
        steps = list(data)
    elif isinstance(data, list):
        steps = list(range(len(data)))
    found = [(*here, step) for step in steps]
    return found + [path for step in steps for path in _paths(data[step], (*here, step))]


def _at(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def _drop(inside: Any, step: Any, other: Any) -> None:
    del other
    del inside[step]


def _exchange(inside: Any, step: Any, other: Any) -> None:
    inside[step] = other


def _double(inside: Any, step: Any, other: Any) -> None:
    del other
    if isinstance(inside, list):
        inside.insert(step, inside[step])
    else:
        inside[f"{step}-again"] = inside[step]


def _wrap(inside: Any, step: Any, other: Any) -> None:
    inside[step] = [inside[step], other]


def _rename(inside: Any, step: Any, other: Any) -> None:
    if isinstance(inside, dict):
        inside[str(other)[:300]] = inside.pop(step)


_WAYS: list[Callable[[Any, Any, Any], None]] = [
    _drop, _exchange, _exchange, _exchange, _double, _wrap, _rename,
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn, text: str, read: Callable[[str], list[Data]] = structure) -> str:
    """The text with one to three of its nodes changed."""
    documents = read(text)
    for _ in range(draw(st.integers(1, 3))):
        paths = _paths(documents)
        if not paths:
            break
        path = draw(st.sampled_from(paths))
        inside = _at(documents, path[:-1])
        other = draw(st.one_of(st.sampled_from(ODD_VALUES), st.sampled_from(paths)))
        if isinstance(other, tuple):  # what stands in another place
            other = _at(documents, other)
        other = deepcopy(other)  # the next change may be inside it
        draw(st.sampled_from(_WAYS))(inside, path[-1], other)
    return as_yaml(documents)


@st.composite
def damaged(draw: st.DrawFn, text: str) -> bytes:
    """The text's bytes with a part cut out, doubled or written over."""
    data = text.encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(
            st.integers(start, min(len(data), start + draw(st.sampled_from([1, 4, 40, 400]))))
        )
        new = draw(
            st.one_of(st.binary(max_size=6), st.sampled_from(_PIECES), st.just(data[start:end] * 2))
        )
        data = data[:start] + new + data[end:]
    return data


_PIECES = [
    b"", b"\n", b"\t", b"  ", b": ", b"- ", b"[", b"{", b'"', b"'", b"&a ", b"*a", b"!!x ", b"|\n",
    b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"\x1b[2J", b"\xe2\x80\xae", b"%YAML 9.9\n", b"---\n",
    b'"\\UFFFFFFFF"', b"1e999", b".nan", b"<<: *a", b"#", b"\r", b"\xef\xbb\xbf", b"{{", b"9" * 30,
]  # fmt: skip
