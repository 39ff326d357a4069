"""What people order: holds, deploys, approvals, undo, rollback by hand, act, close, ack, mark; and
what they say of an episode afterwards.

Every order first says what it would do (`dry`) in the very words of its effect, is refused with
a reason and a remedy, and is recorded with its actor. Acting through a hold must be said.
"""

from __future__ import annotations

from collections.abc import Callable

from watchdog.core.rights import Rights
from watchdog.engine.engine import Engine
from watchdog.engine.orders.approvals import Approvals
from watchdog.engine.orders.deploys import DeployOrders
from watchdog.engine.orders.desk import (
    Desk,
    Done,
    OrderRefused,
    OrderUnrecorded,
    Person,
    unrecorded,
)
from watchdog.engine.orders.drills import DrillOrders
from watchdog.engine.orders.episodes import Episodes, Mark
from watchdog.engine.orders.hindsight import Hindsight, Wanted
from watchdog.engine.orders.proofs import Proofs
from watchdog.engine.orders.rollbacks import KINDS, Kind, Rollbacks
from watchdog.engine.orders.stops import Stops
from watchdog.engine.orders.telling import Telling
from watchdog.engine.orders.verifying import VerifyOrders
from watchdog.engine.plan_view import PlanView

__all__ = [
    "KINDS",
    "Done",
    "Kind",
    "Mark",
    "OrderRefused",
    "OrderUnrecorded",
    "Orders",
    "Person",
    "Wanted",
    "unrecorded",
]


class Orders:
    """All orders, by what they are about."""

    def __init__(self, engine: Engine, rights: Callable[[], Rights | None] = lambda: None) -> None:
        desk = Desk(engine, rights)
        self.plans = PlanView(engine, rights)
        self.approvals = Approvals(desk)
        self.stops = Stops(desk)
        self.deploys = DeployOrders(desk)
        self.episodes = Episodes(desk)
        self.rollbacks = Rollbacks(desk)
        self.proofs = Proofs(desk)
        self.hindsight = Hindsight(desk)
        self.drills = DrillOrders(desk)
        self.telling = Telling(desk)
        self.verifying = VerifyOrders(desk)
