"""Reads the rights file: TOML, every fault with its line and what to write instead.

    [[grant]]
    rights = ["approve", "undo"]
    owners = ["redemption-team"]
    groups = ["redemption-oncall"]

Laws: a file that is wrong gives nobody anything, and the last good one stays; one that others may
write is refused; one that the settings name and is not there is refused, since a slip of the pen
must not open everything.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from watchdog.core.rights import Grant, Right, Rights
from watchdog.wire.files import NotPlainError, plain_file, read_all

_MOST_BYTES = 1024 * 1024
_KEYS = ("rights", "owners", "users", "groups", "keys")
_KEY_TYPES = frozenset(
    {
        "ssh-ed25519",
        "sk-ssh-ed25519@openssh.com",
        "ecdsa-sha2-nistp256",
        "ecdsa-sha2-nistp384",
        "ecdsa-sha2-nistp521",
        "sk-ecdsa-sha2-nistp256@openssh.com",
        "ssh-rsa",
    }
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,127}\$?")


class RightsRefused(Exception):
    """The file cannot be used; the message has a line for each thing that is wrong."""


def read_rights(file: Path, *, needed: bool) -> Rights | None:
    """What the file grants; None where there is none and none is needed. Raises RightsRefused."""
    try:
        with plain_file(os.fspath(file)) as fd:
            _check_mode(file, os.fstat(fd).st_mode)
            raw = read_all(fd, _MOST_BYTES)
    except FileNotFoundError:
        if not needed:
            return None
        raise RightsRefused(
            f"{file}: does not exist, and the setting `rights` names it. Write it, or leave the "
            "setting out: then whoever reaches the control socket may give any order"
        ) from None
    except NotPlainError as error:
        raise RightsRefused(f"{file}: is {error}, not a file") from None
    except OSError as error:
        raise RightsRefused(f"{file}: cannot be read: {error.strerror or error}") from None
    if raw is None:
        raise RightsRefused(f"{file}: has more than {_MOST_BYTES} bytes: is it the right one?")
    return rights_of(raw, file)


def rights_of(raw: bytes, file: Path) -> Rights:
    """What this text grants. Raises RightsRefused with every fault at once."""
    try:
        text = raw.decode("utf-8")
        given = tomllib.loads(text)
    except UnicodeDecodeError:
        raise RightsRefused(f"{file}: is not UTF-8 text") from None
    except RecursionError:
        raise RightsRefused(f"{file}: is not TOML: nested too deeply") from None
    except tomllib.TOMLDecodeError as error:
        raise RightsRefused(_not_toml(file, str(error))) from None
    reading = _Reading(file, _Lines.of(text), [])
    grants = tuple(reading.grants(given))
    if reading.faults:
        raise RightsRefused("\n".join(reading.faults))
    return Rights(str(file), grants)


def _check_mode(file: Path, mode: int) -> None:
    if mode & (stat.S_IWOTH | stat.S_IWGRP):
        raise RightsRefused(
            f"{file}: others than its owner may write it, and so give themselves any right. "
            f"Take that away: chmod go-w {file}"
        )


def _not_toml(file: Path, told: str) -> str:
    found = re.fullmatch(
        r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", told, re.DOTALL
    )
    if found is None:
        return f"{file}: is not TOML: {told}"
    place = f":{found[2]}:{found[3]}" if found[2] else ""
    return f"{file}{place}: is not TOML: {found[1]}" + ("" if place else ", at its end")


@dataclass(frozen=True, slots=True)
class _Lines:
    """Where each grant begins, and each of its keys: TOML's reader does not tell."""

    heads: tuple[int, ...]
    keys: Mapping[tuple[int, str], int]

    @classmethod
    def of(cls, text: str) -> _Lines:
        heads: list[int] = []
        keys: dict[tuple[int, str], int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if re.match(r"\s*\[\[\s*[\"']?grant[\"']?\s*\]\]", line):
                heads.append(number)
            elif found := re.match(r"\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*=", line):
                keys.setdefault((len(heads) - 1, found[1]), number)
            elif found := re.match(r"\s*\[+\s*[\"']?([A-Za-z0-9_-]+)", line):
                keys.setdefault((-1, found[1]), number)
        return cls(tuple(heads), keys)

    def at(self, grant: int, key: str = "") -> int:
        head = self.heads[grant] if 0 <= grant < len(self.heads) else 1
        return self.keys.get((grant, key), head)


@dataclass(slots=True)
class _Reading:
    file: Path
    lines: _Lines
    faults: list[str]

    def grants(self, given: Mapping[str, Any]) -> Iterator[Grant]:
        for key in given:
            if key != "grant":
                self._fault(-1, key, f"there is no `{key}` here", "Write [[grant]], and below it "
                            "rights, owners, users, groups, keys.")  # fmt: skip
        found = given.get("grant", [])
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            self._fault(-1, "grant", "`grant` is no list of tables", "Write [[grant]].")
            return
        for number, one in enumerate(found):
            before = len(self.faults)
            grant = self._grant(number, one)
            if len(self.faults) == before:
                yield grant

    def _grant(self, number: int, given: Mapping[str, Any]) -> Grant:
        for key in given:
            if key not in _KEYS:
                near = get_close_matches(key, _KEYS, 1)
                remedy = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(_KEYS)}."
                self._fault(number, key, f"there is no `{key}` in a grant", remedy)
        rights = self._rights(number, given)
        users = self._names(number, "users", given)
        groups = self._names(number, "groups", given)
        keys = tuple(self._keys(number, given))
        if not (users or groups or keys or self.faults):
            self._fault(number, "", "the grant is to nobody", "Name users, groups or keys.")
        if "owners" in given and given["owners"] == []:
            self._fault(
                number, "owners", "`owners` is empty", "Name some, or leave it out: all owners."
            )
        owners = self._names(number, "owners", given)
        return Grant(rights, frozenset(owners), frozenset(users), frozenset(groups), keys)

    def _rights(self, number: int, given: Mapping[str, Any]) -> frozenset[Right]:
        if given.get("rights") == "all":
            return frozenset(Right)
        known = [right.value for right in Right]
        found = set()
        for word in self._texts(number, "rights", given, needed=True):
            if word in known:
                found.add(Right(word))
                continue
            near = get_close_matches(word, known, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"Known are: {', '.join(known)}."
            self._fault(number, "rights", f"there is no right {word!r}", remedy)
        return frozenset(found)

    def _names(self, number: int, key: str, given: Mapping[str, Any]) -> tuple[str, ...]:
        found = self._texts(number, key, given, needed=False)
        for name in found:
            if not _NAME.fullmatch(name):
                self._fault(number, key, f"{name!r} is no name", "Letters, digits, _ . - only.")
        return found

    def _keys(self, number: int, given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for text in self._texts(number, "keys", given, needed=False):
            kind, _, rest = text.strip().partition(" ")
            blob, _, whose = rest.strip().partition(" ")
            if not (_is_key(kind, blob) and _NAME.fullmatch(whose.strip())):
                self._fault(
                    number,
                    "keys",
                    f"{text[:60]!r} is no SSH public key with a name behind it",
                    "Write a line of a .pub file with the person's user name at its end: "
                    '"ssh-ed25519 AAAA... alice".',
                )
                continue
            yield f"{kind} {blob}", whose.strip()

    def _texts(
        self, number: int, key: str, given: Mapping[str, Any], *, needed: bool
    ) -> tuple[str, ...]:
        found = given.get(key, [])
        if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
            self._fault(number, key, f"`{key}` is no list of texts", f'Write {key} = ["..."].')
            return ()
        if needed and not found:
            words = ", ".join(right.value for right in Right)
            self._fault(number, key, f"the grant has no `{key}`", f'Of {words}; or "all".')
        return tuple(found)

    def _fault(self, grant: int, key: str, what: str, remedy: str) -> None:
        self.faults.append(f"{self.file}:{self.lines.at(grant, key)}: {what}. {remedy}")


def _is_key(kind: str, blob: str) -> bool:
    """A public key's blob begins with its type's name, and its length before that."""
    if kind not in _KEY_TYPES:
        return False
    try:
        raw = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return False
    name = kind.encode()
    return raw.startswith(len(name).to_bytes(4, "big") + name) and len(raw) > len(name) + 8
