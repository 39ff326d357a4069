"""A wire, instants, and a target that exposes a real registry in both formats."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

from tests.wire.raw_server import RawServer, answering
from watchdog.core.spec import Endpoint, JsonDocument, PrometheusApi, Scrape, SourceSpec
from watchdog.core.words import Instant
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    return folder


@pytest.fixture
async def wire(credentials: Path) -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets([credentials]))
    yield wire
    await wire.aclose()


def now() -> Instant:
    return Instant(time.time(), time.monotonic())


def spec(
    how: Scrape | PrometheusApi | JsonDocument,
    deadline_seconds: float = 2.0,
    max_bytes: int = 1_000_000,
    max_series: int = 1000,
) -> SourceSpec:
    return SourceSpec("app", 1.0, deadline_seconds, max_bytes, max_series, how)


@dataclass
class Mycelia:
    """A registry as the service would keep it."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.requests = Counter(
            "redemption_requests", "Redemptions.", ["code"], registry=self.registry
        )
        self.quotes = Histogram(
            "redemption_quote_seconds", "Quotes.", buckets=(0.1, 1), registry=self.registry
        )
        self.ratio = Gauge("collateralization_ratio", "Backing.", registry=self.registry)
        self.started = Gauge("process_start_time_seconds", "Start.", registry=self.registry)
        self.others = Gauge("unwanted", "Noise.", ["n"], registry=self.registry)

    def page(self, accept: str) -> tuple[bytes, str]:
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type

    async def answer(self, server: RawServer, writer: object) -> None:
        (accept,) = [
            line.partition(":")[2].strip()
            for line in server.requests[-1].splitlines()
            if line.lower().startswith("accept:")
        ]
        body, content_type = self.page(accept)
        await answering(body, content_type)(server, writer)  # type: ignore[arg-type]  # passed on


@pytest.fixture
def mycelia() -> Mycelia:
    return Mycelia()


def scrape(url: str) -> Scrape:
    return Scrape(Endpoint(url + "/metrics"))
