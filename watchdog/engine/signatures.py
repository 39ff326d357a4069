"""Takes signatures as approvals, for what counts signatures alone.

Law: it only hands on. What a signature is worth is said by whoever verifies it; that it counts,
and what follows, by the core as for every other yes. Root's own file says who may sign, so that
the rights file is not asked.
"""

from __future__ import annotations

from watchdog.core.approvals import Means, means_for, request_id
from watchdog.core.requests import Request
from watchdog.core.spec import ActionSpec
from watchdog.core.trees import RestoreSystem
from watchdog.engine.engine import Engine
from watchdog.engine.orders.approvals import Approvals
from watchdog.engine.orders.desk import Desk, OrderRefused, Person
from watchdog.ports import Signature, Signing


class Signatures:
    """Run `look` by the calendar."""

    def __init__(self, engine: Engine, signing: Signing) -> None:
        self._engine = engine
        self._signing = signing
        self._approvals = Approvals(Desk(engine))
        self._refused: dict[str, str] = {}  # proof -> why it was not taken
        self.trouble = ""  # why people cannot be asked

    async def look(self) -> None:
        """Leave every request where it is signed, and take what was signed since."""
        for episode, request in list(self._engine.book.requests.open.items()):
            action = self._engine.in_force().actions.get(request.asked.action)
            if action is not None and means_for(action) == {Means.SSH}:
                await self._look_at(episode, request, action)

    async def _look_at(self, episode: str, request: Request, action: ActionSpec) -> None:
        how, anchor = action.do.how, self._engine.book.anchors.now.get(action.name)
        if not isinstance(how, RestoreSystem):
            return
        name = request_id(request.asked)
        if anchor is not None and anchor.digest == request.asked.anchor:
            archive, host = dict(anchor.facts).get("archive", ""), self._engine.process.host
            self.trouble = await self._signing.ask(name, request.asked, how, archive, host)
        for signature in await self._signing.signed(name):
            self._take(episode, name, signature)

    def _take(self, episode: str, name: str, signature: Signature) -> None:
        request = self._engine.book.requests.open.get(episode)
        if request is None or request_id(request.asked) != name:
            return  # it ended while we looked
        if any(one.entry.proof == signature.proof for one in request.given):
            return
        if signature.proof in self._refused:
            return
        person = Person(f"{signature.person} (signature)", counts=True, everything=True)
        try:
            self._approvals.approve(
                person,
                episode,
                f"signed the request {name}",
                through_hold=False,
                dry=False,
                means=Means.SSH,
                proof=signature.proof,
            )
        except OrderRefused as refused:
            self._refused[signature.proof] = str(refused)
