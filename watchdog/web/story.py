"""One episode from its first bad sample to its end, as its page tells it.

The moments of its timeline are numbered, and the same numbers stand on the plot above it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from watchdog.core.book import MANUAL
from watchdog.core.text import shortened
from watchdog.engine import NoPlan, Views, decisions_of
from watchdog.plots import Mark
from watchdog.ports import JournalError
from watchdog.web import advice
from watchdog.web.chronicle import Chronicle
from watchdog.web.drawing import Figure, Span, episode_figure
from watchdog.web.timeline import Moment
from watchdog.web.trails import Trails

View = Mapping[str, Any]

_ON_PLOT = frozenset({"first_bad", "intent", "ended", "drift"})
_TO_COME = frozenset({"pending", "held", "awaiting", "shadowed"})
"""States in which the rung that the episode stands before was not tried."""

_LEAST_MARGIN_SECONDS = 20.0
_MARGIN = 0.12  # of the episode's length, on either side
_AFTER_SECONDS = 120.0
_LABEL = 90


class Story:
    """Tells episodes."""

    def __init__(self, views: Views, chronicle: Chronicle, trails: Trails) -> None:
        self._views = views
        self._chronicle = chronicle
        self._trails = trails

    def of(self, ep: View) -> View:
        """All that the page of an episode shows."""
        is_open, rule_exists = ep["state"] != "ok", self._views.spec(ep["rule"]) is not None
        moments = _numbered(ep, self._chronicle.timelines.of(ep["id"]))
        plan = self._views.plan(ep["id"]) if is_open else NoPlan("")
        briefs = self._chronicle.ledger.of_episode(ep["id"])
        return {
            "episode": ep,
            "is_open": is_open,
            "rule_exists": rule_exists,
            "by_hand": ep["rule"] == MANUAL,
            "advice": advice.for_episode(ep, rule_exists=rule_exists) if is_open else [],
            "moments": moments,
            "is_read": self._chronicle.is_read,
            "figure": self._figure(ep, moments),
            "messages": self._chronicle.timelines.messages(ep["id"]),
            "plan": None if isinstance(plan, NoPlan) else plan,
            "is_to_come": ep["state"] in _TO_COME,
            "no_plan": plan.reason if isinstance(plan, NoPlan) else "",
            "briefs": briefs,
            "decision": self._whole(briefs[-1].seq) if briefs else None,
        }

    def openings(self, episodes: Iterable[View]) -> list[Mark]:
        """When a rule's episodes began, for its own plots."""
        return [
            Mark(
                _wall(ep["opened"]),
                ep["id"],
                f"{ep['id']} opened: {shortened(ep['reason'], _LABEL)}",
            )
            for ep in episodes
        ]

    def _figure(self, ep: View, moments: list[View]) -> Figure | None:
        spec = self._views.spec(ep["rule"])
        if spec is None:
            return None
        now = self._views.now()
        measures = ep["measures"] or {}
        start = min(_wall(ep["opened"]), _wall(measures.get("first_bad") or ep["opened"]))
        last = max([_wall(ep["opened"]), *(_wall(one["at"]) for one in moments)])
        # What goes on for long after the last event would leave no room for the events.
        end = min(now.wall, last + max(_AFTER_SECONDS, 2 * (last - start)))
        end = end if ep["state"] != "ok" else _wall(ep["since"])
        margin = max(_LEAST_MARGIN_SECONDS, (end - start) * _MARGIN)
        span = Span(start - margin, min(end + margin, now.wall))
        marks = [
            Mark(_wall(one["at"]), str(one["number"]), shortened(one["text"], _LABEL))
            for one in moments
            if one["state"] or one["what"] in _ON_PLOT
        ]
        readings = self._chronicle.timelines.readings(ep["id"])
        return episode_figure(spec, self._trails.of(ep["rule"]), readings, now, span, marks)

    def _whole(self, seq: int) -> View | None:
        """A decision with every gate, as the journal has it."""
        try:
            found = list(self._views.recorded(seq - 1, 1))
        except JournalError:
            return None
        return next(iter(decisions_of(one for one in found if one.seq == seq)), None)


def _numbered(ep: View, moments: list[Moment]) -> list[View]:
    """With the first bad sample at their head, where it is known."""
    first_bad = (ep["measures"] or {}).get("first_bad")
    head = []
    if first_bad and moments:
        text = "the first bad sample was taken"
        head = [{"at": first_bad, "what": "first_bad", "text": text, "state": ""}]
    ordered = [*head, *moments]
    return [{**one, "number": number} for number, one in enumerate(ordered, 1)]


def _wall(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()
