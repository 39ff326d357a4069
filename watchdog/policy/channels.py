"""The platform's `events`: by which channels others may tell us something, and how they prove it.

A channel is the platform's to name: who can bring a service to be paused is no owner's decision.
It is a source like the others, looked at for one thing only: whether its credential can be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from watchdog.core.channels import Channel
from watchdog.core.spec import SourceSpec
from watchdog.policy.document import Document
from watchdog.policy.event_models import ChannelShape
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.shape import shape_of

PREFIX = "event:"
"""Before a channel's name, where it stands among the sources."""

EVERY_SECONDS = 5.0
STALE_SECONDS = 10.0
_DEADLINE_SECONDS = 1.0
_TOKEN_BYTES, _TOKEN_EVENTS = 1024 * 1024, 1000
_HMAC_BYTES, _HMAC_EVENTS = 64 * 1024, 1


def channel_spec(entry: Entry, findings: Findings) -> SourceSpec | None:
    """One channel, with the most that one request may bring."""
    shape = shape_of(ChannelShape, entry, findings)
    if shape is None:
        return None
    ways = {
        "hmac": shape.hmac,
        "token": shape.token,
        "deploys": shape.deploys,
        "answers": shape.answers,
    }
    given = [(kind, credential) for kind, credential in ways.items() if credential is not None]
    ways_told = ("by nothing", "in one way", "in two ways", "in three ways", "in four ways")
    if len(given) != 1:
        findings.refuse(
            entry.key_at(given[1][0]) if given else entry.key,
            f"the channel {entry.name} is known {ways_told[len(given)]}",
            "Write exactly one of hmac, token, deploys and answers, as {hmac: CREDENTIAL}.",
        )
        return None
    if shape.targets is not None and shape.deploys is None:
        findings.refuse(
            entry.key_at("targets"), "`targets` is for channels of deploys", "Remove it."
        )
    if shape.token is not None:
        how, most, events = Channel("token", shape.token), _TOKEN_BYTES, _TOKEN_EVENTS
    elif shape.deploys is not None:
        how = Channel("deploys", shape.deploys, tuple(sorted(shape.targets or ())))
        most, events = _HMAC_BYTES, _HMAC_EVENTS
    elif shape.answers is not None:
        how, most, events = Channel("answers", shape.answers), _HMAC_BYTES, _HMAC_EVENTS
    else:
        how, most, events = Channel("hmac", shape.hmac or ""), _HMAC_BYTES, _HMAC_EVENTS
    return SourceSpec(f"{PREFIX}{entry.name}", EVERY_SECONDS, _DEADLINE_SECONDS, most, events, how)


def check_channels(
    document: Document,
    sources: Collection[str],
    channels: Mapping[str, SourceSpec | None],
    findings: Findings,
) -> None:
    """A key must tell one channel, and a name one thing."""
    by_key: dict[str, str] = {}
    for name, spec in channels.items():
        here = document.key("events", name)
        if name in sources:
            findings.refuse(here, f"{name} is a source as well", "Give one of them another name.")
        if spec is None or not isinstance(spec.how, Channel):
            continue
        first = by_key.setdefault(spec.how.credential, name)
        if first != name:
            findings.refuse(
                here,
                f"{first} and {name} are known by one credential, {spec.how.credential}",
                "Give each a key of its own: what is told by one must not count for the other.",
            )
