"""A paper as one HTML file: no script, no request, plots as SVG, in light, in dark and in print."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from watchdog.core.text import printable
from watchdog.lab.papers.paper import Paper
from watchdog.lab.papers.plain import calm
from watchdog.plots.svg import svg, told

_ROOM = "watchdog.lab.papers"


def html(paper: Paper) -> str:
    environment = Environment(
        loader=PackageLoader(_ROOM, "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        calm=calm,
        lines=lambda text: "\n".join(printable(line) for line in text.splitlines()),
        kind=lambda block: type(block).__name__,
        picture=svg,  # which escapes what it is given, and is shown as it makes it
        told=told,
    )
    style = files(_ROOM).joinpath("templates", "paper.css").read_text(encoding="utf-8")
    return environment.get_template("paper.html").render(paper=paper, style=style)
