"""The app process: flag API, status document, health and metrics, as on Mycelia's port 3000.

    python -m watchdog.sandbox.app --root DIR --port N

It prints one JSON line with its ports when it listens, and ends on SIGTERM. The flag ledger decides
what is served; a PUT that is applied is durable before it is answered. While redemption is off, no
redemption traffic flows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watchdog.sandbox.control import control_routes
from watchdog.sandbox.faults import answer_through
from watchdog.sandbox.inbox import Inbox
from watchdog.sandbox.listener import Listener, serve_until_terminated
from watchdog.sandbox.metrics import metrics_response
from watchdog.sandbox.mycelia import FirstDay, Mycelia, Wish
from watchdog.sandbox.places import Places, replace_json
from watchdog.sandbox.status import status_document

if TYPE_CHECKING:
    from starlette.requests import Request

    from watchdog.sandbox.faults import Fault
    from watchdog.sandbox.flags import Flag


def _refusal(mycelia: Mycelia, request: Request) -> Response | None:
    """Why this caller may not change flags, or None. Reads the token file each time."""
    expected = mycelia.places.governance_token.read_text(encoding="utf-8").strip()
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return problem(401, "a governance token is needed")
    if not secrets.compare_digest(given.strip().encode(), expected.encode()):
        return problem(403, "this token may not change flags")
    return None


def problem(status: int, message: str, **more: Any) -> Response:
    return JSONResponse({"error": message, **more}, status_code=status)


def _flag_response(flag: Flag) -> Response:
    return JSONResponse(flag.document(), headers={"etag": f'"{flag.version}"'})


async def _read_flag(request: Request) -> Response:
    mycelia: Mycelia = request.app.state.mycelia
    name = request.path_params["flag"]
    mycelia.flags.record_request(name, "GET", _caller(request))
    hits = mycelia.faults.strike("flag_read")

    async def answer() -> Response:
        flag = mycelia.flags.served(name, _lag_seconds(hits))
        return problem(404, f"no flag {name}") if flag is None else _flag_response(flag)

    return await answer_through(hits, answer)


async def _write_flag(request: Request) -> Response:
    mycelia: Mycelia = request.app.state.mycelia
    name = request.path_params["flag"]
    mycelia.flags.record_request(name, "PUT", _caller(request))
    hits = mycelia.faults.strike("flag_write")

    async def answer() -> Response:
        # The body comes first: between looking at the version and applying nobody else may run.
        body = await request.body()
        refusal = _refusal(mycelia, request)
        flag = mycelia.flags.stored(name)
        if refusal is not None:
            return refusal
        if flag is None:
            return problem(404, f"no flag {name}")
        wish = _wish(body, flag)
        if wish is None:
            return problem(400, "the body is a JSON object with `enabled`, `value` or both")
        wanted_version = request.headers.get("if-match", "").strip().strip('"')
        if wanted_version and wanted_version != str(flag.version):
            return problem(409, f"version is {flag.version}", version=flag.version)
        if "pretend" in hits:
            return _flag_response(replace(flag, enabled=wish.enabled, version=flag.version + 1))
        return _flag_response(mycelia.put_flag(name, wish, _caller(request)))

    return await answer_through(hits, answer)


async def _alertmanager_pauses(request: Request) -> Response:
    """Alertmanager's webhook: a firing alert switches the flag off. The watchdog's peer."""
    mycelia: Mycelia = request.app.state.mycelia
    name = request.path_params["flag"]
    mycelia.flags.record_request(name, "POST", "alertmanager")
    notice = await request.json()
    refusal = _refusal(mycelia, request)
    flag = mycelia.flags.stored(name)
    if refusal is not None:
        return refusal
    if flag is None:
        return problem(404, f"no flag {name}")
    if notice.get("status") == "firing":
        flag = mycelia.put_flag(name, Wish(enabled=False, value=flag.value), "alertmanager")
    return _flag_response(flag)


async def _status(request: Request) -> Response:
    mycelia: Mycelia = request.app.state.mycelia
    hits = mycelia.faults.strike("status")

    async def answer() -> Response:
        served = {
            name: flag
            for name in mycelia.flags.names()
            if (flag := mycelia.flags.served(name, _lag_seconds(hits))) is not None
        }
        document = status_document(mycelia.places, served, time.time())
        for fault in mycelia.faults.documents():
            if fault["on"] == "status" and fault["kind"] == "set":
                _put_at(document, fault["path"], fault["value"])
        return JSONResponse(document)

    return await answer_through(hits, answer)


async def _health(request: Request) -> Response:
    mycelia: Mycelia = request.app.state.mycelia

    async def answer() -> Response:
        return JSONResponse({"status": "ok"})

    return await answer_through(mycelia.faults.strike("health"), answer)


async def _metrics(request: Request) -> Response:
    mycelia: Mycelia = request.app.state.mycelia
    return await metrics_response(request, mycelia.workload, mycelia.faults)


def _caller(request: Request) -> str:
    return request.headers.get("x-mycelia-caller") or request.headers.get("user-agent", "unknown")


def _lag_seconds(hits: dict[str, Fault]) -> float:
    return hits["late"].number("seconds", 1.0) if "late" in hits else 0.0


def _put_at(document: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        document = document[parent]
    document[last] = value


def _wish(body: bytes, present: Flag) -> Wish | None:
    try:
        document = json.loads(body)
    except ValueError:
        return None
    if not isinstance(document, dict) or not document.keys() & {"enabled", "value"}:
        return None
    enabled = document.get("enabled", present.enabled)
    value = document.get("value", present.value)
    if not isinstance(enabled, bool) or not (value is None or isinstance(value, int)):
        return None
    return Wish(enabled=enabled, value=value)


def public_app(mycelia: Mycelia) -> Starlette:
    """What Mycelia's users and the watchdog see."""
    flag = "/api/feature-flags/{flag}"
    app = Starlette(
        routes=[
            Route(flag, _read_flag, methods=["GET"]),
            Route(flag, _write_flag, methods=["PUT"]),
            Route(f"{flag}/alertmanager", _alertmanager_pauses, methods=["POST"]),
            Route("/ops/status.json", _status),
            Route("/health", _health),
            Route("/metrics", _metrics),
            *Inbox().routes(),
        ]
    )
    app.state.mycelia = mycelia
    return app


async def _run(options: argparse.Namespace) -> None:
    places = Places(options.root.resolve())
    places.state.mkdir(parents=True, exist_ok=True)
    first = FirstDay(options.rate, options.error_series_from_start, options.unrelated_series)
    mycelia = Mycelia(places, first)
    public = Listener(public_app(mycelia), options.port, or_free=options.or_free_port)
    control = Listener(
        Starlette(
            routes=control_routes(
                faults=mycelia.faults,
                shape_traffic=mycelia.shape_traffic,
                put_flag=lambda name, enabled, by: mycelia.put_flag(
                    name, Wish(enabled=enabled, value=None), by
                ).document(),
                state=lambda: {"listening": public.is_open, **mycelia.state()},
                start_over=mycelia.start_over,
                public=public,
            )
        ),
        options.control_port,
    )
    ready = {"port": public.port, "control_port": control.port, "pid": os.getpid()}
    replace_json(places.app, ready)
    await serve_until_terminated([control, public], json.dumps(ready))


def main() -> None:
    """Parse the options and serve."""
    parser = argparse.ArgumentParser(prog="watchdog.sandbox.app", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the sandbox's folder")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--or-free-port", action="store_true", help="when --port is taken")
    parser.add_argument(
        "--control-port", type=int, default=0, help="for faults; 0 takes a free one"
    )
    parser.add_argument("--rate", type=float, default=200.0, help="redemption requests a second")
    parser.add_argument("--error-series-from-start", action="store_true")
    parser.add_argument("--unrelated-series", type=int, default=0)
    asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
