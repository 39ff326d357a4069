"""Ports that only look: clocks, secrets, metrics, served states, silences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from watchdog.core.alerting import Alert
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.samples import Failure, PastMoment, Reading
from watchdog.core.silences import Silence
from watchdog.core.spec import Endpoint
from watchdog.core.words import CheckReading, Instant


class Clock(Protocol):
    """Both clocks, read together."""

    def now(self) -> Instant: ...


class Secrets(Protocol):
    def read(self, name: str) -> str:
        """The credential's present text, without a trailing line break.

        Read anew each time, so that rotation needs no restart. Raises SecretMissing.
        """
        ...


class MetricSource(Protocol):
    """One configured source."""

    name: str

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        """Read once, pinned to `at`, within the source's own total deadline.

        `wanted` are PromQL expressions: an embedded source keeps the sample names that occur in
        them, a Prometheus source answers each of them. Never raises: a failure is in the Reading.
        """
        ...

    async def aclose(self) -> None: ...


class PastSource(Protocol):
    """Knows what a source's counters showed before anybody here looked."""

    def most_seconds(self, step_seconds: float) -> float:
        """How long a stretch one call may be about."""
        ...

    async def moments(
        self, wanted: Sequence[str], first: float, last: float, step_seconds: float
    ) -> Sequence[PastMoment] | Failure:
        """What `wanted` gave at `first` and every step up to `last`; never raises."""
        ...


class Probe(Protocol):
    """Reads a served state. Cannot change anything."""

    async def read(
        self, endpoint: Endpoint, expect: str, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        """Ask, and hold the JMESPath expectation against the answer: true, false or unknown."""
        ...


@dataclass(frozen=True, slots=True)
class SilencesLook:
    """What an Alertmanager says of its silences; `silences` is None where none of it answered.

    `replicas`: base address -> why it did not answer, empty where it did.
    """

    silences: tuple[Silence, ...] | None
    replicas: Mapping[str, str]


class SilenceSource(Protocol):
    """Reads the silences that stand, or will, in an Alertmanager. Cannot change anything."""

    async def look(self, at: Instant) -> SilencesLook:
        """Ask every replica at once, within the total deadline. Never raises."""
        ...


class AlertSink(Protocol):
    """Is told of our episodes. What it does with them is its own affair."""

    async def tell(self, alerts: Sequence[Alert], at: Instant) -> Mapping[str, str]:
        """Tell every replica, within the total deadline; as the replicas of a look. Never raises.

        Told twice is told once: an alert is its labels. One that fires ends after `at`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Alertmanagers:
    """How the Alertmanager of a policy is reached; None where nobody can."""

    open_silences: Callable[[AlertmanagerSpec], SilenceSource | None] = lambda _: None
    open_alerts: Callable[[AlertmanagerSpec], AlertSink | None] = lambda _: None
