"""Documents for people, made out of the record: once as values, then as HTML or as Markdown.

Laws
* A paper's texts come from outside (a tool's output, a person's reason, a label): each renderer
  escapes all of them, and none is ever markup. What moves a cursor or turns a line stands escaped.
* The HTML is one file without any script; it forbids itself every request.
* Times are told in UTC and in local time.
"""

from watchdog.lab.papers.clock import Clock, lasted
from watchdog.lab.papers.html import html
from watchdog.lab.papers.markdown import markdown
from watchdog.lab.papers.paper import (
    Blank,
    Facts,
    Items,
    Output,
    Paper,
    Picture,
    Section,
    Table,
    Words,
)
from watchdog.lab.papers.plain import plain

__all__ = [
    "Blank",
    "Clock",
    "Facts",
    "Items",
    "Output",
    "Paper",
    "Picture",
    "Section",
    "Table",
    "Words",
    "html",
    "lasted",
    "markdown",
    "plain",
]
