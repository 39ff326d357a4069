"""The form of a test file: promtool's words, and ours beside them.

Every scalar is read as it is written, and the key says what it is: promtool's labels are texts
and its values may be NaN. What promtool knows and this version does not is refused by name.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from enum import Enum
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import BeforeValidator, Field

from watchdog.core.channels import EVENT_ID
from watchdog.core.entries import Outcome, Ruling
from watchdog.core.states import State
from watchdog.core.text import seconds_of
from watchdog.core.words import Blind, Mode, Severity, Status, Truth
from watchdog.policy.base import Shape
from watchdog.policy.scalars import MAX_DURATION_SECONDS, Name, matching, refused, shown
from watchdog.policy.shape import closest

GATES = (
    "evidence",
    "environment",
    "hold",
    "deploy",
    "burning",
    "target",
    "ready",
    "anchor",
    "change",
    "cooldown",
    "blast_radius",
    "mode",
    "budget",
)
"""The gates by name, in the order in which they are asked."""

_YEARS = re.compile(r"(?:(\d{1,4})y)?(.*)\Z", re.ASCII)
_UNIX = re.compile(r"\d{1,12}(?:\.\d{1,3})?\Z", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d{1,5})?\Z", re.ASCII)
_NAMED_FLOATS = {
    **dict.fromkeys((".nan", ".NaN", ".NAN", "NaN", "nan"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "Inf", "+Inf"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF", "-Inf"), -math.inf),
}


def _time(value: Any) -> float:
    """Seconds of promtool's durations: 0, 90s, 1h30m, 1y."""
    match = _YEARS.match(value) if isinstance(value, str) else None
    years, rest = match.groups() if match else (None, "")
    found = 0.0 if rest == "0" or (years and not rest) else seconds_of(rest)
    if found is None:
        raise refused(f"{shown(value)} is no duration", "Write it like 15s, 5m, 1h30m or 30d.")
    found += int(years or 0) * 365 * 86_400
    if found > MAX_DURATION_SECONDS:
        raise refused(f"{shown(value)} is longer than a year", "Write a shorter one.")
    return found


def _interval(value: Any) -> float:
    found = _time(value)
    if not found:
        raise refused("an interval of nothing", "Write it like 15s, or leave the key out.")
    return found


def _number(value: Any) -> float:
    if value in _NAMED_FLOATS:
        return _NAMED_FLOATS[value]
    if not isinstance(value, str) or not _FLOAT.match(value):
        raise refused(f"{shown(value)} is no number", "Write it like 5, 0.25, 1e6, .NaN or .Inf.")
    return float(value)


def _truth(value: Any) -> bool:
    if value not in {"true", "false"}:
        raise refused(f"{shown(value)} is neither true nor false", "Write true or false.")
    return bool(value == "true")


def _moment(value: Any) -> float:
    """Seconds since the epoch, or a time of RFC 3339."""
    if isinstance(value, str) and _UNIX.match(value):
        return float(value)
    try:
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError):
        how = "Write it like 2026-03-01T02:00:00Z."
        raise refused(f"{shown(value)} is no time", how) from None


def _or_none(value: Any) -> Any:
    """A key without a value is an empty list or mapping, as promtool has it."""
    return {} if value is None else value


def _or_empty(value: Any) -> Any:
    return [] if value is None else value


def _blank(value: Any) -> Any:
    return "" if value is None else value


def _one_of(words: dict[str, Any]) -> BeforeValidator:
    """A validator that takes a word for what it stands for."""

    def read(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise refused(f"{shown(value)} is not known", closest(str(value), words))
        return words[value]

    word = Annotated[str, Field(json_schema_extra={"enum": list(words)})]
    return BeforeValidator(read, json_schema_input_type=word)


def _words(of: type[Enum]) -> BeforeValidator:
    return _one_of({member.value: member for member in of})


T = TypeVar("T")

Time = Annotated[float, BeforeValidator(_time, json_schema_input_type=str)]
Interval = Annotated[float, BeforeValidator(_interval, json_schema_input_type=str)]
Number = Annotated[float, BeforeValidator(_number, json_schema_input_type=float)]
Flag = Annotated[bool, BeforeValidator(_truth, json_schema_input_type=bool)]
Moment = Annotated[float, BeforeValidator(_moment, json_schema_input_type=str)]
Text = Annotated[str, BeforeValidator(_blank, json_schema_input_type=str | None)]
Texts = Annotated[dict[str, Text], BeforeValidator(_or_none), Field(default_factory=dict)]
Listed = Annotated[list[T], BeforeValidator(_or_empty)]
Some = Annotated[list[T], BeforeValidator(_or_empty), Field(default_factory=list)]

AState = Annotated[State, _words(State)]
AStatus = Annotated[Status, _words(Status)]
ABlind = Annotated[Blind, _words(Blind)]
ASeverity = Annotated[Severity, _words(Severity)]
ATruth = Annotated[Truth, _words(Truth)]
AnOutcome = Annotated[Outcome, _words(Outcome)]
AMode = Annotated[Mode, _one_of({mode.word: mode for mode in Mode})]
AGate = Annotated[str, _one_of({gate: gate for gate in GATES})]
ARuling = Annotated[
    Ruling, _one_of({ruling.value: ruling for ruling in Ruling if ruling is not Ruling.REFUSED})
]


class SeriesShape(Shape):
    series: str
    values: Text
    source: Name | None = Field(None, description="the only source that shows it; all without it")


class AlertShape(Shape):
    exp_labels: Texts
    exp_annotations: Texts


class AlertTestShape(Shape):
    eval_time: Time = 0.0
    alertname: str
    exp_alerts: Some[AlertShape]


class SampleShape(Shape):
    labels: Text = ""
    value: Number = 0.0


class ExprTestShape(Shape):
    expr: str
    eval_time: Time = 0.0
    exp_samples: Some[SampleShape]


# -- ours ------------------------------------------------------------------------------------------


class StretchShape(Shape):
    """What is the matter with a source for some time."""

    source: Name
    is_: Literal[
        "down", "unasked", "frozen", "restarted", "partial", "failing", "unseen", "deaf"
    ] = Field(alias="is")
    from_: Time = Field(alias="from")
    to: Time | None = None


class ToldShape(Shape):
    """What a sender tells by a channel."""

    at: Time
    channel: Name
    id: Annotated[str, matching(EVENT_ID, "id of an event", "Write it like inc-42.")]
    status: Literal["firing", "resolved"] = "firing"
    labels: Texts
    summary: Text = ""
    began: Time | None = Field(
        None, description="when it began, in the test's time; `at` for one that was not told yet"
    )


class HoldShape(Shape):
    """A person's stop."""

    from_: Time = Field(alias="from")
    to: Time | None = None
    owner: Name | None = None
    rule: str | None = None
    target: str | None = None
    silence: Flag = False
    reason: str = "a test"


class ApprovalShape(Shape):
    """What people say to what waits for them then: yes, or no where it is denied."""

    at: Time
    by: Annotated[list[Name], Field(min_length=1)]
    rule: str | None = None
    denied: Flag = False


class DeployShape(Shape):
    from_: Time = Field(alias="from")
    to: Time | None = None
    target: str = "all"
    change: str = ""


class SupposedShape(Shape):
    takes: Time = 1.0
    outcome: AnOutcome = Outcome.DONE
    contained: ATruth = Truth.TRUE


class SupposingShape(Shape):
    """What is taken to come of actions; nothing is really done."""

    ready: ATruth = Truth.TRUE
    undo_after: Time | None = Field(
        None, description="a person undoes, and closes, what has been healthy for so long"
    )
    actions: Annotated[
        dict[str, SupposedShape], BeforeValidator(_or_none), Field(default_factory=dict)
    ]


class RuleTestShape(Shape):
    """How a rule stands at one time. Only what is written is compared."""

    eval_time: Time
    rule: str
    exp_verdict: AStatus | None = None
    exp_blind: ABlind | None = None
    exp_reason: str | None = Field(None, description="a part of the verdict's reason")
    exp_state: AState | None = None
    exp_refused: list[AGate] | None = None


class StepShape(Shape):
    at: Time | None = None
    state: AState


class EpisodeTestShape(Shape):
    """Every state of a rule's episodes up to a time, in order."""

    eval_time: Time
    rule: str
    exp_states: Listed[StepShape]


class ActionShape(Shape):
    at: Time | None = None
    rule: str | None = None
    action: str
    ruling: ARuling = Ruling.ALLOWED


class ActionTestShape(Shape):
    """Every action that was decided for up to a time, in order; of one rule, or of all."""

    eval_time: Time
    rule: str | None = None
    exp_actions: Listed[ActionShape]


class PageShape(Shape):
    at: Time | None = None
    severity: ASeverity | None = None
    title: str | None = Field(None, description="a part of the page's title")


class PageTestShape(Shape):
    """Every page up to a time, in order; of one rule, or of all."""

    eval_time: Time
    rule: str | None = None
    exp_pages: Listed[PageShape]


class CaseShape(Shape):
    """One entry of `tests`."""

    name: Text = ""
    environments: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="for which of the file's environments; all of them without it"
    )
    interval: Interval | None = None
    input_series: Some[SeriesShape]
    external_labels: Texts
    external_url: Text = ""
    start_timestamp: Moment = 0.0
    alert_rule_test: Some[AlertTestShape]
    promql_expr_test: Some[ExprTestShape]
    max_mode: AMode = Mode.ARMED
    sources: Some[StretchShape]
    events: Some[ToldShape]
    holds: Some[HoldShape]
    deploys: Some[DeployShape]
    approvals: Some[ApprovalShape]
    supposing: SupposingShape | None = None
    rule_test: Some[RuleTestShape]
    episode_test: Some[EpisodeTestShape]
    action_test: Some[ActionTestShape]
    page_test: Some[PageTestShape]


class FileShape(Shape):
    """A whole test file."""

    absent: ClassVar[dict[str, str]] = {"tests": "A file without tests proves nothing."}

    rule_files: Some[str]
    evaluation_interval: Interval = 60.0
    fuzzy_compare: Flag = False
    group_eval_order: Some[str]
    environment: Name | None = Field(None, description="whose variables our rules are loaded with")
    environments: Annotated[list[Name], Field(min_length=1)] | None = Field(
        None, description="several of them: every test is run for each"
    )
    tests: Annotated[list[CaseShape], Field(min_length=1)]
