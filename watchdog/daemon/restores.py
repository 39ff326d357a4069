"""Between people who are asked about a system restore and the helper that does it.

For every open request of that kind a file is left where the helper looks, the same after a
restart; a signature that is handed in becomes a yes on the record, and with the last one every
gate is asked. Laws: nothing here approves anything (the helper verifies by itself), and what is
left for people to sign is about the anchor that they were asked about.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from watchdog.actions.restore_anchors import RestorePlaces
from watchdog.actions.restore_request import Asking, write_request
from watchdog.actions.restore_signers import Signed, handed_in, signed_by
from watchdog.core.approvals import request_id
from watchdog.core.requests import Request
from watchdog.core.trees import RestoreSystem
from watchdog.daemon.handing_on import HandingOn, NotAnswered, Signature
from watchdog.engine import Engine, OrderRefused, OrderUnrecorded

EVERY_SECONDS = 2.0
NOBODY = "slo-watchdog"
"""The requester where a rule asked and no person did."""


class RestoreRequests:
    """`host` is this host's name, as the helper knows it."""

    def __init__(
        self,
        engine: Engine,
        orders: HandingOn,
        host: str,
        places: RestorePlaces | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._orders = orders
        self._host = host
        self._places = places or RestorePlaces()
        self._wall = wall
        self._known: dict[tuple[str, str], str] = {}  # (request, signature) -> what became of it
        self._untaken: dict[str, str] = {}  # request -> why a signature could not be handed on
        self._trouble = ""

    async def forever(self) -> None:
        """Never ends by itself."""
        while True:
            try:
                await self.tend()
                self._told("")
            except OSError as error:
                self._told(f"{error.filename or 'a request'}: {error.strerror}")
            await asyncio.sleep(EVERY_SECONDS)

    async def tend(self) -> None:
        """Once: leave what is missing, and take what was handed in. Raises OSError."""
        for episode, request in tuple(self._engine.book.requests.open.items()):
            name = await self._left(episode, request)
            if name and episode in self._engine.book.requests.open:
                try:
                    await self._take(episode, name)
                except (NotAnswered, OrderUnrecorded) as nobody:
                    self._not_taken(name, str(nobody))
                    return  # the others would wait as long, and all are looked at soon again
                self._untaken.pop(name, None)

    async def _left(self, episode: str, request: Request) -> str:
        """The id of the file that is left for it; "" where it is none of ours."""
        asked = request.asked
        action = self._engine.in_force().actions.get(asked.action)
        anchor = self._engine.book.anchors.now.get(asked.action)
        if action is None or not isinstance(action.do.how, RestoreSystem) or anchor is None:
            return ""
        if anchor.digest != asked.anchor or action.host not in {"any", self._host}:
            return ""
        name = request_id(asked)
        if (name, "") not in self._known:
            archive = dict(anchor.facts).get("archive", "")
            asking = Asking(
                self._host,
                f"{episode} {asked.decision}",
                asked.requester or NOBODY,
                asked.needed,
                int(asked.expires.wall),
            )
            given = (action.do.how, anchor.digest, archive, asking)
            await asyncio.to_thread(write_request, self._places.requests, name, *given)
            self._known[name, ""] = "left"
            log = structlog.get_logger()
            log.warning("restore.asked", request=name, episode=episode, action=asked.action,
                        remedy=f"slo-watchdog restore show {name}")  # fmt: skip
        return name

    async def _take(self, episode: str, name: str) -> None:
        folder = self._places.requests / name
        request = self._engine.book.requests.open[episode]
        on_record = {one.entry.proof: one.at.wall for one in request.given}
        for proof, (file, at) in (await asyncio.to_thread(handed_in, folder)).items():
            # Handed in once more it is said once more; found again after a restart it is not.
            mark = f"{proof} {at}"
            if (name, mark) in self._known or at <= on_record.get(proof, 0.0):
                continue
            signers = self._places.etc / "allowed_signers"
            signed = await signed_by(folder, proof, file, signers)
            said = signed if isinstance(signed, str) else await self._yes(episode, signed)
            self._known[name, mark] = said  # an answer: what nobody answered is handed on again
            structlog.get_logger().info("restore.signed", request=name, said=said)

    async def _yes(self, episode: str, signed: Signed) -> str:
        try:
            return await self._orders.sign(
                Signature(episode, signed.person, signed.key, signed.proof)
            )
        except (NotAnswered, OrderUnrecorded):
            raise
        except OrderRefused as refused:
            return f"{signed.person}: {refused}"

    def _not_taken(self, name: str, why: str) -> None:
        if self._untaken.get(name) != why:
            self._untaken[name] = why
            structlog.get_logger().warning("restore.not_taken", request=name, reason=why)

    def _told(self, trouble: str) -> None:
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                structlog.get_logger().error("restore.untended", error=trouble)
