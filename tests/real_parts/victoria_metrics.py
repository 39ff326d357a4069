"""A real VictoriaMetrics: the API of Prometheus from another maker, with small differences.

A series becomes searchable about a second after its first scrape, and whoever asks before that is
told "nothing" for ten seconds, from a cache. So one with targets is ready only once it can answer.
"""

import asyncio
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import httpx

from tests.real_parts.scraping import Scraping, write_config
from tests.real_parts.server import RealServer, program

_SEARCHABLE_SECONDS = 1.2


class RealVictoriaMetrics(RealServer):
    """Make one with `RealVictoriaMetrics.start`; data and log lie in its folder."""

    ready_path = "/health"

    def __init__(self, folder: Path, scraping: Scraping, options: Sequence[str]) -> None:
        super().__init__(folder, "victoria-metrics")
        self._config = write_config(folder / "scrape.json", scraping.config())
        self._scrapes = bool(scraping.targets)
        self._options = options

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        targets: Sequence[str] = (),
        scrape_interval: str = "1s",
        job: str = "mycelia",
        options: Sequence[str] = (),
    ) -> Self:
        """One that scrapes the `targets` (URLs). `options` are more arguments.

        By default it hides the last 30 s from queries; here it hides nothing.
        """
        scraping = Scraping(targets, scrape_interval, job)
        return cls(folder / "victoria-metrics", scraping, options)

    async def is_ready(self, client: httpx.AsyncClient) -> bool:
        if not await super().is_ready(client):
            return False
        if not self._scrapes:
            return True
        own = (await client.get(f"{self.url}/metrics")).text
        if not re.search(r'^vm_rows_inserted_total\{type="promscrape"\} [1-9]', own, re.MULTILINE):
            return False
        await asyncio.sleep(_SEARCHABLE_SECONDS)
        return True

    def arguments(self) -> Sequence[str]:
        return [
            program("victoria-metrics", "victoria-metrics"),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-promscrape.config={self._config}",
            "-search.latencyOffset=0s",
            *self._options,
        ]
