"""Lints of channels: what others tell us, and nobody hears."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.channels import Channel, EventSignal
from watchdog.policy.channels import PREFIX
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground


def _unheard(ground: Ground) -> Iterator[Hit]:
    heard = {
        rule.source for rule in ground.policy.rules.values() if isinstance(rule.signal, EventSignal)
    }
    for source in ground.policy.sources.values():
        how = source.how
        events = isinstance(how, Channel) and how.kind not in {"deploys", "answers"}
        if events and source.name not in heard:
            name = source.name.removeprefix(PREFIX)
            yield Hit(
                ground.channels[name].key,
                f"no rule hears the channel {name}",
                f"Write a rule with event: {{from: {name}, match: {{...}}}}, or remove it.",
            )


LINTS = (
    Lint(
        "channel-unheard",
        Level.WARNING,
        "A channel that no rule hears",
        "Its senders are answered that it is recorded, and nothing follows from it.",
        _unheard,
        judges_absence=True,
    ),
)
