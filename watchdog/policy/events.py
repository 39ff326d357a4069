"""Rules on events: which of a channel's events are meant, and how long one stands."""

from __future__ import annotations

from watchdog.core.channels import Channel, EventSignal, Matcher
from watchdog.core.heard import KNOWN_FOR_SECONDS
from watchdog.core.promql.faults import Refused
from watchdog.core.promql.regex import Pattern
from watchdog.core.spec import SourceSpec
from watchdog.policy.event_models import EventShape
from watchdog.policy.laws import seconds_text
from watchdog.policy.platform import Platform
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import RuleShape
from watchdog.policy.shape import closest

LASTS_SECONDS = {"hmac": 3_600.0, "token": 86_400.0}
"""An Alertmanager repeats what goes on and tells of its end; a webhook does neither."""

_SHORTEST_SECONDS = 300.0  # a repeat is recorded once a minute
_OPERATORS = ("=~", "!~", "!=")
_NOT_HERE = {
    "source": "its channel is named in `event`",
    "every": "nobody polls for an event",
    "deadline": "nobody polls for an event",
    "stale_after": "nobody polls for an event",
}


def told(
    entry: Entry, shape: RuleShape, event: EventShape, platform: Platform, findings: Findings
) -> tuple[SourceSpec | None, EventSignal | None]:
    """The rule's channel as its source, and what it judges of it."""
    for key, why in _NOT_HERE.items():
        if getattr(shape, key) is not None:
            findings.refuse(entry.key_at(key), f"`{key}` beside `event`: {why}", f"Remove `{key}`.")
    channel = platform.channels.get(event.from_)
    if channel is None:
        remedy = "The platform's file names them: events: {security: {hmac: CREDENTIAL}}."
        if platform.channels:
            remedy = closest(event.from_, platform.channels)
        findings.refuse(entry.at("event", "from"), f"there is no channel {event.from_}", remedy)
        return None, None
    if isinstance(channel.how, Channel) and channel.how.kind in {"deploys", "answers"}:
        findings.refuse(
            entry.at("event", "from"),
            f"{event.from_} tells of {channel.how.kind}, which are no events",
            "Name a channel of {hmac: CREDENTIAL} or {token: CREDENTIAL}.",
        )
        return None, None
    assert isinstance(channel.how, Channel)  # noqa: S101  # a channel's spec has no other
    matchers = tuple(_matcher(entry, name, text, findings) for name, text in event.match.items())
    if channel.how.kind == "token" and not matchers:
        findings.refuse(
            entry.key_at("event"),
            f"{entry.name} would be breached by every alert that {event.from_} brings",
            "Say which: match: {alertname: NAME}.",
        )
    lasts = event.lasts if event.lasts is not None else LASTS_SECONDS[channel.how.kind]
    if not _SHORTEST_SECONDS <= lasts <= KNOWN_FOR_SECONDS:
        findings.refuse(
            entry.at("event", "lasts"),
            f"an event that lasts {seconds_text(lasts)}",
            f"Write {seconds_text(_SHORTEST_SECONDS)} to {seconds_text(KNOWN_FOR_SECONDS)}.",
        )
    if shape.for_ is not None and shape.for_ >= lasts:
        findings.refuse(
            entry.at("for"),
            f"an event stands for {seconds_text(lasts)}, and `for` would never be reached",
            "Shorten `for`, or leave it out: one event is a fact.",
        )
    found = tuple(sorted((m for m in matchers if m is not None), key=lambda m: m.label))
    return channel, EventSignal(event.from_, found, lasts)


def _matcher(entry: Entry, name: str, text: str, findings: Findings) -> Matcher | None:
    here = entry.at("event", "match", name)
    op = next((op for op in _OPERATORS if text.startswith(op)), "=")
    value = text if op == "=" else text.removeprefix(op)
    if op == "=" and not value:
        findings.refuse(
            here, f"{name} is to be empty", 'Write the text, or "!=TEXT" for any other.'
        )
        return None
    if op in {"=~", "!~"}:
        try:
            Pattern(value)
        except Refused as error:
            why = str(error).partition(";")[0]
            findings.refuse(here, why, "Write a regular expression as in PromQL, without slashes.")
            return None
    return Matcher(name, op, value)
