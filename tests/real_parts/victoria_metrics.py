"""A real VictoriaMetrics: the API of Prometheus from another maker, with small differences."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tests.real_parts.scraping import Scraping, write_config
from tests.real_parts.server import RealServer, program


class RealVictoriaMetrics(RealServer):
    """Make one with `RealVictoriaMetrics.start`; data and log lie in its folder."""

    ready_path = "/health"

    def __init__(self, folder: Path, scraping: Scraping, options: Sequence[str]) -> None:
        super().__init__(folder, "victoria-metrics")
        self._config = write_config(folder / "scrape.json", scraping.config())
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

    def arguments(self) -> Sequence[str]:
        return [
            program("victoria-metrics", "victoria-metrics"),
            f"-storageDataPath={self.folder / 'data'}",
            f"-httpListenAddr=127.0.0.1:{self.port}",
            f"-promscrape.config={self._config}",
            "-search.latencyOffset=0s",
            *self._options,
        ]
