"""A real HTTP server before a real Prometheus that changes its answers when it is told to.

For what a healthy Prometheus cannot be made to answer at will: warnings, a second series, NaN,
old samples, a login page.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from tests.e2e.household import NO_TLS
from watchdog.sandbox.faults import LOGIN_PAGE
from watchdog.sandbox.listener import Listener

Tamper = Callable[[str, dict[str, Any]], Response | None]
"""(query, answer): changes the answer in place, or gives another response altogether."""

OLD_SECONDS = 3600.0


class Tampering:
    """Passes queries on; `tamper` is what is done to the answers from now on."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._listener = Listener(Starlette(routes=[Route("/api/v1/query", self._query)]), 0)
        self._web = httpx.AsyncClient(trust_env=False, timeout=5, verify=NO_TLS)
        self.tamper: Tamper = honest

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.port}"

    async def __aenter__(self) -> Self:
        await self._listener.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._listener.close()
        await self._web.aclose()

    async def _query(self, request: Request) -> Response:
        found = await self._web.get(
            f"{self._upstream}/api/v1/query", params=dict(request.query_params)
        )
        document = found.json()
        other = self.tamper(request.query_params["query"], document)
        return other or JSONResponse(document, found.status_code)


def _asks_for_times(query: str) -> bool:
    return query.startswith("timestamp(")


def honest(_query: str, _answer: dict[str, Any]) -> Response | None:
    return None


def warns(_query: str, answer: dict[str, Any]) -> Response | None:
    answer["warnings"] = ["remote_read: one of two stores did not answer"]
    return None


def not_a_number(query: str, answer: dict[str, Any]) -> Response | None:
    if not _asks_for_times(query):
        for row in _rows(answer):
            row["value"][1] = "NaN"
    return None


def two_series(query: str, answer: dict[str, Any]) -> Response | None:
    rows = _rows(answer)
    if not _asks_for_times(query) and rows:
        rows.append({**rows[0], "metric": {**rows[0]["metric"], "replica": "b"}})
    return None


def old_samples(query: str, answer: dict[str, Any]) -> Response | None:
    if _asks_for_times(query):
        for row in _rows(answer):
            row["value"][1] = str(float(row["value"][1]) - OLD_SECONDS)
    return None


def login_page(_query: str, _answer: dict[str, Any]) -> Response | None:
    return HTMLResponse(LOGIN_PAGE)


def _rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    data = answer["data"]
    rows: list[dict[str, Any]] = data["result"] if data["resultType"] == "vector" else []
    return rows
