"""Facts put into texts: `${anchor.NAME}` is what the anchor holds, `${present.NAME}` what stood
before the change.

Law: a value is put in only if it is plain: letters, digits and `._:+/@-`, the first a letter or a
digit. Nothing that was read from outside can so end a quoted text and make another expression of
it, or become an option of a command; in an address it is one part of a path, and no other path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from watchdog.core.trees import Facts

PRESENT = "present_"
"""Before the name of a fact: its value in what stood before the change."""

_ASKED = re.compile(r"\$\{(anchor|present)\.([a-z][a-z0-9_]{0,49})\}")
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+/@-]{0,199}")
_IN_ADDRESS = str.maketrans({"/": "%2F", ":": "%3A", "+": "%2B", "@": "%40"})


@dataclass(frozen=True, slots=True)
class Lacking:
    """Why it cannot be filled in."""

    reason: str


def asked_for(text: str, of: str = "anchor") -> tuple[str, ...]:
    """The names of the facts that a text needs: of the `anchor`, or of what is `present`."""
    return tuple(name for whose, name in _ASKED.findall(text) if whose == of)


def is_plain(value: str) -> bool:
    return _PLAIN.fullmatch(value) is not None


def is_version(value: str) -> bool:
    """Plain, and no way to another place where it is taken for a path."""
    return is_plain(value) and not any(
        not part or part.startswith(".") for part in value.split("/")
    )


def exchanged(text: str) -> str:
    """The same text for the way back: what is restored there is what stood before here."""
    other = {"anchor": "present", "present": "anchor"}
    return _ASKED.sub(lambda found: f"${{{other[found[1]]}.{found[2]}}}", text)


def filled(
    text: str, facts: Facts, *, back: bool = False, in_address: bool = False
) -> str | Lacking:
    """`text` with each fact in its place; with `back`, as it was before the change."""
    known = dict(facts)
    asked = exchanged(text) if back else text
    put: dict[tuple[str, str], str] = {}
    for whose, name in _ASKED.findall(asked):
        value = known.get(name if whose == "anchor" else PRESENT + name)
        if value is None:
            of = "the anchor" if whose == "anchor" else "what stood before"
            return Lacking(f"{name} of {of} is not known")
        if not is_plain(value):
            return Lacking(f"{name} is {value!r}, which is not plain enough to be put in")
        put[whose, name] = value.translate(_IN_ADDRESS) if in_address else value
    return _ASKED.sub(lambda found: put[found[1], found[2]], asked)
