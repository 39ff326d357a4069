"""The read-only face on loopback: pages, metrics, health, API. Nothing here changes anything.

Only GET and HEAD, save the doors by which senders who prove themselves tell of events and deploys
(`inbound/`); only under known Host names (so that no page elsewhere can make a browser read it by
renaming itself to our address), only fixed addresses. Answers are made one at a time, with a
pause of the loop between two, so that many readers delay each other and never the watching.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from watchdog.engine import Views
from watchdog.web.api import Api
from watchdog.web.chronicle import Chronicle
from watchdog.web.guard import Guard, refused
from watchdog.web.inbound import Inbound, inbound_routes
from watchdog.web.live import Live
from watchdog.web.metrics import Meters, encoded, families
from watchdog.web.pages import Pages
from watchdog.web.policy_load import PolicyLoad
from watchdog.web.templating import static
from watchdog.web.trails import Trails

Endpoint = Callable[[Request], Response | Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Health:
    """Each answers with the reason why not, or nothing when all is well."""

    healthy: Callable[[], str]
    ready: Callable[[], str]


def readonly_app(
    views: Views,
    health: Health,
    hosts: tuple[str, ...],
    meters: Meters | None = None,
    load: Callable[[], PolicyLoad] = PolicyLoad,
    inbound: Inbound | None = None,
) -> Starlette:
    """The ASGI app. `hosts` are the Host names under which it may be asked for.

    `meters` is given where it listens to the recorder already, and counts the sources' polls;
    without it, entries are counted from here on. `load` tells of the rules folder. `inbound` is
    what senders of events reach. `app.state.live.run` is to run beside it.
    """
    if meters is None:
        meters = Meters()
        views.listen(meters.heard)
    meters.effects_from(views.seconds_to_effect)
    meters.measures_from(views.measure)
    chronicle, trails = Chronicle(views), Trails()
    live = Live(views, chronicle, trails)
    pages = Pages(views, chronicle, trails, health.healthy, load)
    api = Api(views, chronicle.timelines)
    app = Starlette(
        routes=[
            *_health(health),
            *_answers(views, meters, load, api, pages),
            Route("/live", live.stream),
            *(inbound_routes(inbound) if inbound is not None else ()),
            _static("/static/style.css", "style.css", "text/css"),
            _static("/static/live.js", "live.js", "text/javascript"),
            _static("/static/icon.svg", "icon.svg", "image/svg+xml"),
            _static("/api/v1/openapi.json", "openapi.json", "application/json"),
        ],
        middleware=[
            Middleware(Guard),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
        exception_handlers={HTTPException: refused},
    )
    app.router.redirect_slashes = False
    app.state.live = live
    return app


def _answers(
    views: Views, meters: Meters, load: Callable[[], PolicyLoad], api: Api, pages: Pages
) -> list[BaseRoute]:
    async def metrics(request: Request) -> Response:
        found = families(views, meters, load())
        page, content_type = await encoded(found, request.headers.get("accept", ""))
        return Response(page, headers={"Content-Type": content_type})

    turn = asyncio.Lock()
    endpoints: dict[str, Endpoint] = {
        "/": pages.front,
        "/rules": pages.rules,
        "/rules/{name:path}": pages.rule,
        "/episodes": pages.episodes,
        "/episodes/{name}": pages.episode,
        "/actions": pages.actions,
        "/decisions": pages.decisions,
        "/decisions/{seq}": pages.decision,
        "/metrics": metrics,
        "/api/v1/status": api.status,
        "/api/v1/rules": api.rules,
        "/api/v1/alerts": api.alerts,
        "/api/v1/decisions": api.decisions,
        "/api/v1/actions": api.actions,
        "/api/v1/episodes": api.episodes,
        "/api/v1/deploys": api.deploys,
        "/api/v1/follow-ups": api.follow_ups,
        "/api/v1/measures": api.measures,
        "/api/v1/why/{name:path}": api.why,
    }
    return [Route(path, _in_turn(endpoint, turn)) for path, endpoint in endpoints.items()]


def _in_turn(endpoint: Endpoint, turn: asyncio.Lock) -> Callable[[Request], Awaitable[Response]]:
    """Made alone; sent beside the others, so that a slow reader holds up nobody."""

    async def answer(request: Request) -> Response:
        async with turn:
            await asyncio.sleep(0)
            made = endpoint(request)
            return await made if inspect.isawaitable(made) else made

    return answer


def _health(health: Health) -> list[BaseRoute]:
    async def healthy(request: Request) -> Response:
        del request
        return _well(health.healthy())

    async def ready(request: Request) -> Response:
        del request
        return _well(health.ready())

    return [Route("/-/healthy", healthy), Route("/-/ready", ready)]


def _static(path: str, name: str, media_type: str) -> Route:
    text = static(name)

    async def file(request: Request) -> Response:
        del request
        return Response(text, media_type=media_type, headers={"Cache-Control": "max-age=300"})

    return Route(path, file)


def _well(why_not: str) -> Response:
    return PlainTextResponse(why_not or "ok", 503 if why_not else 200)
