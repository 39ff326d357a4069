"""The read-only JSON API: our own views, and Prometheus's two lists of rules and alerts."""

from __future__ import annotations

import re
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watchdog.engine import Views
from watchdog.web import prometheus_api
from watchdog.web.json_response import Json
from watchdog.web.timeline import Timelines

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}")
"""What may stand for a name in an address or a parameter."""

MOST_DECISIONS = 1000
USUAL_DECISIONS = 100


class Api:
    """One method an address."""

    def __init__(self, views: Views, timelines: Timelines) -> None:
        self._views = views
        self._timelines = timelines

    def status(self, request: Request) -> Response:
        del request
        return Json(self._views.status())

    def actions(self, request: Request) -> Response:
        del request
        return Json(self._views.actions())

    def episodes(self, request: Request) -> Response:
        """Newest first, each with its timeline."""
        del request
        return Json(
            [{**ep, "timeline": self._timelines.of(ep["id"])} for ep in self._views.episodes()]
        )

    def why(self, request: Request) -> Response:
        found = self._views.why(name_in(request))
        return Json(found) if found else Json({"wrong": "there is no such rule"}, 404)

    def decisions(self, request: Request) -> Response:
        """Oldest first. With `after`, the first ones behind it; without, the newest ones."""
        after = _whole(request, "after", most=2**62)
        limit = _whole(request, "limit", most=MOST_DECISIONS)
        rule = request.query_params.get("rule")
        if rule is not None and not NAME.fullmatch(rule):
            raise HTTPException(400)
        limit = USUAL_DECISIONS if limit is None else limit
        found: list[dict[str, Any]] = [
            one for one in self._views.decisions(after or 0) if rule in {None, one["rule"]}
        ]
        return Json(found[:limit] if after is not None else found[max(0, len(found) - limit) :])

    def rules(self, request: Request) -> Response:
        kind = request.query_params.get("type", "")
        if kind not in {"", "alert", "record"}:
            return Json(prometheus_api.wrong("type is alert or record"), 400)
        return Json(prometheus_api.answer(prometheus_api.rules(self._views, kind)))

    def alerts(self, request: Request) -> Response:
        del request
        return Json(prometheus_api.answer(prometheus_api.alerts(self._views)))


def name_in(request: Request) -> str:
    """The name in the address. Raises HTTPException for what cannot be one."""
    name = str(request.path_params["name"])
    if not NAME.fullmatch(name):
        raise HTTPException(404)
    return name


def _whole(request: Request, key: str, *, most: int) -> int | None:
    given = request.query_params.get(key)
    if given is None:
        return None
    if not re.fullmatch(r"[0-9]{1,19}", given) or int(given) > most:
        raise HTTPException(400)
    return int(given)
