"""The pages: made on the server from plain data, escaped by the template engine throughout.

No script, nothing from elsewhere, one style sheet. What is shown is the moment at which the page
was made; it asks for itself again unless the reader wants it to stand still.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from datetime import datetime
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from watchdog.core.naming import is_of
from watchdog.core.text import duration, number, percent
from watchdog.engine import Views
from watchdog.web import advice
from watchdog.web.api import name_in
from watchdog.web.headline import headline
from watchdog.web.policy_load import PolicyLoad
from watchdog.web.timeline import Timelines

REFRESH_SECONDS = 5
DECISIONS_SHOWN = 20
ENDED_SHOWN = 10
_PIECES_AT_ONCE = 400

View = dict[str, Any]

_WORST_FIRST = {"breached": 0, "blind": 1, "healthy": 2}


class Pages:
    """The front page and a page for each rule."""

    def __init__(
        self,
        views: Views,
        timelines: Timelines,
        unhealthy: Callable[[], str],
        load: Callable[[], PolicyLoad],
    ) -> None:
        self._views = views
        self._timelines = timelines
        self._unhealthy = unhealthy
        self._load = load
        self._templates = _environment()

    async def front(self, request: Request) -> Response:
        status, load = self._views.status(), self._load()
        known = advice.known_rules(status["rules"])
        decisions = self._views.decisions()
        episodes = [self._told(ep, known) for ep in status["episodes"]]
        ended = [ep for ep in self._views.episodes() if ep["state"] == "ok"]
        return await self._page(
            request,
            "front.html",
            status=status,
            headline=headline(status, self._unhealthy()),
            load=load,
            policy_advice=advice.for_policy(load),
            frozen=[{**one, "advice": advice.for_frozen(one)} for one in status["frozen"]],
            holds=[{**hold, "advice": advice.for_hold(hold)} for hold in status["holds"]],
            silences=status["silences"],
            alertmanager=status["alertmanager"],
            episodes=sorted(episodes, key=lambda ep: ep["severity"]),
            ended=ended[:ENDED_SHOWN],
            rules=sorted(status["rules"], key=_concern),
            actions=[{**one, "advice": advice.for_action(one)} for one in status["actions"]],
            decisions=decisions[: -DECISIONS_SHOWN - 1 : -1],
            hold_all=advice.HOLD_ALL,
        )

    async def rule(self, request: Request) -> Response:
        found = self._views.why(name_in(request))
        if found is None:
            raise HTTPException(404)
        rule, ep = found["rule"], found["episode"]
        decisions = [one for one in self._views.decisions() if is_of(one["rule"], rule["name"])]
        return await self._page(
            request,
            "rule.html",
            why=found,
            rule=rule,
            episode=self._told(ep, frozenset({rule["name"]})) if ep else None,
            ended=[
                {**one, "timeline": self._timelines.of(one["id"])}
                for one in self._views.episodes()
                if is_of(one["rule"], rule["name"]) and one["state"] == "ok"
            ][:ENDED_SHOWN],
            decisions=decisions[: -DECISIONS_SHOWN - 1 : -1],
        )

    def _told(self, ep: View, known: frozenset[str]) -> View:
        """An open episode with its story and what can be done."""
        return {
            **ep,
            "advice": advice.for_episode(ep, rule_exists=ep["rule"] in known),
            "timeline": self._timelines.of(ep["id"]),
        }

    async def _page(self, request: Request, template: str, **shown: Any) -> Response:
        still = "still" in request.query_params
        now = self._views.present().now
        pieces = []
        for count, piece in enumerate(
            self._templates.get_template(template).generate(
                **shown, refresh=None if still else REFRESH_SECONDS, path=request.url.path, now=now
            )
        ):
            pieces.append(piece)
            if count % _PIECES_AT_ONCE == 0:
                await asyncio.sleep(0)
        return HTMLResponse("".join(pieces))


def static(name: str) -> str:
    """A file that the pages need, from the package."""
    return files("watchdog.web").joinpath("static", name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("watchdog.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_visible,
    )
    environment.filters |= {
        "duration": duration,
        "number": lambda value: "" if value is None else number(value),
        "percent": lambda ratio: "" if ratio is None else percent(ratio),
        "clock": _clock,
        "shell": shlex.quote,
        "words": lambda text: text.replace("_", " "),
    }
    return environment


def _visible(value: object) -> object:
    """What would turn a line's direction, or steer a terminal into which a page is printed, is
    shown as a mark: others chose the texts of labels, silences and answers.
    """
    if not isinstance(value, str) or hasattr(value, "__html__") or value.isprintable():
        return value
    mark = "\N{REPLACEMENT CHARACTER}"
    return "".join(c if c.isprintable() or c.isspace() else mark for c in value)


def _concern(rule: View) -> tuple[bool, int, str, str]:
    status = rule["verdict"]["status"] if rule["verdict"] else "blind"
    return rule["episode"] is None, _WORST_FIRST[status], rule["severity"], rule["name"]


def _clock(written: str) -> str:
    """A time of the views, as short as can be understood: the time of day, UTC."""
    at = datetime.fromisoformat(written)
    return at.strftime("%H:%M:%S") + "Z"
