"""Where samples come from, as a policy says: an endpoint with its rhythm and its limits."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.asking import Endpoint
from watchdog.core.channels import Channel
from watchdog.core.probes import AttestationProbe, HttpProbe, ManifestProbe, Probe

_HTTP_BYTES = 1024 * 1024
_FILE_BYTES = 1024 * 1024 * 1024  # of all files of one manifest


@dataclass(frozen=True, slots=True)
class Scrape:
    endpoint: Endpoint


@dataclass(frozen=True, slots=True)
class PrometheusApi:
    """`scraped_every_seconds` is how often the provider itself scrapes; staleness goes by it."""

    endpoint: Endpoint
    scraped_every_seconds: float


@dataclass(frozen=True, slots=True)
class JsonDocument:
    """`timestamp` is the JMESPath of the document's own time, ms since the epoch or ISO 8601."""

    endpoint: Endpoint
    timestamp: str
    samples: tuple[tuple[str, str], ...]  # (sample name, JMESPath)


@dataclass(frozen=True, slots=True)
class SourceSpec:
    name: str
    every_seconds: float
    deadline_seconds: float  # total, from before the connection to the last byte
    max_bytes: int
    max_series: int
    how: Scrape | PrometheusApi | JsonDocument | Channel | Probe  # a probe is one rule's own

    @property
    def endpoint(self) -> Endpoint | None:
        """Where it is asked over HTTP, if it is."""
        return served_at(self.how)


def served_at(
    how: Scrape | PrometheusApi | JsonDocument | Channel | Probe,
) -> Endpoint | None:
    """Where something is asked over HTTP, if it is."""
    if isinstance(how, Scrape | PrometheusApi | JsonDocument | HttpProbe):
        return how.endpoint
    return how.served if isinstance(how, AttestationProbe) else None


def probe_source(
    name: str, how: Probe, every_seconds: float, deadline_seconds: float
) -> SourceSpec:
    """Where one probe looks, with the limits of its kind."""
    most = _FILE_BYTES if isinstance(how, ManifestProbe) else _HTTP_BYTES
    return SourceSpec(name, every_seconds, deadline_seconds, most, 1, how)
