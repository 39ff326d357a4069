"""The pages: one method an address. Each shows the moment at which it was made.

Read only. For each thing to do they show the exact command (`advice.py`); what they remember of
the past comes from `chronicle.py` and `trails.py`, and is bounded.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from watchdog.core.entries import Decided, Ruling
from watchdog.core.words import Status
from watchdog.engine import NoPlan, Views, decisions_of
from watchdog.ports import JournalError
from watchdog.web import advice
from watchdog.web.chronicle import Chronicle
from watchdog.web.decisions import Decisions
from watchdog.web.drawing import SPANS, USUAL_SPAN, Span, Sparks, rule_figures
from watchdog.web.headline import headline
from watchdog.web.ledger import Brief, Query, brief_of
from watchdog.web.parameters import OneOf, RuleNamed, Text, Whole, name_in
from watchdog.web.policy_load import PolicyLoad
from watchdog.web.rule_text import rule_text
from watchdog.web.story import Story
from watchdog.web.templating import Templates
from watchdog.web.trails import Trails

ROWS_AT_FRONT = 40
ROWS = 100
BRIEFS = 50
BRIEFS_AT_FRONT = 8
ENDED_AT_FRONT = 6
ENDED = 50
LAST_MOMENTS = 4
CHECKS = frozenset({"verified", "checked"})
"""Moments that an episode's facts tell in one line."""
_OLDER_ENTRIES = 200
"""Of the journal read for a page of decisions that the ledger does not reach."""

View = Mapping[str, Any]

_WORST_FIRST = {Status.BREACHED.value: 0, Status.BLIND.value: 1, Status.HEALTHY.value: 2}

RULE_WORDS = Text("q", "Words of name or owner.")
STATUS = OneOf("status", "Those that stand so.", tuple(_WORST_FIRST), lenient=True)
FROM = Whole("from", "How many to pass over.")
SPAN = OneOf(
    "span", f"How far back plots go; {USUAL_SPAN} when left out.", tuple(SPANS), lenient=True
)
DECISION_WORDS = Text("q", "Words of rule, episode, action or reason, all of them there.")
RULING = OneOf("ruling", "Those that ruled so.", tuple(ruling.value for ruling in Ruling))
RULE = RuleNamed("rule", "Of one rule, or of a family's members.")
BEFORE = Whole("before", "Those ahead of this `seq`.")


class Pages:
    """All pages of one face."""

    def __init__(
        self,
        views: Views,
        chronicle: Chronicle,
        trails: Trails,
        unhealthy: Callable[[], str],
        load: Callable[[], PolicyLoad],
    ) -> None:
        self._views = views
        self._chronicle = chronicle
        self._trails = trails
        self._sparks = Sparks(trails)
        self._unhealthy = unhealthy
        self._load = load
        self._templates = Templates(views)
        self._decisions = Decisions(views, _OLDER_ENTRIES)
        self._story = Story(views, chronicle, trails)

    async def front(self, request: Request) -> Response:
        status, load = self._views.overview(), self._load()
        known = advice.known_rules(status["rules"])
        episodes = [self._told(ep, known) for ep in status["episodes"]]
        rules = sorted(status["rules"], key=_concern)
        return await self._templates.page(
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
            ended=self._views.ended(ENDED_AT_FRONT),
            counts=_counts(rules),
            rows=[self._row(one["name"]) for one in rules[:ROWS_AT_FRONT]],
            actions=status["actions"],
            briefs=self._chronicle.ledger.found(Query(), None, BRIEFS_AT_FRONT),
            hold_all=advice.HOLD_ALL,
        )

    async def rules(self, request: Request) -> Response:
        text, status, first = RULE_WORDS.of(request), STATUS.of(request), FROM.of(request) or 0
        words = text.casefold().split()
        every = self._views.overview()["rules"]
        found = [
            one
            for one in sorted(every, key=_concern)
            if (not status or _status(one) == status)
            and all(word in f"{one['name']} {one['owner']}".casefold() for word in words)
        ]
        return await self._templates.page(
            request,
            "rules.html",
            counts=_counts(every),
            found=len(found),
            rows=[self._row(one["name"]) for one in found[first : first + ROWS]],
            first=first,
            rows_a_page=ROWS,
            q=text,
            status=status,
            statuses=tuple(_WORST_FIRST),
        )

    async def rule(self, request: Request) -> Response:
        name = name_in(request)
        found, spec = self._views.why(name), self._views.spec(name)
        if found is None or spec is None:
            raise HTTPException(404)
        rule, ep, now = found["rule"], found["episode"], self._views.now()
        span = SPAN.of(request) or USUAL_SPAN
        trail = self._trails.of(name)
        plan = self._views.plan(name)
        ended = self._views.ended(ENDED, name)
        return await self._templates.page(
            request,
            "rule.html",
            why=found,
            rule=rule,
            episode=self._told(ep, frozenset({rule["name"]})) if ep else None,
            figures=rule_figures(
                spec,
                trail,
                now,
                Span.until(now, SPANS[span], trail),
                self._story.openings([*([ep] if ep else []), *ended]),
            )
            if trail is not None
            else [],
            spans=tuple(SPANS),
            span=span,
            plan=None if isinstance(plan, NoPlan) else plan,
            no_plan=plan.reason if isinstance(plan, NoPlan) else "",
            text=rule_text(spec.where, self._views.texts()),
            history=self._chronicle.history.of(name),
            ended=ended[:20],
            briefs=self._chronicle.ledger.found(Query(rule=name), None, BRIEFS_AT_FRONT),
        )

    async def episodes(self, request: Request) -> Response:
        every = self._views.overview()
        known = advice.known_rules(every["rules"])
        return await self._templates.page(
            request,
            "episodes.html",
            episodes=sorted(
                (self._told(ep, known) for ep in every["episodes"]), key=lambda ep: ep["severity"]
            ),
            ended=self._views.ended(ENDED),
        )

    async def episode(self, request: Request) -> Response:
        ep = self._views.one_episode(name_in(request))
        if ep is None:
            raise HTTPException(404)
        return await self._templates.page(request, "episode.html", **self._story.of(ep))

    async def actions(self, request: Request) -> Response:
        found = self._views.actions()
        overview = self._views.overview()
        frozen = {one["target"]: one for one in overview["frozen"]}
        return await self._templates.page(
            request,
            "actions.html",
            actions=[{**one, "advice": advice.for_action(one)} for one in found],
            frozen=frozen,
            drills=overview["drills"],
            hold_all=advice.HOLD_ALL,
        )

    async def decisions(self, request: Request) -> Response:
        text, ruling = DECISION_WORDS.of(request), RULING.of(request)
        rule, before = RULE.of(request) or "", BEFORE.of(request)
        query = Query.of(text, ruling, rule)
        ledger = self._chronicle.ledger
        found = await ledger.searched(query, before, BRIEFS + 1)
        older: int | None = found[BRIEFS - 1].seq if len(found) > BRIEFS else None
        found = found[:BRIEFS]
        if older is None:
            found, older = await self._further_back(query, before, found)
        return await self._templates.page(
            request,
            "decisions.html",
            briefs=found,
            q=text,
            ruling=ruling,
            rule=rule,
            rulings=RULING.words,
            older=older,
            before=before,
            known=len(ledger),
        )

    async def _further_back(
        self, query: Query, before: int | None, found: list[Brief]
    ) -> tuple[list[Brief], int | None]:
        """What the ledger forgot stands in the journal: a bounded part of it is read at a time."""
        oldest = self._chronicle.ledger.oldest
        cursor = oldest if before is None or before > oldest else before
        if found or cursor <= 1:
            return found, cursor if found and cursor > 1 else None
        try:
            page = await self._decisions.before(cursor, query.wants_entry, BRIEFS)
        except JournalError:
            raise HTTPException(503) from None
        return [brief_of(one) for one in reversed(page.decisions)], page.before

    async def decision(self, request: Request) -> Response:
        text = str(request.path_params["seq"])
        if not re.fullmatch(r"[1-9][0-9]{0,18}", text):
            raise HTTPException(404)
        try:
            found = list(self._views.recorded(int(text) - 1, 1))
        except JournalError:
            raise HTTPException(503) from None
        if not found or found[0].seq != int(text) or not isinstance(found[0].entry, Decided):
            raise HTTPException(404)
        (shown,) = decisions_of(found)
        known = self._views.spec(shown["rule"]) is not None
        return await self._templates.page(request, "decision.html", one=shown, rule_exists=known)

    def _told(self, ep: View, known: frozenset[str]) -> View:
        """An open episode with the end of its story, and what can be done."""
        spec = self._views.spec(ep["rule"])
        story = self._chronicle.timelines.of(ep["id"])
        return {
            **ep,
            "advice": advice.for_episode(ep, rule_exists=ep["rule"] in known),
            "timeline": [one for one in story if one["what"] not in CHECKS][-LAST_MOMENTS:],
            "spark": self._sparks.of(spec, self._views.now()) if spec is not None else "",
        }

    def _row(self, name: str) -> View:
        row, spec = self._views.row(name), self._views.spec(name)
        if row is None or spec is None:
            raise HTTPException(503)  # the policy was changed while the page was made
        return {**row, "spark": self._sparks.of(spec, self._views.now())}


def _counts(rules: list[View]) -> list[tuple[str, int]]:
    """How many rules stand so, the worst first."""
    found = Counter(_status(one) for one in rules)
    return [(status, found[status]) for status in _WORST_FIRST if found[status]]


def _status(rule: View) -> str:
    return str(rule["verdict"]["status"]) if rule["verdict"] else Status.BLIND.value


def _concern(rule: View) -> tuple[bool, int, str, str]:
    return rule["episode"] is None, _WORST_FIRST[_status(rule)], rule["severity"], rule["name"]
