"""Forward and back: each makes sure of a state, and may be begun again at any time.

    live tree   waits at its place   what is done
    G           -                    it was swapped: what is left of it is finished
    another     G                    live files carried over, exchanged, finished
    another     G, not as decided    nothing: a conflict, and what is different is said
    another     -                    nothing: a conflict, or refused where G was live before
    G           G                    nothing: two trees say that they are the same generation

To finish: names durable, live files looked at once more, the displaced tree marked and put aside,
the live tree compared with the manifest. Back does the same with the displaced tree, and what was
live waits again to be swapped in.

The law: NOT_DONE, REFUSED and CONFLICT only where the live path certainly is as it was. Anything
that goes wrong after the exchange was asked for is UNKNOWN, with what is known of it.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from watchdog.actions.tree import decided, keep
from watchdog.actions.tree.aside import mark_displaced
from watchdog.actions.tree.exchange import close_gap
from watchdog.actions.tree.facts import present
from watchdog.actions.tree.layout import Place, TroubleError, before, is_generation, shown
from watchdog.actions.tree.links import Links
from watchdog.actions.tree.marker import generation_of, marker_of
from watchdog.actions.tree.proof import proven
from watchdog.actions.tree.trees import Displaced, Folders, Trees

_FOR_GOOD = frozenset({errno.EROFS, errno.EXDEV, errno.EACCES, errno.EPERM})


class Result(StrEnum):
    """As `ports.Attempted` has them; that cannot be imported fast enough."""

    CLAIMED = "claimed"
    NOT_DONE = "not_done"
    REFUSED = "refused"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Order:
    place: Place
    mutable: tuple[str, ...]
    keep_backups: int
    key: str
    facts: Mapping[str, str]
    until: float  # on the steady clock: no exchange begins later
    previous: str = ""  # what is restored
    named: Mapping[str, str] = field(default_factory=dict)  # facts, and the files they are in

    @property
    def generation(self) -> str:
        """Raises TroubleError where the facts name none."""
        found = self.facts.get("generation", "")
        if not is_generation(found):
            raise TroubleError("the facts name no generation: preflight has not proven one")
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    result: Result
    reason: str
    facts: tuple[tuple[str, str], ...] = ()


def trees_of(place: Place) -> Trees:
    return Links(place) if os.path.islink(place.current) else Folders(place)


def forward(order: Order) -> Answer:
    """Make sure that the generation of the facts is live. Raises TroubleError and OSError.

    What it raises, it raises before anything was changed.
    """
    generation, place = order.generation, order.place
    close_gap(place)
    trees = trees_of(place)
    live, incoming = generation_of(trees.live()), trees.incoming(generation)
    if live == generation and incoming is None:
        return _finish_forward(order, trees, "swapped already")
    why_not = _refusal(order, live, incoming)
    if why_not:
        return Answer(Result.REFUSED, why_not)
    differs = _difference(order, trees, incoming)
    if incoming is None or differs:
        result = Result.CONFLICT if trees.displaced(generation, "") is None else Result.REFUSED
        return Answer(result, differs)
    keep.carry(place, trees.live(), incoming, order.mutable)
    if time.monotonic() > order.until:
        return Answer(Result.NOT_DONE, "the time was over before the exchange")
    try:
        trees.swap_in(generation, incoming)
    except OSError as error:
        failed = _failed(error, trees, generation)
        if failed is not None:
            return failed
    return _finish_forward(order, trees, "swapped")


def _refusal(order: Order, live: str, incoming: str | None) -> str:
    generation = order.generation
    if not os.path.isdir(order.place.current):
        return f"{shown(order.place.current)} is missing: there is no live folder to swap"
    if live == generation and incoming is not None:
        return f"the live tree and a staged one both say that they are {generation}"
    return ""


def _difference(order: Order, trees: Trees, incoming: str | None) -> str:
    """What is not as it was decided for. Raises OSError."""
    live = generation_of(trees.live())
    if incoming is None:
        found = f"is of generation {live}" if live else "has no generation"
        return f"no tree of generation {order.generation} is staged, and the live one {found}"
    staged = marker_of(incoming)
    digest = staged.digest if staged else ""
    if not digest or digest != order.facts.get("digest", digest):
        return "what is staged is not of the content that was decided on"
    if live and live == order.facts.get("displaced_generation"):
        return ""  # the way back of an undo: what it brought is live still, and what it took waits
    return decided.why_not(order.facts, order.previous, os.path.realpath(trees.live()), order.named)


def _failed(error: OSError, trees: Trees, generation: str) -> Answer | None:
    """What an exchange that failed came to; None where it took place and more can be done."""
    said = f"the exchange failed ({error.strerror})"
    try:
        live = generation_of(trees.live()) if os.path.isdir(trees.live()) else None
    except OSError:
        live = None
    if live is None:
        return Answer(Result.UNKNOWN, f"{said}, and the live folder cannot be read")
    if error.errno == errno.EIO:
        return Answer(Result.UNKNOWN, f"{said}: the disk cannot be trusted")
    if live == generation:
        return None
    result = Result.REFUSED if error.errno in _FOR_GOOD else Result.NOT_DONE
    return Answer(result, f"{said}; the live folder is what it was")


def _finish_forward(order: Order, trees: Trees, said: str) -> Answer:
    generation, place = order.generation, order.place
    marker = marker_of(trees.live())
    digest = marker.digest if marker else ""
    facts = [("generation", generation), ("digest", digest)]
    try:
        close_gap(place)
        found = trees.displaced(generation, order.facts.get("displaced", ""))
        if found is not None:
            if not found.is_aside:
                keep.carry(place, found.path, trees.live(), order.mutable, later=True)
            path = trees.finish(generation, order.key, found)
            facts += [("displaced", path), ("displaced_generation", before(generation))]
            # Preflight looked a while ago: what the way back must show is what was live just now.
            facts += present(path, order.named)
            said += f"; what was live is {shown(path)}"
        else:
            said += "; what was live before is not to be found"
        came = proven(place, trees.live(), generation, digest, order.mutable, order.until)
    except (OSError, TroubleError) as error:
        return Answer(Result.UNKNOWN, f"{said}, then {_text(error)}", tuple(facts))
    return _judged(came, said, facts)


def back(order: Order) -> Answer:
    """Make sure that what the swap displaced is live again. Raises as `forward` does."""
    generation, place = order.generation, order.place
    close_gap(place)
    trees = trees_of(place)
    live = generation_of(trees.live())
    if live == before(generation):
        return _finish_back(order, trees, "swapped back already")
    found = trees.displaced(generation, order.facts.get("displaced", ""))
    if live != generation or found is None:
        return _nothing_to_undo(generation, live, trees, found)
    if not found.is_aside:
        mark_displaced(place, found.path, generation, order.key)
    keep.carry(place, trees.live(), found.path, order.mutable)
    if time.monotonic() > order.until:
        return Answer(Result.NOT_DONE, "the time was over before the exchange")
    try:
        trees.swap_back(generation, found.path)
    except OSError as error:
        failed = _failed(error, trees, before(generation))
        if failed is not None:
            return failed
    return _finish_back(order, trees, "swapped back", found.path)


def _nothing_to_undo(generation: str, live: str, trees: Trees, found: Displaced | None) -> Answer:
    if live == generation:
        return Answer(Result.REFUSED, f"what the swap to {generation} displaced is not to be found")
    if found is None and trees.incoming(generation) is not None:
        return Answer(Result.CLAIMED, f"generation {generation} is not live: nothing to undo")
    return Answer(Result.CONFLICT, f"the live tree is not of generation {generation} any more")


def _finish_back(order: Order, trees: Trees, said: str, found: str = "") -> Answer:
    generation, place = order.generation, order.place
    digest, came = order.facts.get("displaced_digest", ""), ""
    facts = [("generation", generation)]
    try:
        close_gap(place)
        gone = found or order.facts.get("displaced", "")
        if gone and os.path.isdir(gone):
            keep.carry(place, gone, trees.live(), order.mutable, later=True)
        trees.stow(generation, gone)
        if digest:
            came = proven(place, trees.live(), "", digest, order.mutable, order.until)
    except (OSError, TroubleError) as error:
        return Answer(Result.UNKNOWN, f"{said}, then {_text(error)}", tuple(facts))
    return _judged(came, said, facts)


def _judged(came: str, said: str, facts: list[tuple[str, str]]) -> Answer:
    if not came:
        return Answer(Result.CLAIMED, f"{said}; contents not compared", tuple(facts))
    facts.append(("proven", came[:1000]))
    if came == "yes":
        return Answer(Result.CLAIMED, f"{said}; contents as they must be", tuple(facts))
    reason = f"{said}, but its contents are not as they must be: {came.removeprefix('no: ')}"
    return Answer(Result.UNKNOWN, reason, tuple(facts))


def _text(error: OSError | TroubleError) -> str:
    if isinstance(error, OSError):
        where = f" ({shown(os.fsdecode(error.filename))})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return str(error)
