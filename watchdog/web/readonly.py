"""The read-only face on loopback: metrics, health, API, page. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchdog.engine import Views
from watchdog.web.json_response import Json


@dataclass(frozen=True, slots=True)
class Health:
    """Each answers with the reason why not, or nothing when all is well."""

    healthy: Callable[[], str]
    ready: Callable[[], str]


def readonly_app(views: Views, health: Health, hosts: tuple[str, ...]) -> Starlette:
    """The ASGI app. `hosts` are the Host names under which it may be asked for."""

    async def status(request: Request) -> Response:
        del request
        return Json(views.status())

    async def healthy(request: Request) -> Response:
        del request
        return _well(health.healthy())

    async def ready(request: Request) -> Response:
        del request
        return _well(health.ready())

    return Starlette(
        routes=[
            Route("/-/healthy", healthy),
            Route("/-/ready", ready),
            Route("/api/v1/status", status),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))],
    )


def _well(why_not: str) -> Response:
    return PlainTextResponse(why_not or "ok", 503 if why_not else 200)
