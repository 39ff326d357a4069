"""The metrics page, and a process of its own that serves it beside the app.

    python -m watchdog.sandbox.metrics --root DIR --port N

As a process of its own it can die or hang while the flag API lives. It shows the very same
counters, since both compute them from the workload file (see workload.py).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from watchdog.sandbox import exposition
from watchdog.sandbox import workload as workloads
from watchdog.sandbox.faults import FaultBook, answer_through
from watchdog.sandbox.listener import Listener, serve_until_terminated
from watchdog.sandbox.places import Places

if TYPE_CHECKING:
    from starlette.requests import Request

    from watchdog.sandbox.workload import Workload


async def metrics_response(request: Request, workload: Workload, faults: FaultBook) -> Response:
    """The page of this instant, in the format the scraper asks for, with the faults in force."""
    hits = faults.strike("metrics")
    openmetrics = "application/openmetrics-text" in request.headers.get("accept", "")

    async def answer() -> Response:
        at = time.monotonic()
        if "freeze" in hits:
            at = hits["freeze"].number("at_monotonic", at)
        stamped = None
        if "old_timestamps" in hits:
            stamped = time.time() - hits["old_timestamps"].number("seconds", 3600)
        dress = exposition.Dress(openmetrics, "nan" in hits, stamped)
        media = exposition.OPENMETRICS_TYPE if openmetrics else exposition.TEXT_TYPE
        body = exposition.page(workload, workload.counts(at), dress)
        return Response(body, headers={"content-type": media})

    return await answer_through(hits, answer)


async def _metrics(request: Request) -> Response:
    workload = workloads.load(request.app.state.places.workload)
    if workload is None:
        return Response("the app has never run", status_code=503)
    return await metrics_response(request, workload, request.app.state.faults)


async def _run(places: Places, port: int) -> None:
    app = Starlette(routes=[Route("/metrics", _metrics)])
    app.state.places = places
    app.state.faults = FaultBook(app.state.places.faults)
    listener = Listener(app, port)
    await serve_until_terminated(
        [listener], json.dumps({"port": listener.port, "pid": os.getpid()})
    )


def main() -> None:
    """Parse the options and serve."""
    parser = argparse.ArgumentParser(prog="watchdog.sandbox.metrics", description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the sandbox's folder")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    options = parser.parse_args()
    asyncio.run(_run(Places(options.root.resolve()), options.port))


if __name__ == "__main__":
    main()
