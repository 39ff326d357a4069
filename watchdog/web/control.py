"""The control socket: orders, with the peer's uid as the actor, and the present for commands.

Each order answers `{"effect": ..., "target": ..., "data": ...}`, or `{"refused": reason}` with
status 409, or `{"wrong": what}` with 422 for a request that is not one. With `"dry": true` it says
what it would do, in the same words.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchdog.core.deploys import MOST_FOR_SECONDS, DeployOutcome
from watchdog.core.promotions import RuleTested
from watchdog.core.rights import Account
from watchdog.core.spec import Scope
from watchdog.engine import Done, NoPlan, OrderRefused, Orders, Person, Views
from watchdog.web.accounts import account_of
from watchdog.web.json_response import Json

_MOST_BYTES = 64 * 1024
_DIRECTORY_SECONDS = 2.0

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$")]
ActionName = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}(\{[^{}\n]{1,800}\})?$")
]
"""An action's name, perhaps with the values that it is for."""
Text = Annotated[str, Field(max_length=2000)]
Target = Annotated[str, Field(min_length=1, max_length=600)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rules lie and what is put into them, for whoever runs their tests."""

    rules_dir: str
    environment: str
    variables: Mapping[str, str]


HandOn = Callable[[str, bytes, Person], Awaitable[tuple[int, dict[str, Any]] | None]]
"""(path, body, who) -> the answer of the daemon that leads; None where that is this one."""


@dataclass(frozen=True, slots=True)
class Control:
    """What the socket reaches. `apply` loads the rules folder; it belongs to the daemon."""

    orders: Orders
    views: Views
    apply: Callable[[Person, bool], Awaitable[Done]]
    root_is_person: bool
    place: Place | None = None
    hand_on: HandOn | None = None


class Order(BaseModel):
    """One request to change something. `dry` only says what it would do."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    dry: bool = False
    reason: Text = ""

    async def carry_out(self, by: Person, control: Control) -> Done:
        raise NotImplementedError


class HoldOrder(Order):
    scope: Literal["all", "owner", "rule", "target"] = "all"
    name: Annotated[str, Field(max_length=2000)] = ""
    for_seconds: Annotated[float, Field(gt=0, le=366 * 86400)] | None = None
    silence: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        scope = Scope(self.scope, self.name)
        return control.orders.stops.hold(
            by,
            scope,
            self.reason,
            for_seconds=self.for_seconds,
            silence=self.silence,
            dry=self.dry,
        )


class ReleaseOrder(Order):
    hold: Name

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.stops.release(by, self.hold, self.reason, dry=self.dry)


class DeployBeginOrder(Order):
    target: Target
    for_seconds: Annotated[float, Field(gt=0, le=MOST_FOR_SECONDS)]
    change: Annotated[str, Field(max_length=500)] = ""

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.deploys.begin(
            by, self.target, self.for_seconds, self.change, self.reason, dry=self.dry
        )


class DeployEndOrder(Order):
    target: Target
    outcome: Literal["ok", "failed"] = "ok"

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.deploys.end(
            by, self.target, DeployOutcome(self.outcome), self.reason, dry=self.dry
        )


class UnfreezeOrder(Order):
    target: Target

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.deploys.unfreeze(by, self.target, self.reason, dry=self.dry)


class EpisodeOrder(Order):
    episode: Name

    def refuse_what_is_over(self, control: Control) -> None:
        """Its state's name, ok, would tell nobody that there is nothing left to do."""
        for ep in control.views.episodes():
            if ep["id"] == self.episode and ep["state"] == "ok":
                raise OrderRefused(f"{self.episode} has ended already, at {ep['since']}")


class AckOrder(EpisodeOrder):
    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.episodes.ack(by, self.episode, self.reason, dry=self.dry)


class CloseOrder(EpisodeOrder):
    async def carry_out(self, by: Person, control: Control) -> Done:
        self.refuse_what_is_over(control)
        return control.orders.episodes.close(by, self.episode, self.reason, dry=self.dry)


class MarkOrder(EpisodeOrder):
    mark: Literal["true", "false", "explained", "drill"]

    async def carry_out(self, by: Person, control: Control) -> Done:
        return control.orders.episodes.mark(by, self.episode, self.mark, self.reason, dry=self.dry)


class ActOrder(EpisodeOrder):
    through_hold: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        self.refuse_what_is_over(control)
        return control.orders.episodes.act(
            by, self.episode, self.reason, through_hold=self.through_hold, dry=self.dry
        )


class ApproveOrder(EpisodeOrder):
    through_hold: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        self.refuse_what_is_over(control)
        return control.orders.approvals.approve(
            by, self.episode, self.reason, through_hold=self.through_hold, dry=self.dry
        )


class DenyOrder(EpisodeOrder):
    async def carry_out(self, by: Person, control: Control) -> Done:
        self.refuse_what_is_over(control)
        return control.orders.approvals.deny(by, self.episode, self.reason, dry=self.dry)


class RollbackOrder(Order):
    action: ActionName
    kind: Literal["executive", "community", "regulatory", "technical"]
    through_hold: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        return await control.orders.rollbacks.rollback(
            by, self.action, self.kind, self.reason, through_hold=self.through_hold, dry=self.dry
        )


class UndoOrder(Order):
    what: ActionName
    force: bool = False

    async def carry_out(self, by: Person, control: Control) -> Done:
        return await control.orders.rollbacks.undo(
            by, self.what, self.reason, force=self.force, dry=self.dry
        )


class TestResult(BaseModel):
    """What the unit tests of one rule's text said, where the command line ran them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    rule: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    passed: bool
    reason: Annotated[str, Field(max_length=300)]


class TestsOrder(Order):
    """Records what unit tests said. `data` tells which rules want some, and where the rules lie."""

    results: Annotated[list[TestResult], Field(max_length=100)] = []  # pydantic copies it

    async def carry_out(self, by: Person, control: Control) -> Done:
        results = [RuleTested(t.rule, t.sha256, t.passed, t.reason, by.name) for t in self.results]
        told = control.orders.proofs.take(by, results, dry=self.dry)
        data: dict[str, object] = {"wanted": list(control.orders.proofs.wanted())}
        if control.place is not None:
            data |= {
                "rules_dir": control.place.rules_dir,
                "environment": control.place.environment,
                "variables": dict(control.place.variables),
            }
        return Done("\n".join(told) or "nothing new is recorded", "tests", data)


class ApplyOrder(Order):
    async def carry_out(self, by: Person, control: Control) -> Done:
        return await control.apply(by, self.dry)


ORDERS: dict[str, type[Order]] = {
    "/v1/hold": HoldOrder,
    "/v1/release": ReleaseOrder,
    "/v1/deploy/begin": DeployBeginOrder,
    "/v1/deploy/end": DeployEndOrder,
    "/v1/deploy/unfreeze": UnfreezeOrder,
    "/v1/ack": AckOrder,
    "/v1/mark": MarkOrder,
    "/v1/tests": TestsOrder,
    "/v1/act": ActOrder,
    "/v1/approve": ApproveOrder,
    "/v1/deny": DenyOrder,
    "/v1/close": CloseOrder,
    "/v1/rollback": RollbackOrder,
    "/v1/undo": UndoOrder,
    "/-/reload": ApplyOrder,
}
"""Where each order is given; docs/api.md tells of them, and a test compares."""


def control_app(control: Control) -> Starlette:
    """The ASGI app of the control socket."""
    orders = [_order(path, control) for path in ORDERS]
    return Starlette(routes=[*orders, *_reads(control.views), _plan(control.orders)])


def _order(path: str, control: Control) -> Route:
    async def endpoint(request: Request) -> Response:
        return await _ordered(request, path, control)

    return Route(path, endpoint, methods=["POST"])


def _plan(orders: Orders) -> Route:
    async def plan(request: Request) -> Response:
        found = orders.plans.plan(request.path_params["what"])
        if isinstance(found, NoPlan):
            return Json({"refused": found.reason}, 404)
        return Json(found)

    return Route("/v1/plan/{what:path}", plan)


def _reads(views: Views) -> list[Route]:
    async def status(request: Request) -> Response:
        del request
        return Json(views.status())

    async def deploys(request: Request) -> Response:
        del request
        return Json(views.deploys())

    async def episodes(request: Request) -> Response:
        del request
        return Json(views.episodes())

    async def decisions(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not re.fullmatch(r"[0-9]{1,19}", after):
            return Json({"wrong": "after: write a whole number"}, 422)
        return Json(views.decisions(int(after)))

    async def why(request: Request) -> Response:
        name = request.path_params["rule"]
        found = views.why(name)
        return Json(found) if found else Json({"refused": views.no_rule(name)}, 404)

    return [
        Route("/v1/status", status),
        Route("/v1/deploys", deploys),
        Route("/v1/episodes", episodes),
        Route("/v1/decisions", decisions),
        Route("/v1/why/{rule:path}", why),
    ]


async def _ordered(
    request: Request,
    path: str,
    control: Control,
) -> Response:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            return Json({"wrong": f"more than {_MOST_BYTES} bytes"}, 413)
    try:
        by = await _person(request, control)
        found = await control.hand_on(path, body, by) if control.hand_on is not None else None
    except OrderRefused as refused:
        return Json({"refused": str(refused)}, 409)
    status, answer = found or await carried_out(path, body, by, control)
    return Json(answer, status)


async def carried_out(
    path: str, body: bytes, by: Person, control: Control
) -> tuple[int, dict[str, Any]]:
    """An order's HTTP status and answer."""
    try:
        order = ORDERS[path].model_validate_json(body or b"{}")
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors())
        return 422, {"wrong": told}
    try:
        done = await order.carry_out(by, control)
    except OrderRefused as refused:
        return 409, {"refused": str(refused)}
    return 200, {"effect": done.effect, "target": done.target, "data": done.data}


async def _person(request: Request, control: Control) -> Person:
    """The peer's uid is the actor; root alone does not count as a person unless it is said to.

    A directory of users that hangs delays nobody for long: who is not known has no rights by it,
    and may place a hold even so.
    """
    if request.client is None:
        raise OrderRefused("the peer is not known; orders come over the control socket alone")
    uid = int(request.client.host)
    try:
        async with asyncio.timeout(_DIRECTORY_SECONDS):
            account = await asyncio.to_thread(account_of, uid)
    except TimeoutError:
        account = Account()
    name = account.user or "unknown"
    return Person(f"{name} (uid {uid})", uid != 0 or control.root_is_person, account)
