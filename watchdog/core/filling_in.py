"""Facts put into what a read-back must show: `${anchor.build_sha}` is what the anchor holds.

Law: a value is put in only if it is plain: letters, digits and `._:+/@-`. Nothing that a file of
a release holds can so end a quoted text and make another expression of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
