"""YAML text to a tree in which every key and value knows its place.

The tree is built from parser events, so nothing in a file can construct anything: tags are
refused, aliases are counted before they are followed, and scalars are read by the core schema of
YAML 1.2 (on, off, yes and no are text). Whatever is wrong is a `BadText`, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from watchdog.policy import yaml_faults
from watchdog.policy.nodes import BadText, Node, Place
from watchdog.policy.scalars import shown

MAX_CHARACTERS = 128 * 1024
MAX_FOREIGN_CHARACTERS = 256 * 1024
"""Of a file that is read to be imported: generated ones are long."""
MAX_DOCUMENTS = 500
MAX_NODES = 12_000
"""A full file of usual rules or tests has 9,000; reading so many takes most of a second."""
MAX_DEPTH = 24
MAX_SCALAR = 16 * 1024
MAX_DIGITS = 18

_NODES = (ScalarEvent, SequenceStartEvent, MappingStartEvent, AliasEvent)
_REMEMBERED = 16
"""Trees kept: a folder is read once for each of its environments, and for its tests."""
_SLIPS = (RecursionError, LookupError, AttributeError, TypeError, ArithmeticError, AssertionError)
"""The parser's own, on garbage: broken directives, escapes beyond Unicode."""

_HALF = re.compile("[\ud800-\udfff]")  # no text can hold one alone, nor any file of UTF-8
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_A_NUMBER = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_BASED = re.compile(r"0[xo][0-9a-fA-F]+\Z")
_WORDS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip


Refusal = tuple[Place, str, str]
"""Where, what is wrong, what to do: the parts of a BadText."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How a text is read. `texts`: every scalar stays as it is written."""

    texts: bool = False
    documents: int = 1
    characters: int = MAX_CHARACTERS


def read_tree(text: str, file: str, *, texts: bool = False) -> Node | None:
    """The tree of one document, None when there is nothing in it but comments.

    With `texts` every scalar is left as it is written (a null is none): for formats of others, in
    which the key says what a value is. Raises BadText for everything that a rule file must not
    contain.
    """
    trees = _read(text, file, _Form(texts))
    return trees[0] if trees else None


def read_trees(text: str, file: str) -> list[Node]:
    """The trees of a file of another's format, which may hold several documents; all are texts."""
    form = _Form(texts=True, documents=MAX_DOCUMENTS, characters=MAX_FOREIGN_CHARACTERS)
    return list(_read(text, file, form))


def read_in_part(text: str, file: str) -> tuple[Node | None, tuple[Refusal, ...]]:
    """The tree as `read_tree` gives it, and every key that stands twice: the first is in the tree.

    So what else is wrong with a file is told together with them. Raises BadText for the rest.
    """
    trees, refused = _read_once(text, file, _Form())
    if refused and not trees:
        raise BadText(*refused[0])
    return trees[0] if trees else None, refused


def _read(text: str, file: str, form: _Form) -> tuple[Node, ...]:
    trees, refused = _read_once(text, file, form)
    if refused:
        raise BadText(*refused[0])
    return trees


@lru_cache(maxsize=_REMEMBERED)
def _read_once(text: str, file: str, form: _Form) -> tuple[tuple[Node, ...], tuple[Refusal, ...]]:
    """Nothing changes a tree once it is built, so that one serves all who read the same text."""
    try:
        return _built(text, file, form)
    except BadText as bad:
        return (), ((bad.place, bad.what, bad.remedy),)


def _built(text: str, file: str, form: _Form) -> tuple[tuple[Node, ...], tuple[Refusal, ...]]:
    start = Place(file, 1, 1)
    if len(text) > form.characters:
        what = f"the file has {len(text)} characters; {form.characters} is the most"
        raise BadText(start, what, "Split it into several files.")
    if text.startswith(("\ufeff", "\ufffe")):
        raise BadText(start, "the file begins with a byte order mark", "Save it as plain UTF-8.")
    try:
        builder = _Builder(file, text, texts=form.texts)
        return tuple(builder.documents(form.documents)), tuple(builder.twice)
    except MarkedYAMLError as error:
        line, column, what, remedy = yaml_faults.syntax(error, text)
        raise BadText(Place(file, line, column), what, remedy) from error
    except ReaderError as error:
        line, column, what, remedy = yaml_faults.unreadable(error, text)
        raise BadText(Place(file, line, column), what, remedy) from error
    except (YAMLError, ValueError, *_SLIPS) as error:
        raise BadText(start, f"not YAML: {_first_line(error)}", "Correct the file.") from error


def _too_many_documents(most: int) -> tuple[str, str]:
    if most == 1:
        return "a second document in one file", "Remove the `---` line or split."
    return f"more than {most} documents in one file", "Split it."


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


class _Builder:
    """Consumes the parser's events; stops at the first thing that is not allowed, but for a key
    that stands twice.
    """

    def __init__(self, file: str, text: str, *, texts: bool) -> None:
        self._file = file
        self._texts = texts
        parser = YAML(typ="safe", pure=True)
        self._events: Iterator[Event] = iter(parser.parse(text))
        self._anchors: dict[str, Node | None] = {}  # None while the anchored node is being read
        self._nodes = 0
        self.twice: list[Refusal] = []

    def documents(self, most: int) -> list[Node]:
        found: list[Node] = []
        count = 0
        for event in self._events:
            if isinstance(event, DocumentStartEvent):
                count += 1
                self._anchors.clear()  # they end with their document
                place = self._place(event)
                if count > most:
                    raise BadText(place, *_too_many_documents(most))
                if event.version or event.tags:
                    remedy = "Remove it: rule files are YAML 1.2 as such."
                    raise BadText(place, "a YAML directive", remedy)
            elif isinstance(event, _NODES):
                node = self._node(event, 0)
                if not _is_blank(node):
                    found.append(node)
        return found

    def _place(self, event: Event) -> Place:
        mark = event.start_mark
        return Place(self._file, mark.line + 1, mark.column + 1)

    def _node(self, event: Event, depth: int) -> Node:
        place = self._place(event)
        if depth > MAX_DEPTH:
            raise BadText(place, f"nested more than {MAX_DEPTH} deep", "Flatten it.")
        if isinstance(event, AliasEvent):
            return self._aliased(str(event.anchor), place)
        tag = getattr(event, "ctag", None)
        if tag is not None and str(tag):
            raise BadText(
                place, f"the tag {shown(str(tag))}", "Remove it: rule files hold plain data only."
            )
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[str(anchor)] = None
        if isinstance(event, SequenceStartEvent):
            node = self._list(place, depth)
        elif isinstance(event, MappingStartEvent):
            node = self._mapping(place, depth)
        else:
            node = self._scalar(event, place)
        if anchor is not None:
            self._anchors[str(anchor)] = node
        self._count(1, place)
        return node

    def _count(self, more: int, place: Place) -> None:
        self._nodes += more
        if self._nodes > MAX_NODES:
            what = f"more than {MAX_NODES} values, aliases followed"
            raise BadText(place, what, "Write fewer; an alias counts as all that it stands for.")

    def _aliased(self, name: str, place: Place) -> Node:
        if name not in self._anchors:
            what = f"the alias *{shown(name)} has no anchor before it"
            raise BadText(place, what, "Define it above.")
        node = self._anchors[name]
        if node is None:
            raise BadText(place, f"the alias *{shown(name)} contains itself", "Break the circle.")
        self._count(node.size, place)
        return node

    def _list(self, place: Place, depth: int) -> Node:
        node = Node(place, "list")
        for event in self._events:
            if isinstance(event, SequenceEndEvent):
                break
            item = self._node(event, depth + 1)
            node.items.append(item)
            node.size += item.size
        return node

    def _mapping(self, place: Place, depth: int) -> Node:
        node = Node(place, "mapping")
        for event in self._events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, depth)
            value = self._node(next(self._events), depth + 1)
            if key.text in node.entries:
                first = node.entries[key.text][0]
                what = f"`{shown(key.text)}` stands twice, first in line {first.line}"
                self.twice.append((key.place, what, "Keep one of the two."))
                continue
            if value.kind == "scalar" and not value.text and value.value is None:
                value.place = key.place  # what is not there is told at its key
            node.entries[key.text] = (key.place, value)
            node.size += value.size + 1
        return node

    def _key(self, event: Event, depth: int) -> Node:
        key = self._node(event, depth + 1)
        if key.kind != "scalar" or not key.text:
            hint = 'A variable needs quotes: "{{ app }}".'
            raise BadText(key.place, "a key that is not text", hint)
        return key

    def _scalar(self, event: Event, place: Place) -> Node:
        text = str(getattr(event, "value", ""))
        if len(text) > MAX_SCALAR:
            what = f"a value of {len(text)} characters; {MAX_SCALAR} is the most"
            raise BadText(place, what, "Shorten it.")
        if half := _HALF.search(text):
            what = f"the escape of U+{ord(half[0]):04X}, which is half a character"
            raise BadText(place, what, "Write the character itself.")
        implicit = getattr(event, "implicit", (True, False))
        plain = implicit and implicit[0]
        if self._texts:
            value: str | int | float | bool | None = (
                None if plain and _WORDS.get(text, True) is None else text
            )
        else:
            value = resolve(text, place) if plain else text
        return Node(place, "scalar", value, text)


def _is_blank(node: Node) -> bool:
    return node.kind == "scalar" and node.value is None


def resolve(text: str, place: Place) -> str | int | float | bool | None:
    """A plain scalar by the core schema of YAML 1.2, without its infinities and its NaN."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_A_NUMBER.match(text) or text.lower() in {"nan", "inf", "-inf", "+inf"}:
        raise BadText(place, f"{text} is no number to judge by", "Write a finite number.")
    if _BASED.match(text):
        raise BadText(place, f"{text} is a number in another base", "Write it in decimal digits.")
    if not (_INT.match(text) or _FLOAT.match(text)):
        return text
    if sum(c.isdigit() for c in text) > MAX_DIGITS:
        raise BadText(place, f"the number {shown(text)} is too long", "Write fewer digits.")
    if _INT.match(text):
        return int(text)
    number = float(text)
    if abs(number) > 1e18:  # also what overflows into infinity
        raise BadText(place, f"the number {text} is too large", "Write a smaller one.")
    return number
