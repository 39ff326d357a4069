"""What a sender's body says: an Alertmanager's webhook, or one event of anybody else.

Texts come from outside and go into the record, to pages and to terminals: control characters and
what looks like a secret are taken out here, once. Of an Alertmanager, whose words grow with its
versions, only what is needed is read; an event of ours knows no other words than these.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from watchdog.core.channels import EVENT_ID, LABEL_NAME, EventReceived, EventStatus
from watchdog.wire.scrub import scrubbed

MOST_LABELS = 100
_MOST_TEXT = 4096
_MOST_SUMMARY = 500
_MOST_NAME = 200
_MOST_TRUNCATED = 2**64 - 1  # Alertmanager counts them in so many bits
_AHEAD_SECONDS = 300.0


class Wrong(ValueError):
    """A body that says nothing; the message tells an authenticated sender what is wrong with it."""


def _moment(value: Any) -> float:
    """Seconds since the epoch of RFC 3339."""
    if not isinstance(value, str):
        raise ValueError("write it like 2026-01-31T12:00:00Z")  # noqa: TRY004  # pydantic's way
    found = datetime.fromisoformat(value)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def plain(text: str) -> str:
    """Without control characters, and without what looks like a secret."""
    return scrubbed(text.encode("utf-8", "replace").decode(), most=_MOST_TEXT)


def _plain_name(name: str) -> str:
    """What steers a terminal stays visible, so that no strange name turns into a known one."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)


Model = TypeVar("Model", bound=BaseModel)
_Written = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Moment = Annotated[float, BeforeValidator(_moment, json_schema_input_type=_Written)]
Id = Annotated[str, Field(pattern=rf"^{EVENT_ID}$")]
Label = Annotated[str, Field(pattern=rf"^{LABEL_NAME}$")]
Text = Annotated[str, Field(max_length=_MOST_TEXT), AfterValidator(plain)]
AnyName = Annotated[str, Field(max_length=_MOST_NAME), AfterValidator(_plain_name)]


class _Theirs(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class ToldAlert(_Theirs):
    status: Literal["firing", "resolved"]
    labels: Annotated[dict[AnyName, Text], Field(max_length=MOST_LABELS)]
    annotations: dict[str, str] = {}  # pydantic copies it
    starts: Moment = Field(alias="startsAt")
    ends: Moment = Field(alias="endsAt")
    fingerprint: Id


class Webhook(_Theirs):
    alerts: list[ToldAlert]
    truncated: int = Field(0, alias="truncatedAlerts", ge=0, le=_MOST_TRUNCATED)


class Event(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    id: Id
    status: Literal["firing", "resolved"] = "firing"
    labels: Annotated[dict[Label, Text], Field(max_length=MOST_LABELS)] = {}  # pydantic copies it
    summary: Text = ""
    starts: Moment | None = Field(None, alias="startsAt")


@dataclass(frozen=True, slots=True)
class Brought:
    """What one webhook of an Alertmanager's brings."""

    alerts: list[EventReceived]
    ahead: int  # dropped: they begin in the future, and would outlast every real one
    truncated: int  # what it left out itself


def alerts_of(channel: str, body: bytes, most: int, now: float) -> Brought:
    """An Alertmanager's alerts, but those that have not begun. Raises Wrong.

    Of one fingerprint only a later beginning is another event: one far ahead would make all that
    are to come look known.
    """
    read = body_as(Webhook, body)
    if len(read.alerts) > most:
        raise Wrong(f"{len(read.alerts)} alerts; {most} are the most: group them into smaller ones")
    begun = [alert for alert in read.alerts if not _is_ahead(alert.starts, now)]
    alerts = [_alert(channel, alert) for alert in begun]
    return Brought(alerts, len(read.alerts) - len(begun), read.truncated)


def event_of(channel: str, body: bytes, now: float) -> EventReceived:
    """One event; without a time of its own it began now. Raises Wrong."""
    read = body_as(Event, body)
    if read.starts is not None and _is_ahead(read.starts, now):
        raise Wrong("startsAt lies in the future")
    return EventReceived(
        channel=channel,
        id=read.id,
        status=EventStatus(read.status),
        began=now if read.starts is None else read.starts,
        labels=tuple(sorted(read.labels.items())),
        summary=_summary(read.summary),
    )


def _summary(text: str) -> str:
    """For people, on one line. Secrets are looked for while the lines still tell them apart."""
    told = scrubbed(text, most=_MOST_SUMMARY)
    return " ".join("".join(c if c.isprintable() else " " for c in told).split())


def _is_ahead(starts: float, now: float) -> bool:
    return starts > now + _AHEAD_SECONDS


def _alert(channel: str, alert: ToldAlert) -> EventReceived:
    over = alert.status == "resolved"
    said = (alert.annotations.get(name, "") for name in ("summary", "description"))
    summary = next((text for text in said if text), alert.labels.get("alertname", ""))
    return EventReceived(
        channel=channel,
        id=alert.fingerprint,
        status=EventStatus(alert.status),
        began=alert.starts,
        ended=alert.ends if over else None,
        labels=tuple(sorted(alert.labels.items())),
        summary=_summary(plain(summary[:_MOST_TEXT])),
    )


def body_as(model: type[Model], body: bytes) -> Model:
    """The body as this model says it. Raises Wrong."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the body"
        raise Wrong(f"{where}: {first['msg']}") from None
