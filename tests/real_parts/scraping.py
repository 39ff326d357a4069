"""The scrape configuration that Prometheus and VictoriaMetrics both read. JSON is YAML too."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Scraping:
    """What is scraped, how often, and under which job name."""

    targets: Sequence[str]
    """Metrics pages as URLs, such as a sandbox's `metrics_url`."""
    interval: str = "1s"
    job: str = "mycelia"

    def config(self) -> dict[str, Any]:
        """A `global` section and one job, whose targets keep their own paths."""
        pages = [urlsplit(target) for target in self.targets]
        paths = {page.path or "/metrics" for page in pages}
        if len(paths) > 1:
            raise ValueError(f"one job scrapes one path, not {sorted(paths)}")
        job = {
            "job_name": self.job,
            "metrics_path": paths.pop() if paths else "/metrics",
            "static_configs": [{"targets": [page.netloc for page in pages]}],
        }
        return {
            "global": {"scrape_interval": self.interval, "scrape_timeout": self.interval},
            "scrape_configs": [job],
        }


def write_config(path: Path, config: dict[str, Any]) -> Path:
    path.write_text(json.dumps(config, indent=2), encoding="utf-8")
    return path
