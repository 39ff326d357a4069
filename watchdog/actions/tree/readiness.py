"""Would a swap work, and what would it restore: kept true beforehand, so that it need not be hoped.

The law: ready means that a copy of `previous` lies in the work area, whole, durable, equal to it
by manifest at this look, and differs from what is live. Nothing that anybody else made is written
to or deleted. A copy is made under a name that nobody swaps in, and renamed when it is whole.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from watchdog.actions.tree import beneath, decided, ground, keep, proof
from watchdog.actions.tree.aside import clear_trash
from watchdog.actions.tree.contents import Known, read
from watchdog.actions.tree.exchange import close_gap, move, probe
from watchdog.actions.tree.facts import Facts, fact, present
from watchdog.actions.tree.fingerprint import fingerprint, remember, remembered
from watchdog.actions.tree.layout import Place, TroubleError, is_generation, shown
from watchdog.actions.tree.manifest import (
    ChangedError,
    Member,
    Members,
    difference,
    digest_of,
    newest_change,
    seen_again,
    size_of,
    survey,
)
from watchdog.actions.tree.marker import Marker, generation_of, mark, marker_of
from watchdog.actions.tree.staging import copy_tree, make_durable

Tell = Callable[[str, int, int], None]
"""Is told what is being done, how many bytes of it are, and of how many."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What would be restored, as the policy has it; `facts` are names and the files they are in."""

    place: Place
    previous: str
    mutable: tuple[str, ...]
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ready:
    reason: str
    digest: str
    written_at: float
    facts: Facts


def look_back(wish: Wish) -> str:
    """Whether what a swap displaces could be put back. Raises TroubleError and OSError."""
    ground.look(wish.place, "", wish.mutable)
    return "what a swap puts aside can be exchanged back"


def look_only(wish: Wish) -> str:
    """What somebody sees who stages nothing; empty where nothing is staged. Raises as above."""
    ground.look(wish.place, wish.previous, wish.mutable)
    if not os.access(wish.place.work, os.R_OK | os.X_OK):
        return ""
    staged = [one for one in _staged(wish.place) if generation_of(one.path) == one.generation]
    return f"generation {staged[0].generation} is staged" if staged else ""


def look(wish: Wish, tell: Tell) -> Ready:
    """Make it ready. Raises TroubleError for what stands in the way, and OSError."""
    place = wish.place
    ground.make_work(place)
    said = close_gap(place)
    ground.look(place, wish.previous, wish.mutable)
    way = probe(place)
    clear_trash(place, "building-", "live-file.new", "marker.new", "manifest.new")
    live, previous = (os.path.realpath(path) for path in (place.current, wish.previous))
    memory = place.own(f"looked-{hashlib.sha256(os.fsencode(wish.previous)).hexdigest()[:16]}.json")
    basis = _basis(wish, way)
    seen = basis.seen if basis else ()  # without it, a swap finds that it was not decided for
    before = remembered(memory, basis.told) if basis else None
    if before is not None:
        told = before
    else:
        told = _look_anew(wish, previous, live, tell)
        basis = _basis(wish, way)  # what was staged is in it now
        if basis and basis.rests:
            remember(memory, basis.told, told)
    if told["equal"]:
        raise TroubleError(
            f"{shown(wish.previous)} equals what is live: there is nothing to go back to"
        )
    why_not = keep.why_not(live, previous, wish.mutable)
    if why_not:
        raise TroubleError(why_not)
    ground.has_room(place, 0, 0)
    reason = f"{told['staged']}; the way is {way}"
    facts = (*((name, value) for name, value in told["facts"]), *seen)
    return Ready(f"{said}; {reason}" if said else reason, told["digest"], told["written_at"], facts)


@dataclass(frozen=True, slots=True)
class _Basis:
    told: str
    rests: bool
    seen: Facts


def _basis(wish: Wish, way: str) -> _Basis | None:
    """All that a look's outcome rests upon, and whether it rests; None where it cannot be told."""
    place = wish.place
    live = os.path.realpath(place.current)
    previous = os.path.realpath(wish.previous)
    try:
        seen = decided.seen(previous, live)
        prints = [
            fingerprint(previous, wish.mutable),
            fingerprint(live, wish.mutable, folders=False),
        ]
        staged = [one for one in _staged(place) if _is_copy(one, wish)]
        ours = [fingerprint(one.path, wish.mutable) for one in staged]
        markers = [repr(marker_of(live))]
    except OSError:
        return None
    told = repr((wish, way, prints, [one.generation for one in staged], ours, markers))
    return _Basis(told, all(one.rests for one in prints), seen)


def _look_anew(wish: Wish, previous: str, live: str, tell: Tell) -> dict[str, Any]:
    """Read what is not known, stage where nothing is; what is to be remembered of it."""
    place = wish.place
    known = Known(place.own("known.json"))
    members = _contents(wish, previous, known, tell)
    facts = tuple((name, fact(previous, name, file)) for name, file in wish.facts.items())
    if _is_same(wish, members, known, tell):
        known.save()
        return {"equal": True}
    why_not = keep.why_not(live, previous, wish.mutable)
    if why_not:
        raise TroubleError(why_not)
    digest = digest_of(members)
    generation = _make_staged(wish, members, digest, known, tell)
    known.save()
    if not seen_again(members, survey(previous, wish.mutable)):
        raise ChangedError(f"{shown(previous)} was written to while it was staged")
    count, size = size_of(members)
    return {
        "equal": False,
        "staged": f"{count} files, {size:,} bytes, are staged",
        "digest": digest,
        "written_at": newest_change(members),
        "facts": (*facts, *present(live, wish.facts), ("generation", generation)),
    }


def _contents(wish: Wish, previous: str, known: Known, tell: Tell) -> dict[bytes, Member]:
    """The manifest of `previous`, nothing having been written to it meanwhile."""
    seen = survey(previous, wish.mutable)
    if len(seen) == 1:
        raise TroubleError(f"{shown(previous)} holds no file of its own: nothing to restore")
    ground.may_recreate(seen)
    if not any(_is_copy(one, wish) for one in _staged(wish.place)):
        ground.has_room(wish.place, size_of(seen)[1], len(seen))

    def report(done: int, of: int) -> None:
        tell(f"reading {wish.previous}", done, of)

    found = read(previous, seen, known=known, report=report)
    if not seen_again(found, survey(previous, wish.mutable)):
        raise ChangedError(f"{shown(previous)} was written to while it was read")
    return found


def _is_same(wish: Wish, members: Members, known: Known, tell: Tell) -> bool:
    """Whether the live tree is the same already.

    A live tree that cannot be read, or does not rest, is another one.
    """
    live = os.path.realpath(wish.place.current)

    def report(done: int, of: int) -> None:
        tell(f"reading {wish.place.current}", done, of)

    try:
        seen = survey(live, wish.mutable)
        if len(seen) != len(members) or _differ_outside(members, seen):
            return False
        there = read(live, seen, known=known, report=report)
    except TroubleError:
        return False
    return not difference(members, there)


def _differ_outside(members: Members, seen: Members) -> bool:
    """Whether they differ in what is seen without reading a file's content."""
    for path, member in members.items():
        other = seen.get(path)
        if other is None or _outside(member) != _outside(other):
            return True
    return False


def _outside(member: Member) -> tuple[object, ...]:
    own = member.mode, member.uid, member.gid
    return member.kind, *own, member.size, member.target, member.xattrs


@dataclass(frozen=True, slots=True)
class _Staged:
    path: str
    generation: str


def _staged(place: Place) -> list[_Staged]:
    names = (entry.name for entry in os.scandir(place.work) if entry.name.startswith("staged-"))
    generations = (name.removeprefix("staged-") for name in names)
    return [_Staged(place.staged(one), one) for one in generations if is_generation(one)]


def _is_copy(staged: _Staged, wish: Wish) -> bool:
    marker = marker_of(staged.path)
    named = marker is not None and marker.generation == staged.generation
    return named and marker is not None and marker.source == wish.previous


def _make_staged(wish: Wish, members: Members, digest: str, known: Known, tell: Tell) -> str:
    """The generation of a copy that is proven at this look; the others of its kind go."""
    place, found, others = wish.place, "", list[str]()
    live = marker_of(os.path.realpath(place.current))
    for staged in _staged(place):
        marker = marker_of(staged.path)
        if marker is None or marker.generation != staged.generation:
            continue  # what a swap displaced and has not put aside yet: not ours to touch
        if marker.source != wish.previous:
            others.append(staged.generation)
            continue
        same = marker.digest == digest and not (live and live.generation == marker.generation)
        if not found and same and _holds(wish, staged.path, digest, known, tell):
            found = staged.generation
        else:
            move(staged.path, place.own(f"trash-{staged.generation}"))
    clear_trash(place)
    if not found:
        found = _stage(wish, members, digest, known, tell)
    proof.drop_others(place, {found, *others, *([live.generation] if live else [])})
    return found


def _holds(wish: Wish, path: str, digest: str, known: Known, tell: Tell) -> bool:
    def report(done: int, of: int) -> None:
        tell("reading the staged copy", done, of)

    try:
        seen = survey(path, wish.mutable)
        return digest_of(read(path, seen, known=known, ours=True, report=report)) == digest
    except TroubleError:
        return False


def _stage(wish: Wish, members: Members, digest: str, known: Known, tell: Tell) -> str:
    """A new copy under a new generation: made, read again, made durable, marked, and then named."""
    place, generation = wish.place, secrets.token_hex(16)
    count, size = size_of(members)
    ground.has_room(place, size, len(members))
    building = place.own(f"building-{generation}")

    def report(done: int, of: int) -> None:
        tell(f"copying {wish.previous}", done, of)

    copy_tree(_with_live_files(wish, members), os.path.realpath(wish.previous), building, report)
    tell(f"making {count} files durable", size, size)
    make_durable(building, len(members))
    if not _holds(wish, building, digest, known, tell):
        raise ChangedError(f"the copy of {shown(wish.previous)} is not like it")
    proof.keep(place, generation, members)
    mark(place, building, Marker(generation, digest, source=wish.previous))
    move(building, place.staged(generation))
    beneath.sync_folder(place.work)
    return generation


def _with_live_files(wish: Wish, members: Members) -> Members:
    """The files that stay live are copied as well: the live tree may have none of a name."""
    if not wish.mutable:
        return members
    return survey(os.path.realpath(wish.previous))
