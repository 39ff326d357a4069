"""Facts put into what an action asks and does: `${anchor.build_sha}` is what the anchor holds.

Law: a value is put in only if it is plain: letters, digits and `._:+/@-`. Nothing that a file of
a release holds can so become a command's option by a blank, or end a quoted text of an expression.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from watchdog.core.spec import Command, How, HttpCall
from watchdog.core.trees import Facts

PRESENT = "present_"
"""Before the name of a fact: its value in what stood before the change."""

_ASKED = re.compile(r"\$\{anchor\.([a-z][a-z0-9_]{0,49})\}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/@-]{0,199}")


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why it cannot be filled in."""

    reason: str


def asked_for(text: str) -> tuple[str, ...]:
    """The names of the facts that a text needs."""
    return tuple(_ASKED.findall(text))


def is_plain(value: str) -> bool:
    return _PLAIN.fullmatch(value) is not None


def filled(text: str, facts: Facts, *, back: bool = False) -> str | Lacking:
    """`text` with each fact in its place; with `back`, as it was before the change."""
    known = dict(facts)
    for name in asked_for(text):
        wanted = PRESENT + name if back else name
        value = known.get(wanted)
        if value is None:
            of = "what stood before" if back else "the anchor"
            return Lacking(f"{name} of {of} is not known")
        if not is_plain(value):
            return Lacking(f"{name} is {value!r}, which is not plain enough to be put in")
    return _ASKED.sub(lambda found: known[(PRESENT if back else "") + found[1]], text)


def filled_how(how: How, facts: Facts, *, back: bool = False) -> How | Lacking:
    """The same for a command's arguments or a call's address and body."""
    lacking: list[Lacking] = []

    def put(text: str) -> str:
        made = filled(text, facts, back=back)
        if isinstance(made, Lacking):
            lacking.append(made)
            return text
        return made

    made = _with(how, put)
    return lacking[0] if lacking else made


def _with(how: How, put: Callable[[str], str]) -> How:
    match how:
        case Command(argv=argv):
            return replace(how, argv=tuple(put(argument) for argument in argv))
        case HttpCall(endpoint=endpoint, body=body):
            asked = replace(endpoint, url=put(endpoint.url))
            return replace(how, endpoint=asked, body=put(body) if body is not None else None)
        case _:
            return how
