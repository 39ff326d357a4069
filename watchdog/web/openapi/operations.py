"""What each address of the read-only port takes and answers, by the code's own types.

A test holds that these are the addresses that there are, and that what is answered has the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from typing_extensions import TypedDict

from watchdog.engine import (
    ActionShape,
    DecisionShape,
    DeploysShape,
    EpisodeShape,
    FollowUpShape,
    PeriodShape,
    StatusShape,
    WhyShape,
)
from watchdog.web import api, pages, templating
from watchdog.web.inbound.answers import Answer
from watchdog.web.inbound.bodies import Event, Webhook
from watchdog.web.inbound.pipelines import PipelineWord
from watchdog.web.parameters import Parameter
from watchdog.web.prometheus_api import AlertsShape, GroupsShape

PLAIN, HTML, JSON = "text/plain", "text/html", "application/json"
EVENTS = "text/event-stream"
OPENMETRICS = "application/openmetrics-text"


class MomentShape(TypedDict):
    at: str
    what: str
    text: str
    state: str


class ToldEpisodeShape(EpisodeShape):
    timeline: list[MomentShape]


class RulesAnswer(TypedDict):
    status: str
    data: GroupsShape


class AlertsAnswer(TypedDict):
    status: str
    data: AlertsShape


class PrometheusRefusal(TypedDict):
    status: str
    errorType: str
    error: str


class WrongShape(TypedDict):
    wrong: str


class RefusedShape(TypedDict):
    refused: str


class BroughtShape(TypedDict):
    recorded: int
    known: int


class RecordedShape(TypedDict):
    recorded: str


class DeployToldShape(TypedDict):
    deploy: str
    id: str
    target: str
    until: str
    outcome: str | None
    known: bool


class AnsweredShape(TypedDict):
    effect: str
    known: bool


@dataclass(frozen=True, slots=True)
class Answers:
    """One status of an address. `forms` are media types, JSON with its shape, others with none."""

    about: str
    forms: dict[str, Any]
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """`security` names schemes that must all be met; none where anybody may ask."""

    name: str
    about: str
    answers: dict[int, Answers]
    parameters: tuple[Parameter, ...] = ()
    body: type[BaseModel] | None = None
    security: tuple[str, ...] = ()


def _plain(status: HTTPStatus, about: str, *headers: str) -> dict[int, Answers]:
    return {status.value: Answers(about, {PLAIN: None}, headers)}


_EVERYWHERE = {
    **_plain(HTTPStatus.BAD_REQUEST, "An unknown Host name, or a parameter that makes no sense."),
    **_plain(HTTPStatus.INTERNAL_SERVER_ERROR, "A bug; the log has it."),
    **_plain(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections, or it cannot be told now."),
}
_NOT_THERE = _plain(HTTPStatus.NOT_FOUND, "There is nothing of that name.")


def _json(shape: Any, about: str, *headers: str) -> dict[int, Answers]:
    return {200: Answers(about, {JSON: shape}, headers)}


def _read(name: str, about: str, shape: Any, **more: Any) -> Operation:
    return Operation(name, about, {**_json(shape, "The answer."), **_EVERYWHERE}, **more)


def _page(name: str, about: str, *parameters: Parameter, named: bool = False) -> Operation:
    found = {200: Answers("The page.", {HTML: None})} | (_NOT_THERE if named else {})
    return Operation(name, about, {**found, **_EVERYWHERE}, (*parameters, templating.STILL))


def _file(name: str, media_type: str) -> Operation:
    found = {200: Answers("A file that the pages need.", {media_type: None})}
    return Operation(name, "Of the pages.", {**found, **_EVERYWHERE})


def _well(name: str, about: str) -> Operation:
    return Operation(name, about, {200: Answers("ok", {PLAIN: None}), **_EVERYWHERE})


_SIGNED = ("channel", "timestamp", "signature")
_REFUSED = {JSON: RefusedShape}
_WRONG = {JSON: WrongShape}


def _door(  # what makes a door another than its neighbours
    name: str, about: str, shape: Any, body: type[BaseModel], security: tuple[str, ...]
) -> Operation:
    answers = {
        **_EVERYWHERE,
        **_json(shape, "It is on record, durably."),
        400: Answers("An unknown Host name, or the body was cut off.", {PLAIN: None, **_REFUSED}),
        401: Answers("Not authenticated, whatever else is wrong.", _REFUSED, ("WWW-Authenticate",)),
        408: Answers("The body did not come in time.", _REFUSED),
        413: Answers("The body is too large.", _WRONG),
        422: Answers("The body says something else; `wrong` names it.", _WRONG),
        429: Answers("Too much at once.", _REFUSED, ("Retry-After",)),
        503: Answers(
            "It cannot be recorded, nobody can be believed, or too many connections.",
            {PLAIN: None, **_REFUSED},
        ),
    }
    if security == _SIGNED:
        answers[409] = Answers("It was told before, or is refused; `refused` says why.", _REFUSED)
    return Operation(name, about, answers, body=body, security=security)


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/"): _page("front", "The front page."),
    ("GET", "/rules"): _page(
        "rules", "All rules.", pages.RULE_WORDS, pages.STATUS, pages.FROM
    ),
    ("GET", "/rules/{name}"): _page("rule", "One rule's page.", pages.SPAN, named=True),
    ("GET", "/episodes"): _page("episodes", "Episodes."),
    ("GET", "/episodes/{name}"): _page("episode", "One episode's page.", named=True),
    ("GET", "/actions"): _page("actions", "What can be rolled back."),
    ("GET", "/decisions"): _page(
        "decisions", "Decisions, newest first.",
        pages.DECISION_WORDS, pages.RULING, pages.RULE, pages.BEFORE,
    ),
    ("GET", "/decisions/{seq}"): _page("decision", "One decision.", named=True),
    ("GET", "/live"): Operation(
        "live", "Says when it is worth looking again; it ends after 5 minutes.",
        {200: Answers("Events named `look`.", {EVENTS: None}), **_EVERYWHERE},
    ),
    ("GET", "/static/style.css"): _file("style", "text/css"),
    ("GET", "/static/live.js"): _file("script", "text/javascript"),
    ("GET", "/static/icon.svg"): _file("icon", "image/svg+xml"),
    ("GET", "/metrics"): Operation(
        "metrics", "For Prometheus.",
        {200: Answers("Samples.", {PLAIN: None, OPENMETRICS: None}), **_EVERYWHERE},
    ),
    ("GET", "/-/healthy"): _well("healthy", "Does it judge?"),
    ("GET", "/-/ready"): _well("ready", "Does it judge, and can it record?"),
    ("GET", "/api/v1/openapi.json"): Operation(
        "openapi", "This document.",
        {200: Answers("The document.", {JSON: dict[str, Any]}), **_EVERYWHERE},
    ),
    ("GET", "/api/v1/status"): _read("status", "The whole on one page.", StatusShape),
    ("GET", "/api/v1/rules"): Operation(
        "alertingRules", "The rules in Prometheus's form.",
        {
            **_EVERYWHERE,
            **_json(RulesAnswer, "The groups."),
            400: Answers(
                "An unknown Host name, or another `type`.", {PLAIN: None, JSON: PrometheusRefusal}
            ),
        },
        (api.TYPE,),
    ),
    ("GET", "/api/v1/alerts"): _read("alerts", "Open episodes in Prometheus's form.", AlertsAnswer),
    ("GET", "/api/v1/decisions"): Operation(
        "decisionsRecorded", "Every decision that the journal holds, a page at a time.",
        {**_EVERYWHERE, **_json(list[DecisionShape], "Oldest first.", "Link")},
        (api.AFTER, api.BEFORE, api.LIMIT, api.RULE),
    ),
    ("GET", "/api/v1/actions"): _read(
        "actionsKnown", "What can be rolled back.", list[ActionShape]
    ),
    ("GET", "/api/v1/measures"): _read(
        "measures", "What was down and rolled back, by period.", dict[str, PeriodShape]
    ),
    ("GET", "/api/v1/episodes"): _read(
        "episodesKnown", "Newest first, each with its story.", list[ToldEpisodeShape]
    ),
    ("GET", "/api/v1/deploys"): _read("deploys", "Deploys, and what may begin.", DeploysShape),
    ("GET", "/api/v1/follow-ups"): _read(
        "followUps", "What is to be done after episodes.", list[FollowUpShape]
    ),
    ("GET", "/api/v1/why/{name}"): Operation(
        "why", "One rule's last verdict, its episode, its last decision.",
        {
            **_EVERYWHERE,
            **_json(WhyShape, "The answer."),
            404: Answers("There is no such rule.", {PLAIN: None, **_WRONG}),
        },
    ),
    ("POST", "/api/v1/alertmanager"): _door(
        "tellAlerts", "What an Alertmanager's webhook posts.", BroughtShape, Webhook, ("token",)
    ),
    ("POST", "/api/v1/events"): _door(
        "tellEvent", "One event, signed.", RecordedShape, Event, _SIGNED
    ),
    ("POST", "/api/v1/deploys"): _door(
        "tellDeploy", "A deploy begins or ends.", DeployToldShape, PipelineWord, _SIGNED
    ),
    ("POST", "/api/v1/answers"): _door(
        "tellAnswer", "A person's ack or hold.", AnsweredShape, Answer, _SIGNED
    ),
}  # fmt: skip
