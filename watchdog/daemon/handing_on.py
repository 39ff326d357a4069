"""An order that reaches a daemon which follows is carried out by the one that leads.

The daemon that was reached says who ordered it, as it does where it leads itself: whoever may write
to the store is trusted with that. What is about the rules folder of this host is not handed on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from watchdog.core.approvals import Means
from watchdog.core.rights import Account
from watchdog.engine import Engine, OrderRefused, Orders, OrderUnrecorded, Person
from watchdog.engine.hosts import NotCarriedOut, Unanswered
from watchdog.web.ordering import ORDERS, Control, carried_out

ORDER, SIGNED = "order", "signed"
ORDER_SECONDS = 900.0
"""How long an order is waited for, while who took it leads: an undo ends with its action."""
SIGNATURE_SECONDS = 10.0
"""How long a signature is: whoever tends to requests has others to look after."""

RELOAD = "/-/reload"
NOT_KNOWN = "the slo-watchdog that leads does not know what is ordered: is it an older one?"


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


class NotAnswered(OrderRefused):
    """The one that leads has not said what came of it: it may be handed on once more."""


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
            try:
                given = _ORDERED.validate_json(body)
            except ValidationError:
                raise NotCarriedOut(NOT_KNOWN) from None
            if given.path not in ORDERS:
                raise NotCarriedOut(NOT_KNOWN)
            status, answer = await carried_out(given.path, given.body.encode(), given.by, control)
            return json.dumps([status, answer])

        async def signed(body: str) -> str:
            try:
                return self._approve(_SIGNATURE.validate_json(body))
            except ValidationError:
                raise NotCarriedOut(NOT_KNOWN) from None
            except OrderUnrecorded as refused:
                if refused.in_doubt:
                    raise
                raise NotCarriedOut(str(refused)) from None
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
        status, answer = json.loads(await self._asked(ORDER, told, elsewhere, ORDER_SECONDS))
        return int(status), answer

    async def sign(self, signature: Signature) -> str:
        """What became of a signature, in words. Raises OrderRefused; where it may be handed in
        once more, NotAnswered or OrderUnrecorded.
        """
        elsewhere = self._engine.leading.elsewhere()
        if not elsewhere:
            return self._approve(signature)
        told = _SIGNATURE.dump_json(signature).decode()
        return await self._asked(SIGNED, told, elsewhere, SIGNATURE_SECONDS)

    async def _asked(self, kind: str, body: str, elsewhere: str, seconds: float) -> str:
        found = await self._engine.hosts.order(kind, body, seconds)
        if isinstance(found, Unanswered):
            said = "whether it was carried out is not known" if found.sent else "not carried out"
            raise NotAnswered(f"{elsewhere}, and this daemon followed: {found.reason}; {said}")
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
