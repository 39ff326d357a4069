"""Whole folders and whole systems as targets: how they are put back, as policy checked it.

A folder is never changed in place: another takes its place, whole and at once. What an action
restores to is its anchor, and an anchor is worth what was proven of it before it was needed.
"""

from __future__ import annotations

from dataclasses import dataclass

Facts = tuple[tuple[str, str], ...]
"""Small named texts that one step learns and later ones need: a generation, a place, a version."""

DIGEST = "digest"
"""The fact that names the content which is restored."""


def merged(*facts: Facts) -> Facts:
    """Later ones replace earlier ones of the same name."""
    return tuple({name: value for some in facts for name, value in some}.items())


@dataclass(frozen=True, slots=True)
class SwapTree:
    """Put another tree in the place of the live one.

    That is a staged copy of `previous`; or with `displaced` what an earlier swap put aside, whose
    generation and place its facts name: so a swap is compensated, and so a person undoes it.
    """

    current: str  # absolute path of the live folder
    previous: str  # absolute path of what is restored; it stays where it is
    mutable: tuple[str, ...] = ()  # files, relative to the folder, that stay live across the swap
    keep_backups: int = 5
    facts: Facts = ()  # (name, file in the tree whose first line is its value)
    displaced: bool = False


@dataclass(frozen=True, slots=True)
class RestoreSystem:
    """Put an archive back over `root`, services stopped; done by the privileged helper alone.

    With `undo`, what that restore had saved before is put back.
    """

    archive: str  # absolute path with a pattern in its last part; the newest that qualifies
    root: str
    services: tuple[str, ...]  # patterns of unit names
    max_age_seconds: float
    verify: tuple[tuple[str, ...], ...] = ()  # argument lists, run in `verify_in`
    verify_in: str = "/"
    undo: bool = False


@dataclass(frozen=True, slots=True)
class Anchor:
    """What an action restores to, as its preflight proved it.

    `written_at` is the wall time, in seconds since the epoch, at which the newest part of it was
    written as the kernel recorded it: it holds nothing of later.
    """

    digest: str  # SHA-256 in hex: of a tree's manifest, an archive, or a version's text
    written_at: float
    facts: Facts = ()
