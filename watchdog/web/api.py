"""The read-only JSON API: our own views, and Prometheus's two lists of rules and alerts."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watchdog.core.entries import Decided
from watchdog.core.naming import is_of
from watchdog.engine import Views
from watchdog.ports import JournalError
from watchdog.web import prometheus_api
from watchdog.web.decisions import Decisions, Page
from watchdog.web.json_response import Json
from watchdog.web.parameters import OneOf, RuleNamed, Whole, name_in
from watchdog.web.timeline import Timelines

AFTER = Whole("after", "The first ones whose `seq` is above this.", most=2**62)
BEFORE = Whole("before", "The last ones whose `seq` is below this; not with `after`.", most=2**62)
LIMIT = Whole("limit", "How many at most.", least=1, most=1000, usual=100)
RULE = RuleNamed("rule", "Of this rule alone, or of a family's members.")
TYPE = OneOf("type", "As Prometheus takes it; there are no recording rules.", ("alert", "record"))


class Api:
    """One method an address."""

    def __init__(self, views: Views, timelines: Timelines) -> None:
        self._views = views
        self._timelines = timelines
        self._decisions = Decisions(views)
        self._alerting = prometheus_api.AlertingRules(views)

    async def status(self, request: Request) -> Response:
        del request
        return await Json.in_pieces(await self._views.status_in_pieces())

    def actions(self, request: Request) -> Response:
        del request
        return Json(self._views.actions())

    async def episodes(self, request: Request) -> Response:
        """Newest first, each with its timeline."""
        del request
        return await Json.in_pieces(
            [{**ep, "timeline": self._timelines.of(ep["id"])} for ep in self._views.episodes()]
        )

    def deploys(self, request: Request) -> Response:
        del request
        return Json(self._views.deploys())

    def follow_ups(self, request: Request) -> Response:
        del request
        return Json(self._views.follow_ups())

    def measures(self, request: Request) -> Response:
        del request
        return Json(self._views.measures())

    def why(self, request: Request) -> Response:
        name = name_in(request)
        found = self._views.why(name)
        return Json(found) if found else Json({"wrong": self._views.no_rule(name)}, 404)

    async def decisions(self, request: Request) -> Response:
        """A page, oldest first: the newest ones, or those behind `after` or ahead of `before`.

        Where there may be more that way, the header Link names the next page's address.
        """
        after, before, rule = AFTER.of(request), BEFORE.of(request), RULE.of(request)
        limit = LIMIT.of(request) or LIMIT.most
        if after is not None and before is not None:
            raise HTTPException(400)
        try:
            page = await self._page(after, before, rule, limit)
        except JournalError:
            raise HTTPException(503) from None
        cursor = {"after": page.after, "before": page.before, "limit": limit, "rule": rule}
        return await Json.in_pieces(page.decisions, headers=_next(request, page, cursor))

    async def _page(
        self, after: int | None, before: int | None, rule: str | None, limit: int
    ) -> Page:
        def wanted(one: Decided) -> bool:
            return rule is None or is_of(one.rule, rule)

        if after is not None:
            return await self._decisions.after(after, wanted, limit)
        if before is not None:
            return await self._decisions.before(before, wanted, limit)
        return self._decisions.newest(wanted, limit)

    async def rules(self, request: Request) -> Response:
        try:
            kind = TYPE.of(request)
        except HTTPException:
            return Json(prometheus_api.wrong("type is alert or record"), 400)
        found = await self._alerting.told(kind)
        return await Json.in_pieces(prometheus_api.answer(found))

    def alerts(self, request: Request) -> Response:
        del request
        return Json(prometheus_api.answer(prometheus_api.alerts(self._views)))


def _next(request: Request, page: Page, cursor: dict[str, int | str | None]) -> dict[str, str]:
    """RFC 8288's header, where there is a page to go on to."""
    if page.after is None and page.before is None:
        return {}
    query = urlencode({key: value for key, value in cursor.items() if value is not None})
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}
