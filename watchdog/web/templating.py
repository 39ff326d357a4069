"""From plain data to pages: escaped by the template engine throughout, a little at a time.

A page is made in pieces, between which the loop goes on. It works without a script: it then asks
for itself again, unless the reader wants it to stand still.
"""

from __future__ import annotations

import asyncio
import math
import shlex
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from watchdog.core.text import duration, number, percent
from watchdog.engine import Views
from watchdog.web.parameters import Flag

REFRESH_SECONDS = 5
STILL = Flag("still", "The page does not ask for itself again.")
_PIECES_AT_ONCE = 400

SECTIONS = (
    ("/", "Overview"),
    ("/rules", "Rules"),
    ("/episodes", "Episodes"),
    ("/actions", "Actions"),
    ("/decisions", "Decisions"),
)


class Templates:
    """Makes pages of one face."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._environment = _environment()

    async def page(self, request: Request, template: str, **shown: Any) -> Response:
        process, now = self._views.process, self._views.now()
        path, still = request.url.path, STILL.of(request)
        common = {
            "refresh": None if still else REFRESH_SECONDS,
            "still_address": _address(request, still=not still),
            "path": path,
            "section": next((at for at, _ in SECTIONS[1:] if path.startswith(at)), "/"),
            "sections": SECTIONS,
            "place": f"{process.environment} on {process.host}",
            "now": now,
        }
        pieces = []
        chosen = self._environment.get_template(template)
        for count, piece in enumerate(chosen.generate(**common, **shown)):
            pieces.append(piece)
            if count % _PIECES_AT_ONCE == 0:
                await asyncio.sleep(0)
        return HTMLResponse("".join(pieces))


def static(name: str) -> str:
    """A file that the pages need, from the package."""
    return files("watchdog.web").joinpath("static", name).read_text(encoding="utf-8")


def visible(value: str) -> str:
    """What would turn a line's direction, or steer a terminal into which a page is printed, is
    shown as a mark: others chose the texts of labels, silences and answers.
    """
    if value.isprintable():
        return value
    mark = "\N{REPLACEMENT CHARACTER}"
    return "".join(c if c.isprintable() or c.isspace() else mark for c in value)


def utc(wall: float) -> str:
    """Seconds since the epoch as the views write a time."""
    at = datetime.fromtimestamp(wall, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _address(request: Request, *, still: bool) -> str:
    query = [(k, v) for k, v in request.query_params.multi_items() if k != "still"]
    if still:
        query.append(("still", ""))
    return request.url.path + ("?" + urlencode(query) if query else "")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("watchdog.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_finalized,
    )
    environment.filters |= {
        "duration": lambda value: "" if value is None else duration(value),
        "about": lambda value: duration(round(value) if 10 <= value < math.inf else value),
        "number": lambda value: "" if value is None else number(value),
        "percent": lambda ratio: "" if ratio is None else percent(ratio),
        "clock": _clock,
        "day": lambda written: datetime.fromisoformat(written).strftime("%Y-%m-%d %H:%M:%SZ"),
        "utc": utc,
        "shell": shlex.quote,
        "words": lambda text: text.replace("_", " "),
    }
    return environment


def _finalized(value: object) -> object:
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return visible(value)


def _clock(written: str) -> str:
    """A time of the views, as short as can be understood: of today, UTC, the time of day."""
    at = datetime.fromisoformat(written)
    is_today = at.date() == datetime.now(UTC).date()
    return at.strftime("%H:%M:%SZ" if is_today else "%d %b %H:%M")
