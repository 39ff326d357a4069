"""Our rules and episodes in the format of Prometheus's own `/api/v1/rules` and `/api/v1/alerts`.

Whatever lists alerting rules of a Prometheus can list ours. An owner's file is a group; an open
episode is an alert: pending while the breach has not lasted for `for`, firing from then on until
it ends. A watched one (undone, and quiet so far) is inactive. BLIND shows as health `unknown`, or
`err` where the query or the watchdog itself failed, with the reason as `lastError`; it moves no
state. An alert has the labels with which Alertmanager is told of it, and a rule its alert's name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any, NotRequired

from typing_extensions import TypedDict

from watchdog.core.alerting import ALERTNAME, OF_THE_MOMENT, alert_labels, alert_name
from watchdog.core.channels import EventSignal
from watchdog.core.naming import family_of
from watchdog.core.probes import Probed
from watchdog.core.spec import (
    PRESENT,
    Counters,
    Liveness,
    RatioThreshold,
    RuleSpec,
    Slo,
    ValueThreshold,
)
from watchdog.core.text import duration
from watchdog.core.words import Blind, World
from watchdog.engine import Views

View = Mapping[str, Any]
Episodes = dict[str, View]


class AlertShape(TypedDict):
    labels: dict[str, str]
    annotations: dict[str, str]
    state: str
    activeAt: str
    value: str


class AlertingRuleShape(TypedDict):
    state: str
    name: str
    query: str
    duration: float
    keepFiringFor: float
    labels: dict[str, str]
    annotations: dict[str, str]
    alerts: list[AlertShape]
    health: str
    evaluationTime: float
    lastEvaluation: str
    type: str
    lastError: NotRequired[str]


class GroupShape(TypedDict):
    name: str
    file: str
    rules: list[AlertingRuleShape]
    interval: float
    limit: int
    evaluationTime: float
    lastEvaluation: str


class GroupsShape(TypedDict):
    groups: list[GroupShape]


class AlertsShape(TypedDict):
    alerts: list[AlertShape]


NEVER = "0001-01-01T00:00:00Z"

_FAILED = {one.value for one in (Blind.QUERY_ERROR, Blind.ODD_ANSWER, Blind.OURS, Blind.BUG)}


def answer(data: GroupsShape | AlertsShape) -> View:
    """The envelope."""
    return {"status": "success", "data": data}


def wrong(what: str) -> View:
    return {"status": "error", "errorType": "bad_data", "error": what}


class AlertingRules:
    """What a policy alone says of its rules is put into words once."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._policy = ""
        self._fixed: dict[str, AlertingRuleShape] = {}

    async def told(self, kind: str) -> GroupsShape:
        """`data` of `/api/v1/rules`. `kind` is `alert`, `record` (we have none) or empty."""
        views, episodes = self._views, _open(self._views)

        def shown(rule: RuleSpec) -> tuple[tuple[str, str], AlertingRuleShape]:
            place = _file(rule), rule.owner
            return place, _rule(self._of_policy(rule), rule, views.standing(rule), episodes)

        placed = sorted(await views.of_rules(shown), key=lambda found: found[0])
        groups = [
            _group(owner, file, [rule for _, rule in found])
            for (file, owner), found in groupby(placed, lambda found: found[0])
        ]
        if kind == "record":
            for group in groups:
                group["rules"] = []
        return {"groups": groups}

    def _of_policy(self, rule: RuleSpec) -> AlertingRuleShape:
        policy = self._views.policy()
        if self._policy != policy.sha256:
            self._policy, self._fixed = policy.sha256, {}
        if rule.name not in self._fixed:
            self._fixed[rule.name] = _fixed(rule, policy.environment)
        return self._fixed[rule.name]


def alerts(views: Views) -> AlertsShape:
    """`data` of `/api/v1/alerts`."""
    episodes = _open(views)
    troubled = {family_of(name) for name in views.in_trouble()}
    rules = (rule for rule in views.policy().rules.values() if rule.name in troubled)
    found = ((rule, views.standing(rule)) for rule in rules)
    return {"alerts": [alert for rule, view in found for alert in _alerts(rule, view, episodes)]}


def _open(views: Views) -> Episodes:
    return {
        ep["id"]: {**ep, "labels": views.alert_labels(ep["id"])}
        for ep in views.episodes()
        if ep["state"] != "ok"
    }


def _group(owner: str, file: str, shown: list[AlertingRuleShape]) -> GroupShape:
    return {
        "name": owner,
        "file": file,
        "rules": shown,
        "interval": 1,
        "limit": 0,
        "evaluationTime": 0,
        "lastEvaluation": max(rule["lastEvaluation"] for rule in shown),
    }


def _fixed(rule: RuleSpec, environment: str) -> AlertingRuleShape:
    return {
        "state": "inactive",
        "name": alert_name(rule),
        "query": query(rule),
        "duration": rule.for_seconds,
        "keepFiringFor": rule.keep_firing_seconds,
        "labels": _labels(rule, environment),
        "annotations": {**_annotations(rule), "mode": rule.mode.word},
        "alerts": [],
        "health": "unknown",
        "evaluationTime": 0,
        "lastEvaluation": NEVER,
        "type": "alerting",
    }


def _rule(
    fixed: AlertingRuleShape, rule: RuleSpec, view: View, episodes: Episodes
) -> AlertingRuleShape:
    verdict = view["verdict"]
    blind = "not_yet" if verdict is None else verdict["blind"]
    states = {_state(one["state"]) for one in (view, *view["members"])}
    shown: AlertingRuleShape = {
        **fixed,
        "state": next(s for s in ("firing", "pending", "inactive") if s in states),
        "alerts": _alerts(rule, view, episodes),
        "health": "ok" if blind is None else "err" if blind in _FAILED else "unknown",
        "lastEvaluation": verdict["at"] if verdict else NEVER,
    }
    if blind is not None:
        reason = verdict["reason"] if verdict else "nothing has been read yet"
        shown["lastError"] = f"{blind}: {reason}"
    return shown


def _alerts(rule: RuleSpec, view: View, episodes: Episodes) -> list[AlertShape]:
    if rule.is_family:
        members = (
            (replace(rule, member=tuple(one["labels"].items())), one) for one in view["members"]
        )
        return [alert for member, one in members for alert in _alerts(member, one, episodes)]
    state = _state(view["state"])
    ep = episodes.get(view["episode"] or "")
    if state == "inactive" or ep is None:
        return []
    value = view["value"] if rule.member else (view["verdict"] or {}).get("value")
    return [
        {
            "labels": ep["labels"],
            "annotations": {
                **_annotations(rule),
                "episode": f"{ep['id']} is {ep['state']}: {ep['reason']}",
            },
            "state": state,
            "activeAt": ep["opened"],
            "value": "NaN" if value is None else _number(value),
        }
    ]


def _state(state: str) -> str:
    if state in {"ok", "watched"}:
        return "inactive"
    return "pending" if state == "pending" else "firing"


def _labels(rule: RuleSpec, environment: str) -> dict[str, str]:
    """What all of its alerts have."""
    left_out = {ALERTNAME, *OF_THE_MOMENT}
    told = alert_labels(rule, environment, World.LIVE)
    return {name: text for name, text in told if name not in left_out}


def _annotations(rule: RuleSpec) -> dict[str, str]:
    found = {"summary": rule.summary, "runbook": rule.runbook}
    return {name: text for name, text in found.items() if text}


def _file(rule: RuleSpec) -> str:
    return rule.where.split(":", 1)[0]


def _number(value: float) -> str:
    """A double as Prometheus writes it: shortest, with an exponent of at least two digits."""
    text = repr(float(value))
    return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(text, text)


def query(rule: RuleSpec) -> str:
    """The rule's condition as PromQL would say it, to be read and pasted; we do not run it."""
    signal = rule.signal
    match signal:
        case RatioThreshold():
            ratio = _ratio(signal.counters, signal.over_seconds, rule.each)
            return f"{ratio} {signal.bound.op} {signal.bound.limit!r}"
        case ValueThreshold() if signal.bound.op == PRESENT:
            return signal.expr
        case ValueThreshold():
            return f"({signal.expr}) {signal.bound.op} {signal.bound.limit!r}"
        case Liveness():
            return f"{signal.expr} == 0"
        case Probed() | EventSignal():
            return ""  # a look of our own, or what somebody tells us: PromQL cannot ask for it
        case Slo():
            return " or ".join(_pairs(signal, rule.each))


def _pairs(signal: Slo, each: tuple[str, ...]) -> Iterable[str]:
    for pair in signal.pairs:
        limit = f"{pair.factor * (1 - signal.objective):.6g}"
        long, short = (
            f"{_ratio(signal.counters, seconds, each)} > {limit}"
            for seconds in (pair.long_seconds, pair.short_seconds)
        )
        yield f"({long} and {short})"


def _ratio(counters: Counters, seconds: float, each: tuple[str, ...] = ()) -> str:
    window = duration(seconds)
    total = f"sum by ({', '.join(each)}) " if each else "sum"
    ratio = (
        f"{total}(increase({counters.events}[{window}])) / "
        f"{total}(increase({counters.total}[{window}]))"
    )
    return f"(1 - {ratio})" if counters.good else ratio
