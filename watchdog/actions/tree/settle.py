"""After a proven success: what was displaced gets its digest, old backups go.

The law: nothing that a later step may need is deleted, nor what is restored from; all of it may be
repeated. A displaced tree that has no manifest has no digest, and can never be what somebody
restores.
"""

from __future__ import annotations

import os
from dataclasses import replace

from watchdog.actions.tree.aside import prune
from watchdog.actions.tree.contents import Known, OutOfTimeError, read
from watchdog.actions.tree.layout import TroubleError, before
from watchdog.actions.tree.manifest import digest_of, survey
from watchdog.actions.tree.marker import mark, marker_of
from watchdog.actions.tree.swap import Answer, Order, Result


def settle(order: Order) -> Answer:
    """Raises TroubleError and OSError."""
    displaced = order.facts.get("displaced", "")
    digest, said = "", "nothing was displaced"
    if displaced:
        try:
            digest, said = _digest(order, displaced), f"{displaced} has its digest"
        except OutOfTimeError:
            return Answer(Result.UNKNOWN, f"{displaced} could not be read in time")
        except TroubleError as trouble:
            said = f"{displaced} has no digest: {trouble}"
    facts = (("displaced_digest", digest),) if digest else ()
    gone = prune(order.place, order.keep_backups, {displaced, order.previous})
    if gone:
        said += f"; deleted: {', '.join(map(os.path.basename, gone))}"
    return Answer(Result.CLAIMED, said, facts)


def _digest(order: Order, displaced: str) -> str:
    """Once computed, its marker tells it."""
    marker = marker_of(displaced)
    if marker is None or marker.generation != before(order.generation):
        raise TroubleError("it is not what this swap displaced")
    if marker.digest:
        return marker.digest
    known = Known(order.place.own("known.json"))
    members = read(displaced, survey(displaced, order.mutable), known=known, until=order.until)
    digest = digest_of(members)
    mark(order.place, displaced, replace(marker, digest=digest))
    return digest
