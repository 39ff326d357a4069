"""What a command may be told in a drill: a closed grammar. Whatever it does not know is refused.

    argument    JSON object or list, each text and whole number of which is a text; or a text
    text        pieces, between spaces and commas
    piece       an address of the drill's own server; an option; NAME=piece; an item
    option      -x, -xyz, --name, with =piece behind it, or an absolute path at once: -C/PATH
    item        a path, a plain word, a number, a time, words between colons; an @ before it is
                passed over, since some read a file so, and others a name

A path lies in the target, by its name and by where it leads; a relative one in the folder that the
command runs in. A name with a dot may be a host, and so may a number be an address: they pass where
they cannot. A plain word passes; it is the drill's own tool that hears it.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from watchdog.drill.fence.target import FACT, Target

_ODD = re.compile(r"[^\w./:+@-]", re.ASCII)
"""No part of an item: what a shell, a pattern or a quoted text is made of."""

_OPTION = re.compile(r"--?[A-Za-z0-9][A-Za-z0-9_-]*|--?", re.ASCII)
_JOINED = re.compile(r"-[A-Za-z]+(?=/)", re.ASCII)
_TIME = re.compile(r"(?:0?[1-9]|1\d|2[0-4])(?::[0-5]\d){1,2}", re.ASCII)
"""Of the first hour it is none: 00:22 is a port of this machine."""

_NUMBER = re.compile(r"(?:0x[0-9a-f]*|\d+)\Z", re.ASCII | re.IGNORECASE)
_SMALL = re.compile(r"[+-]?0\.\d+%?|[+-]?\d+%?", re.ASCII)
_RELEASE = re.compile(r"[A-Za-z][\w+-]*(?:\.[\w+-]+)*\.\d+", re.ASCII)
"""v1.2.3: the last part of no host's name is a number, and the first of no address a letter."""

_LEAST_ADDRESS = 1 << 24
"""A smaller number names no machine where it is taken for an address."""

_MOST_DIGITS = len(str(_LEAST_ADDRESS))
_HOSTS = frozenset({"localhost", "ip6-localhost", "ip6-loopback"})
_SCHEMES = frozenset({"data", "file", "ftp", "http", "https", "mailto", "ws", "wss"})
"""Before a colon alone, some read an address."""

OUTSIDE = "it lies outside of the drill's folder"
UPWARDS = "it leads upwards"
NO_FOLDER = "it is a relative path, and the command names no `cwd`"
FOREIGN = "it is not the drill's own server"


def why_refused(argument: str, cwd: str | None, target: Target) -> str:
    """Why an argument is not proven to stay within the target; "" where it is."""
    if target.leads_out(argument, cwd):
        return OUTSIDE
    grammar = _Grammar(cwd, target)
    return next(filter(None, map(grammar.text, _texts(argument))), "")


def _texts(argument: str) -> Iterator[str]:
    """Those of a JSON object or list, or the argument itself."""
    try:
        found = json.loads(argument) if argument[:1] in {"{", "["} else None
    except (ValueError, RecursionError):
        found = None
    yield from _texts_in(found) if isinstance(found, dict | list) else (argument,)


def _texts_in(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case int() if not isinstance(value, bool):
            yield str(value)
        case dict():
            yield from value
            yield from (text for one in value.values() for text in _texts_in(one))
        case list():
            yield from (text for one in value for text in _texts_in(one))


class _Grammar:
    """Each method answers as `why_refused` does."""

    def __init__(self, cwd: str | None, target: Target) -> None:
        self._cwd = cwd
        self._target = target

    def text(self, text: str) -> str:
        pieces = FACT.sub("v", text).replace(",", " ").split(" ")
        return next(filter(None, map(self._piece, pieces)), "")

    def _piece(self, piece: str) -> str:
        head, equals, rest = piece.partition("=")
        if "://" in head:
            return "" if self._target.serves(piece) else FOREIGN
        why = self._option(head) if head.startswith("-") else self._item(head)
        return why or (self._piece(rest) if equals else "")

    def _option(self, option: str) -> str:
        joined = _JOINED.match(option)
        if joined is not None:
            return self._item(option[joined.end() :]) or self._joined(option, joined.end())
        if "/" in option:
            return "a path is joined to its option. Make it an argument of its own"
        if _SMALL.fullmatch(option):
            return self._number(option)
        if _OPTION.fullmatch(option) is None:
            return "it is no plain option. Give its value after a `=`, or as an argument of its own"
        if any(self._target.leads_out(option[at:], self._cwd) for at in range(len(option))):
            return OUTSIDE
        return self._number(option)

    def _joined(self, option: str, end: int) -> str:
        """Its letters may be the begin of a relative path."""
        if self._cwd is None:
            return ""
        read_so = (Path(self._cwd, option[at:]) for at in range(1, end))
        return "" if all(map(self._target.holds, read_so)) else OUTSIDE

    def _item(self, item: str) -> str:
        plain = item.removeprefix("@")
        if _SMALL.fullmatch(plain):
            return self._number(plain)
        odd = _ODD.search(plain)
        if odd is not None:
            return f"{odd[0]!r} may be meant for a shell, or be a pattern"
        if "@" in plain.partition("/")[0]:
            return "it may be a user at a host"
        if self._target.leads_out(plain, self._cwd):
            return OUTSIDE
        if "/" in plain or plain.startswith("."):  # as no host's name does
            return self._paths(plain)
        return self._names(plain) if ":" in plain else self._word(plain)

    def _paths(self, text: str) -> str:
        """One, or absolute ones between colons: any other is a path on another host."""
        paths = text.split(":")
        if len(paths) > 1 and not all(one.startswith("/") for one in paths):
            return "it may be a path on another host"
        return next(filter(None, map(self._path, paths)), "")

    def _path(self, path: str) -> str:
        if ".." in Path(path).parts:
            return UPWARDS
        if path.startswith("/"):
            return "" if self._target.holds(path) else OUTSIDE
        if self._cwd is None:
            return NO_FOLDER
        return "" if self._target.holds(Path(self._cwd, path)) else OUTSIDE

    def _names(self, text: str) -> str:
        """Words between colons; none of them a number, which would be a port."""
        if _TIME.fullmatch(text) or self._target.serves(f"http://{text}"):
            return ""
        names = text.split(":")
        if "" in names or any(map(str.isdigit, names)) or _is_address(text):
            return "it may be a host and a port"
        if names[0].lower() in _SCHEMES:
            return FOREIGN
        return next(filter(None, map(self._word, names)), "")

    def _word(self, word: str) -> str:
        plain = word.removesuffix(".")  # of a sentence
        if "." not in plain:
            return "it may be a host" if plain.lower() in _HOSTS else self._number(plain)
        if _RELEASE.fullmatch(plain):
            return ""
        if self._cwd is not None and self._is_file(plain):
            return ""
        if plain.replace(".", "").isdigit():
            return "it may be an address"
        return f"it may be a host. A file of the drill's is written ./{plain}"

    def _is_file(self, name: str) -> bool:
        place = Path(self._cwd or "", name)
        return self._target.holds(place) and place.is_file()

    def _number(self, word: str) -> str:
        """What a word ends with, be it its own or an option's value."""
        found = _NUMBER.search(word.removesuffix("%"))
        if found is None or (found[0] != word.lstrip("+-") and not word.startswith("-")):
            return ""
        digits = found[0].lstrip("0")
        if not found[0].isdigit() or len(digits) > _MOST_DIGITS:
            return "it may be an address"
        if int(digits or "0") >= _LEAST_ADDRESS:
            return "it may be an address"
        return ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
