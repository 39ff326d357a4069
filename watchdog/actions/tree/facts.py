"""What a tree tells of itself: the first line of a named file in it, plain text or nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from watchdog.actions.tree import beneath
from watchdog.actions.tree.layout import TroubleError, parts_in_tree, shown

Facts = tuple[tuple[str, str], ...]

_VALUE = re.compile(r"[ -~]{1,200}")
_FIRST_LINE_BYTES = 4096


def fact(root: str, name: str, file: str) -> str:
    """Raises TroubleError where the file tells nothing that can be a fact."""
    value = _first_line(root, file)
    if value is None:
        raise TroubleError(f"{shown(file)} in {shown(root)} cannot be read: it tells {name}")
    if not _VALUE.fullmatch(value):
        raise TroubleError(
            f"the first line of {shown(file)} in {shown(root)} must be 1 to 200 plain characters: "
            f"it tells {name}"
        )
    return value


def _first_line(root: str, file: str) -> str | None:
    try:
        raw = beneath.begin_of(root, parts_in_tree(file), _FIRST_LINE_BYTES)
    except OSError:
        return None
    return None if raw is None else raw.partition(b"\n")[0].decode("utf-8", "replace").strip()


def present(live: str, files: Mapping[str, str]) -> Facts:
    told = ((name, _first_line(live, file)) for name, file in files.items())
    return tuple(
        (f"present_{name}", value) for name, value in told if value and _VALUE.fullmatch(value)
    )
