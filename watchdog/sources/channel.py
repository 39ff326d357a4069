"""A channel as a source: could a sender be believed now?

Nobody is asked for numbers: senders come by themselves, at the web port. All that can be looked
at is whether the credential is there that tells them from others. Without it nothing is believed,
and the rules that hear by this channel are blind and say so: deafness must not look like health.
"""

from __future__ import annotations

from collections.abc import Sequence

from watchdog.core.channels import Channel
from watchdog.core.samples import Failure, Fault, Reading
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Blind, Instant
from watchdog.ports import SecretMissing, Secrets
from watchdog.wire.keys import keys_of


class ChannelSource:
    """Implements `ports.MetricSource`."""

    def __init__(self, spec: SourceSpec, how: Channel, secrets: Secrets) -> None:
        self.name = spec.name
        self._how, self._secrets = how, secrets

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:  # noqa: ARG002  # it answers one question
        try:
            keys_of(self._secrets, self._how.credential)
        except SecretMissing as missing:
            failure = Failure(Fault.OURS, Blind.DEAF, f"nobody can be believed: {missing}")
            return Reading(self.name, at, 0.0, failure=failure)
        return Reading(self.name, at, 0.0)

    async def aclose(self) -> None:
        """Nothing to close."""
