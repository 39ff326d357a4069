"""Entries as text and back: one canonical JSON form for every kind.

The law: what is written is read back equal. An entry whose fields do not have their declared
types is refused before it is written; a kind or a field that this program does not know is
refused when read, since a newer program wrote it and meant something by it. A field that an
older program did not write takes its default, so old entries stay readable as long as new
fields have one. What nothing is decided by (`core/aside.py`) is the exception: one that is not
understood is passed on as it stands.

Three things go beyond JSON or fall short of Python, on purpose. NaN and the infinities are
written as the words NaN, Infinity and -Infinity, because a verdict may rest on them. Half of a
surrogate pair, which no UTF-8 can hold, becomes "?". And the free-form `inputs` of a decision
come back as plain data: tuples as lists, enums as their values.
"""

from __future__ import annotations

import json
from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from watchdog.core import aside
from watchdog.core.entries import Entry, Unread


class UnknownEntry(ValueError):
    """Text that is no entry this program knows; the message names what is strange in it."""


class UnwritableEntry(TypeError):
    """A value in an entry that could not be read back: a bug of ours, caught before writing."""


_KNOWN: Any = reduce(or_, (kind for kind in get_args(Entry) if kind is not Unread))
_ENTRIES: TypeAdapter[Entry] = TypeAdapter(
    Annotated[_KNOWN, Field(discriminator="kind")],
    config=ConfigDict(extra="forbid", ser_json_inf_nan="constants"),
)


def encode(entry: Entry) -> str:
    """Canonical JSON: sorted keys, no blanks, UTF-8. Raises UnwritableEntry."""
    if isinstance(entry, Unread):
        return entry.body
    try:
        plain = _ENTRIES.dump_python(entry, mode="json", warnings="error")
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    except (PydanticSerializationError, TypeError, ValueError) as error:
        raise UnwritableEntry(f"{type(entry).__name__} cannot be written: {error}") from error
    return text.encode("utf-8", "replace").decode("utf-8")


def decode(body: str) -> Entry:
    """The entry that `body` says. Raises UnknownEntry."""
    try:
        return _ENTRIES.validate_json(body, strict=True)
    except ValidationError as error:
        if (unread := _aside(body)) is not None:
            return unread
        strange = error.errors(include_url=False, include_input=False)[0]
        if strange["type"] == "union_tag_invalid":
            tag = strange.get("ctx", {}).get("tag")
            raise UnknownEntry(f"{tag} is the kind of a newer program's entries") from error
        where = ".".join(str(part) for part in strange["loc"]) or "the entry"
        raise UnknownEntry(f"{where}: {strange['msg']}") from error


def _aside(body: str) -> Unread | None:
    """What one may go on without knowing; None where one may not, or it is no entry."""
    try:
        plain = json.loads(body)
    except ValueError:
        return None
    kind = plain.get("kind") if isinstance(plain, dict) else None
    if isinstance(kind, str) and kind.startswith(aside.PREFIX):
        return Unread(body, kind)
    return None
