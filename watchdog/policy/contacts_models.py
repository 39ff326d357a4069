"""The shapes of contacts.yaml: channels, people, roles, audiences, escalation.

They hold form only; what the names must lead to is judged in `contacts.py`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from watchdog.policy.base import Shape
from watchdog.policy.platform_models import Headers
from watchdog.policy.scalars import (
    AbsolutePath,
    Address,
    Duration,
    Name,
    Words,
    matching,
    refused,
    shown,
)

To = Annotated[
    str,
    matching(r"[\x21-\x7e]{1,200}", "address of a person", "Printable characters, no blanks."),
]
Word = Annotated[str, matching(r"[A-Za-z0-9_-]{1,40}", "word of a service", "Letters and digits.")]


def told(value: Any) -> Any:
    """A name, or {CHANNEL: ADDRESS}."""
    if isinstance(value, str) or (isinstance(value, dict) and len(value) == 1):
        return value
    raise refused(f"{shown(value)} tells nobody", "Write a name, or {CHANNEL: ADDRESS}.")


Tell = Annotated[Any, BeforeValidator(told)]


class PhasesShape(Shape):
    """The service's words for what {phase} in its URL stands for."""

    opened: Word = Field(description="trouble begins, like trigger")
    updated: Word = Field(description="it goes on; often the same word as opened")
    ended: Word = Field(description="it is over, like resolve")


class ContactChannelShape(Shape):
    """One way to tell people: exactly one of `apprise`, `url` and `webhook`."""

    apprise: Name | None = Field(None, description="credential that holds an Apprise URL")
    url: Words | None = Field(None, description="an Apprise URL that holds no secret")
    webhook: Address | None = Field(None, description="address that takes a JSON document by POST")
    hmac: Name | None = Field(None, description="webhook: credential that signs what is sent")
    headers: Headers = Field({}, description="webhook: headers to send")
    ca: AbsolutePath | None = Field(None, description="webhook: CA file in place of the system's")
    phases: PhasesShape | None = Field(
        None, description="for services that keep one matter apart by {key}: their words"
    )
    to: To | None = Field(None, description="what {to} in the URL is where nobody is named")
    deadline: Duration = Field(20.0, description="total time of one letter (20s)")
    give_up: Duration = Field(21_600.0, description="how long one note is tried (6h)")
    fallback: Name | None = Field(None, description="channel that is told too while this one fails")
    fallback_after: Duration = Field(30.0, description="for how long it fails before that (30s)")


class PersonShape(Shape):
    absent: ClassVar[dict[str, str]] = {
        "reach": "Write how, like `reach: {mail: ada@example.org}`."
    }

    name: Words = Field(description="as people call them")
    reach: Annotated[dict[Name, To], Field(min_length=1)] = Field(
        description="channel to address, the best first"
    )
    phone: Words | None = Field(None, description="for people to call; shown, never dialled")
    outside: bool = Field(False, description="not of the company: told only where they are named")  # noqa: FBT003  # pydantic's own form
    note: Words | None = Field(None, description="hours, contract, what they are for")


class RoleShape(Shape):
    title: Words = Field(description="as it stands in the procedures, like Rollback Commander")
    people: Annotated[list[Name], Field(min_length=1)] = Field(description="who it is")


class OnCallShape(Shape):
    people: Annotated[list[Name], Field(min_length=1)] = Field(description="in their order")
    turn: Duration | None = Field(None, description="how long one of them is on call, like 7d")
    since: Words | None = Field(
        None, description='when the first turn of the first began, like "2026-01-05T09:00+01:00"'
    )


class AudienceShape(Shape):
    """People who are told together; `team` is told of everything."""

    to: Annotated[list[Tell], Field(min_length=1)] = Field(
        description="channels, {CHANNEL: ADDRESS}, people, roles, on-call"
    )
    outside: bool = Field(False, description="told only what a person has approved")  # noqa: FBT003  # as above


class EscalationStepShape(Shape):
    after: Duration | None = Field(None, description="since people were first needed; at once")
    tell: Annotated[list[Tell], Field(min_length=1)] = Field(description="as an audience's `to`")
    by: list[Name] = Field([], description="channels that are used for people; all of theirs")
    unless: Literal["acknowledged", "resolved"] = Field(
        "acknowledged", description="what makes the step needless: acknowledged or resolved"
    )


class LadderShape(Shape):
    steps: list[EscalationStepShape] = Field([], description="who is told when")
    updates: Duration | None = Field(
        None, description="how often the team hears of an open episode; it is said when"
    )
