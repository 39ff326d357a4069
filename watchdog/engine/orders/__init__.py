"""What people order: holds, undo, rollback by hand, act, close, ack, mark.

Every order first says what it would do (`dry`) in the very words of its effect, is refused with
a reason and a remedy, and is recorded with its actor. Acting through a hold must be said.
"""

from __future__ import annotations

from watchdog.engine.engine import Engine
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person
from watchdog.engine.orders.episodes import Episodes, Mark
from watchdog.engine.orders.proofs import Proofs
from watchdog.engine.orders.rollbacks import KINDS, Kind, Rollbacks
from watchdog.engine.orders.stops import Stops

__all__ = ["KINDS", "Done", "Kind", "Mark", "OrderRefused", "Orders", "Person"]


class Orders:
    """All orders, by what they are about."""

    def __init__(self, engine: Engine) -> None:
        desk = Desk(engine)
        self.stops = Stops(desk)
        self.episodes = Episodes(desk)
        self.rollbacks = Rollbacks(desk)
        self.proofs = Proofs(desk)
