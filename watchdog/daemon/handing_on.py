"""An order that reaches a daemon which follows is carried out by the one that leads.

The daemon that was reached says who ordered it, as it does where it leads itself: whoever shares
the store is trusted with that. What is about the rules folder of this host is not handed on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from watchdog.core.approvals import Means
from watchdog.core.rights import Account
from watchdog.engine import Engine, OrderRefused, Orders, Person
from watchdog.engine.hosts import Unanswered
from watchdog.web.ordering import Control, carried_out

ORDER, SIGNED = "order", "signed"
ORDER_SECONDS = 900.0
"""How long an order is waited for: an undo ends with its action."""

RELOAD = "/-/reload"


@dataclass(frozen=True, slots=True)
class _Ordered:
    path: str
    body: str
    by: Person


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was handed in on the host of a restore."""

    episode: str
    person: str
    key: str
    proof: str


_ORDERED: TypeAdapter[_Ordered] = TypeAdapter(_Ordered)
_SIGNATURE: TypeAdapter[Signature] = TypeAdapter(Signature)


class HandingOn:
    """One per daemon; `orders` carries out where this daemon leads."""

    def __init__(self, engine: Engine, orders: Orders) -> None:
        self._engine = engine
        self._orders = orders

    def serve(self, control: Control) -> None:
        """Take what others hand on to us."""

        async def ordered(body: str) -> str:
            given = _ORDERED.validate_json(body)
            status, answer = await carried_out(given.path, given.body.encode(), given.by, control)
            return json.dumps([status, answer])

        async def signed(body: str) -> str:
            try:
                return self._approve(_SIGNATURE.validate_json(body))
            except OrderRefused as refused:
                return str(refused)

        self._engine.hosts.orders[ORDER] = ordered
        self._engine.hosts.orders[SIGNED] = signed

    async def hand_on(
        self, path: str, body: bytes, by: Person
    ) -> tuple[int, dict[str, Any]] | None:
        """The leader's answer; None for what is answered here. Raises OrderRefused."""
        elsewhere = self._engine.leading.elsewhere()
        if not elsewhere or path == RELOAD:
            return None
        told = _ORDERED.dump_json(_Ordered(path, body.decode(errors="replace"), by)).decode()
        status, answer = json.loads(await self._asked(ORDER, told, elsewhere))
        return int(status), answer

    async def sign(self, signature: Signature) -> str:
        """What became of a signature, in words. Raises OrderRefused."""
        elsewhere = self._engine.leading.elsewhere()
        if not elsewhere:
            return self._approve(signature)
        return await self._asked(SIGNED, _SIGNATURE.dump_json(signature).decode(), elsewhere)

    async def _asked(self, kind: str, body: str, elsewhere: str) -> str:
        found = await self._engine.hosts.order(kind, body, ORDER_SECONDS)
        if isinstance(found, Unanswered):
            said = "and whether it was carried out is not known" if found.sent else "order it there"
            raise OrderRefused(f"{elsewhere}, and this daemon follows: {found.reason}; {said}")
        return found

    def _approve(self, signature: Signature) -> str:
        """Take a signature as a yes. Raises OrderRefused."""
        person = Person(
            f"{signature.person} (key {signature.proof[:12]})",
            counts=True,
            account=Account(key=signature.key),
        )
        done = self._orders.approvals.approve(
            person,
            signature.episode,
            "signed the request",
            through_hold=False,
            dry=False,
            means=Means.SSH,
            proof=signature.proof,
        )
        return done.effect
