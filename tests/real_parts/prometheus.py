"""A real Prometheus that scrapes what it is given, and evaluates rules if it is given some.

It scrapes for the first time five seconds after its start, whatever the interval: tests that need
no Prometheus of their own better share one.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from tests.real_parts.scraping import Scraping, write_config
from tests.real_parts.server import RealServer, program


class RealPrometheus(RealServer):
    """Make one with `RealPrometheus.start`; data and log lie in its folder."""

    def __init__(
        self,
        folder: Path,
        scraping: Scraping,
        rules: Sequence[dict[str, Any]],
        alertmanagers: Sequence[str],
        options: Sequence[str],
    ) -> None:
        super().__init__(folder, "prometheus")
        config = scraping.config()
        config["global"]["evaluation_interval"] = scraping.interval
        if rules:
            write_config(folder / "rules.json", {"groups": list(rules)})
            config["rule_files"] = ["rules.json"]
        if alertmanagers:
            hosts = [urlsplit(url).netloc for url in alertmanagers]
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": hosts}]}]}
        self._config = write_config(folder / "prometheus.json", config)
        self._options = options

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        targets: Sequence[str] = (),
        scrape_interval: str = "1s",
        rules: Sequence[dict[str, Any]] = (),
        alertmanagers: Sequence[str] = (),
        job: str = "mycelia",
        options: Sequence[str] = (),
    ) -> Self:
        """One that scrapes the `targets` (URLs) and evaluates at the same interval.

        `rules` are rule groups as in a rule file, `alertmanagers` URLs, `options` more arguments.
        """
        scraping = Scraping(targets, scrape_interval, job)
        return cls(folder / "prometheus", scraping, rules, alertmanagers, options)

    def arguments(self) -> Sequence[str]:
        return [
            program("prometheus", "prometheus"),
            f"--config.file={self._config}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
            *self._options,
        ]
