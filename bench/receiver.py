"""The peer's hand: takes Alertmanager's webhook and switches the flag off by one PUT.

    python -m bench.receiver --lanes FILE

FILE is JSON: lane -> {"url": address of the flags, "token": bearer}. It prints one JSON line with
its port when it listens, keeps its connections open, and ends on SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from watchdog.sandbox.listener import Listener, serve_until_terminated

NAME = "bench-receiver"


def receiver_app(lanes: dict[str, Any], client: httpx.AsyncClient) -> Starlette:
    """One route; a firing alert's labels `lane` and `flag` say what goes off."""

    async def hook(request: Request) -> Response:
        notice = await request.json()
        for alert in notice["alerts"]:
            if alert["status"] == "firing":
                lane = lanes[alert["labels"]["lane"]]
                url = f"{lane['url']}/{alert['labels']['flag']}"
                headers = {"authorization": f"Bearer {lane['token']}", "user-agent": NAME}
                answer = await client.put(url, json={"enabled": False}, headers=headers)
                answer.raise_for_status()
        return JSONResponse({})

    return Starlette(routes=[Route("/", hook, methods=["POST"])])


async def _run(lanes: dict[str, Any]) -> None:
    async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
        listener = Listener(receiver_app(lanes, client), 0)
        await serve_until_terminated(
            [listener], json.dumps({"port": listener.port, "pid": os.getpid()})
        )


def main() -> None:
    """Parse the options and serve."""
    parser = argparse.ArgumentParser(prog="bench.receiver", description=__doc__)
    parser.add_argument("--lanes", type=Path, required=True, help="lane -> url and token")
    lanes = json.loads(parser.parse_args().lanes.read_text(encoding="utf-8"))
    asyncio.run(_run(lanes))


if __name__ == "__main__":
    main()
