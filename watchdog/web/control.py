"""The control socket: orders, with the peer's uid as the actor, and the present for commands."""

from __future__ import annotations

import asyncio
import os
import re

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchdog.core.rights import Account
from watchdog.engine import NoPlan, OrderRefused, Orders, Person, Views
from watchdog.web.accounts import account_of
from watchdog.web.json_response import Json
from watchdog.web.ordering import ORDERS, Control, carried_out, understood

_MOST_BYTES = 64 * 1024
_DIRECTORY_SECONDS = 2.0


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
        return await Json.in_pieces(await views.status_in_pieces())

    async def deploys(request: Request) -> Response:
        del request
        return Json(views.deploys())

    async def follow_ups(request: Request) -> Response:
        del request
        return Json(views.follow_ups())

    async def episodes(request: Request) -> Response:
        del request
        return await Json.in_pieces(views.episodes())

    async def decisions(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not re.fullmatch(r"[0-9]{1,19}", after):
            return Json({"wrong": "after: write a whole number"}, 422)
        return await Json.in_pieces(views.decisions(int(after)))

    async def why(request: Request) -> Response:
        name = request.path_params["rule"]
        found = views.why(name)
        return Json(found) if found else Json({"refused": views.no_rule(name)}, 404)

    return [
        Route("/v1/status", status),
        Route("/v1/deploys", deploys),
        Route("/v1/episodes", episodes),
        Route("/v1/follow-ups", follow_ups),
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
    wrong = understood(path, body)
    if isinstance(wrong, str):
        return Json({"wrong": wrong}, 422)
    try:
        by = await _person(request, control)
        found = await control.hand_on(path, body, by) if control.hand_on is not None else None
    except OrderRefused as refused:
        return Json({"refused": str(refused)}, 409)
    status, answer = found or await carried_out(path, body, by, control)
    return Json(answer, status)


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
    counts = uid != 0 or control.root_is_person
    return Person(f"{name} (uid {uid})", counts, account, itself=uid == os.geteuid())
