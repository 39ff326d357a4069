"""Plots as SVG text: made on the server, shown by a browser without any script.

Law: a plot holds numbers, times and classes, never a colour or a style: the page's own style sheet
decides how it looks, in light and dark, and a strict Content-Security-Policy lets it stand. It says
in words what it shows, for those who do not see it. It knows nothing of rules and verdicts.
"""

from watchdog.plots.plot import Bound, Line, Mark, Plot, Stretch
from watchdog.plots.spark import spark
from watchdog.plots.svg import kind_of, svg

__all__ = ["Bound", "Line", "Mark", "Plot", "Stretch", "kind_of", "spark", "svg"]
