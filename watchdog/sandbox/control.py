"""The control interface: how a test, the demo or a person makes the sandbox misbehave.

It has a port of its own, so that it still answers while the public one refuses connections.

    GET    /sandbox/state       flags, faults, traffic and counters at this instant
    POST   /sandbox/faults      {"on": "flag_write", "kind": "pretend"}: one more (see faults.py)
    DELETE /sandbox/faults      end all faults, or with ?on=PLACE those of one place
    POST   /sandbox/traffic     any of rate_per_second, error_ratio, latency_seconds
    POST   /sandbox/flags       {"flag": F, "enabled": true, "by": WHO}: changed behind the API
    POST   /sandbox/listener    {"open": false}: refuse connections
    POST   /sandbox/reset       as on the first day: flags, counts, faults, traffic, listener
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

    from watchdog.sandbox.faults import FaultBook
    from watchdog.sandbox.listener import Listener

_TRAFFIC = {"rate_per_second", "error_ratio", "latency_seconds"}


def control_routes(
    *,
    faults: FaultBook,
    shape_traffic: Callable[..., None],
    put_flag: Callable[[str, bool, str], dict[str, Any]],
    state: Callable[[], dict[str, Any]],
    start_over: Callable[[], None],
    public: Listener,
) -> list[Route]:
    """The routes of the control port. Each answers with the state after the change."""

    async def show(_request: Request) -> Response:
        return JSONResponse(state())

    async def add_fault(request: Request) -> Response:
        try:
            faults.add(await request.json())
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(state())

    async def clear_faults(request: Request) -> Response:
        faults.clear(request.query_params.get("on"))
        return JSONResponse(state())

    async def set_traffic(request: Request) -> Response:
        wanted: dict[str, float] = await request.json()
        if unknown := wanted.keys() - _TRAFFIC:
            return JSONResponse({"error": f"unknown: {sorted(unknown)}"}, status_code=400)
        shape_traffic(**wanted)
        return JSONResponse(state())

    async def set_flag(request: Request) -> Response:
        wanted: dict[str, Any] = await request.json()
        by = wanted.get("by", "somebody-else")
        return JSONResponse(put_flag(wanted["flag"], wanted["enabled"], by))

    async def set_listener(request: Request) -> Response:
        wanted: dict[str, Any] = await request.json()
        await (public.open() if wanted["open"] else public.close())
        return JSONResponse(state())

    async def reset(_request: Request) -> Response:
        start_over()
        await public.open()
        return JSONResponse(state())

    return [
        Route("/sandbox/state", show),
        Route("/sandbox/faults", add_fault, methods=["POST"]),
        Route("/sandbox/faults", clear_faults, methods=["DELETE"]),
        Route("/sandbox/traffic", set_traffic, methods=["POST"]),
        Route("/sandbox/flags", set_flag, methods=["POST"]),
        Route("/sandbox/listener", set_listener, methods=["POST"]),
        Route("/sandbox/reset", reset, methods=["POST"]),
    ]
