"""Shapes of what others tell us: channels in the platform's file, and rules on their events."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from watchdog.core.channels import LABEL_NAME
from watchdog.policy.base import Shape
from watchdog.policy.scalars import Duration, Name, matching

EventLabel = Annotated[str, matching(LABEL_NAME, "label name", "Write it like severity.")]
MatchText = Annotated[
    str,
    matching(
        r"[^\x00-\x1f\x7f]{0,500}", "text to match", "At most 500 printable characters, like high."
    ),
]


Target = Annotated[
    str,
    matching(
        r"all|[a-z]+:[^\x00-\x1f\x7f]{1,500}", "target", "Write it like config:/PATH, or all."
    ),
]


class ChannelShape(Shape):
    """How senders of a channel prove themselves: by exactly one of these credentials."""

    hmac: Name | None = Field(
        None, description="credential that signs what is posted to /api/v1/events"
    )
    token: Name | None = Field(
        None, description="credential that an Alertmanager shows at /api/v1/alertmanager"
    )
    deploys: Name | None = Field(
        None, description="credential that signs what a pipeline posts to /api/v1/deploys"
    )
    answers: Name | None = Field(
        None, description="credential that signs people's acks and holds at /api/v1/answers"
    )
    targets: Annotated[list[Target], Field(min_length=1, max_length=100)] | None = Field(
        None, description="deploys: what it may deploy, like config:/srv/app; all when left out"
    )


class EventShape(Shape):
    """Breached while an event stands that the rule has not dealt with."""

    absent: ClassVar[dict[str, str]] = {
        "from": "Name the channel of the platform's `events` that it comes by."
    }

    from_: Name = Field(alias="from", description="the channel, of the platform's `events`")
    match: dict[EventLabel, MatchText] = Field(
        {}, description="label to text; `=~RE`, `!=TEXT` and `!~RE` as in PromQL; all must hold"
    )
    lasts: Duration | None = Field(
        None,
        description="how long an event stands that nobody resolves or repeats; 1h, and 24h on a "
        "`token` channel",
    )
