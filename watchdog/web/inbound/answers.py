"""What a chat or a pager brings back from people: that somebody looks, or that all shall stop.

The law: a signed answer acknowledges or holds, and nothing more. Both keep actions or calls back;
neither starts, approves, undoes or ends anything, whatever somebody's chat was talked into.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from watchdog.core.spec import Scope
from watchdog.core.text import seconds_of
from watchdog.engine import Done, Orders, Person
from watchdog.web.inbound.bodies import Wrong, body_as, plain

MOST_HELD_SECONDS = 86_400.0
"""A stop that came by a webhook ends by itself: whoever means more says so at a shell."""


def _seconds(value: Any) -> float:
    found = seconds_of(value) if isinstance(value, str) else None
    if not found or found > MOST_HELD_SECONDS:
        raise ValueError("write a duration of a day at most, like 1h")
    return found


_Seconds = Annotated[float | None, BeforeValidator(_seconds, json_schema_input_type=str | None)]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
    do: Literal["ack", "hold"]
    who: Annotated[str, Field(min_length=1, max_length=80), AfterValidator(plain)]
    episode: Annotated[str, Field(pattern=r"^E[0-9]{1,18}$")] | None = None
    rule: Annotated[str, Field(max_length=300), AfterValidator(plain)] | None = None
    for_: Annotated[float | None, BeforeValidator(_seconds, json_schema_input_type=str)] = Field(
        None, alias="for"
    )
    reason: Annotated[str, Field(max_length=500), AfterValidator(plain)] = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """`known`: it was so already, and nothing is added to the record."""

    effect: str
    known: bool


def take(channel: str, body: bytes, orders: Orders) -> Answered:
    """Do what it says. Raises Wrong, and OrderRefused."""
    said = body_as(Answer, body)
    by = Person(f"{said.who} by {channel}", counts=False, everything=True)
    if said.do == "ack":
        if said.episode is None or said.rule is not None or said.for_ is not None:
            raise Wrong("ack: needs `episode`, and takes neither `rule` nor `for`")
        return _done(orders.episodes.ack(by, said.episode, said.reason, dry=False))
    if said.for_ is None or said.episode is not None:
        raise Wrong("hold: needs `for`, and takes no `episode`; without `rule` it holds all")
    scope = Scope("rule", said.rule) if said.rule else Scope("all")
    reason = said.reason or "asked for by a message"
    standing = orders.stops.standing(by, scope, reason, said.for_)
    if standing is not None:
        ends = standing.expires
        until = f", until {ends.utc:%Y-%m-%d %H:%M:%SZ}" if ends is not None else ""
        return Answered(f"{standing.id} stands already{until}", known=True)
    return _done(
        orders.stops.hold(by, scope, reason, for_seconds=said.for_, silence=False, dry=False)
    )


def _done(done: Done) -> Answered:
    return Answered(done.effect, known=False)
