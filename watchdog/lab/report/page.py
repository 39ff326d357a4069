"""The report as one HTML file: tables, and plots that can be zoomed. It asks nobody for anything.

Plotly's script comes from the installed package and lies in the page; the page forbids itself
every request. Text from rules and incidents is data or escaped, never markup.
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from watchdog.core.naming import is_of
from watchdog.core.spec import Slo
from watchdog.core.text import duration, number, percent
from watchdog.core.words import Status
from watchdog.lab.backtest.against import Comparison
from watchdog.lab.backtest.run import Run
from watchdog.lab.backtest.score import Score
from watchdog.lab.report.document import document, iso

_MOST_EPISODES = 500


class PlotlyMissing(Exception):
    """The report's library is not installed; the message says how to get it."""


def page(
    run: Run,
    scored: Score | None,
    comparison: Comparison | None = None,
    sweep: dict[str, Any] | None = None,
) -> str:
    """The whole file. `sweep` is a tuning's document. Raises PlotlyMissing."""
    found = document(run, scored)
    return render(
        {
            "title": f"{run.stage.policy.environment}, "
            f"{day(run.span.start)} to {day(run.span.end)}",
            "found": found,
            "episodes": found["episodes"][:_MOST_EPISODES],
            "wrong": set(found["score"]["false_episodes"]) if scored is not None else set(),
            "comparison": comparison.document() if comparison is not None else None,
            "sweep": sweep,
        },
        {
            "span": [iso(run.span.start), iso(run.span.end)],
            "rules": [_plot(run, name, scored) for name in run.stage.policy.rules],
            "sweep": sweep,
        },
    )


def render(shown: dict[str, Any], data: dict[str, Any]) -> str:
    """Raises PlotlyMissing."""
    environment = Environment(
        loader=PackageLoader("watchdog.lab.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        seconds=lambda value: "" if value is None else duration(value),
        share=lambda value: "none" if value is None else percent(value),
        number=lambda value: "" if value is None else number(value),
        clock=lambda value: (value or "")[:19].replace("T", " "),
    )
    here = files("watchdog.lab.report").joinpath("templates")
    return environment.get_template("report.html").render(
        **shown,
        style=here.joinpath("report.css").read_text(encoding="utf-8"),
        script=here.joinpath("report.js").read_text(encoding="utf-8"),
        plotly=_plotly(),
        data=embedded(data),
    )


def embedded(data: Any) -> str:
    """JSON that cannot end the script element in which it stands."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def day(at: float) -> str:
    return (iso(at) or "")[:16].replace("T", " ")


def _plotly() -> str:
    try:
        return files("plotly").joinpath("package_data/plotly.min.js").read_text(encoding="utf-8")
    except (ModuleNotFoundError, OSError):
        raise PlotlyMissing(
            "The report's plots need plotly, which is not installed: "
            "pip install 'slo-watchdog[lab]'. Without it: --json"
        ) from None


def _plot(run: Run, name: str, scored: Score | None) -> dict[str, Any]:
    """One rule's line, its bound, its firings and the incidents that concern it."""
    trace = run.traces[name]
    rule = run.stage.policy.rules[name]
    slo = isinstance(rule.signal, Slo)
    pairs = zip(trace.times, trace.values, trace.limits, strict=True)
    points = [(at, value / limit if slo else value) for at, value, limit in pairs]
    # A line breaks where the rule was blind: nothing was measured there.
    blind = [(turn.at, None) for turn in trace.turns if turn.status is Status.BLIND]
    line = sorted([*points, *blind], key=lambda point: point[0])
    limit = 1.0 if slo else (trace.limits[0] if trace.limits else None)
    fired = [each for each in run.firings if is_of(each.rule, name) and each.fired_at is not None]
    incidents = [] if scored is None else [d.incident for d in scored.detections]
    return {
        "name": name,
        "unit": "burn / factor" if slo else "value",
        "times": [iso(at) for at, _ in line],
        "values": [value for _, value in line],
        "limit": limit,
        "fired": [
            {
                "at": iso(f.fired_at),
                "acted": f.acted_at is not None,
                "text": f"{f.episode}: {f.reason}",
            }
            for f in fired
        ],
        "incidents": [
            {"start": iso(i.start), "end": iso(i.end), "name": i.name or i.severity.value}
            for i in incidents
            if i.concerns(rule)
        ],
    }
