"""A provider in the hands of a test: it answers as a Prometheus that holds these counters would."""

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.wire.raw_server import RawServer, answering
from watchdog.core.promql.selector import Selector

Series = list[tuple[dict[str, str], float]]  # labels, events a second

_QUERY = re.compile(
    r"(?P<what>sum|count|max)(?: by \((?P<by>[^)]*)\))? ?"
    r"\((?:(?P<fn>rate|increase|count_over_time)\()?(?P<name>[a-zA-Z0-9_:]+)(?:\{(?P<inner>.*)\})?(?:\[\w+\]\))?\)\Z",
    re.DOTALL,
)


@dataclass
class Holding:
    """`counters` by name; `up` says of each job how many of its targets answer."""

    counters: dict[str, Series] = field(default_factory=dict)
    up: dict[str, tuple[int, int]] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    every: str = "15s"
    failing_share: dict[str, float] = field(default_factory=dict)
    series: dict[str, int] = field(default_factory=dict)
    samples: int = 240  # of each series in the last hour

    async def __call__(self, server: RawServer, writer: asyncio.StreamWriter) -> None:
        url = urlsplit(server.requests[-1].split()[1])
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        data = self._data(url.path.partition("/api/v1/")[2], asked)
        document = json.dumps({"status": "success", "data": data})
        await answering(document, "application/json")(server, writer)

    def _data(self, path: str, asked: dict[str, str]) -> Any:
        match path:
            case "label/__name__/values":
                return sorted([*self.counters, "up"])
            case "targets":
                return {"activeTargets": [self._target(job) for job in self.up]}
            case "metadata":
                kind = self.kinds.get(asked["metric"])
                return {asked["metric"]: [{"type": kind}]} if kind else {}
            case "query":
                at = float(asked["time"])
                rows = [
                    {"metric": labels, "value": [at, str(value)]}
                    for labels, value in self._answers(asked["query"])
                ]
                return {"resultType": "vector", "result": rows}
            case _:
                raise AssertionError(path)

    def _target(self, job: str) -> dict[str, Any]:
        return {"labels": {"job": job}, "scrapeInterval": self.every}

    def _answers(self, query: str) -> Iterator[tuple[dict[str, str], float]]:
        found = _QUERY.match(query)
        assert found is not None, query
        name, by = found["name"], found["by"]
        if name == "up":
            for job, (answering_, all_) in self.up.items():
                yield {"job": job}, answering_ if found["what"] == "sum" else all_
            return
        held = self.counters[name]
        if by is not None:
            wanted = by.split(", ")
            yield from (
                ({k: v for k, v in labels.items() if k in wanted}, rate) for labels, rate in held
            )
        elif found["fn"] == "count_over_time":
            yield {}, float(self.samples)
        elif found["what"] == "count":
            yield {}, self.series.get(name, len(held))
        elif found["fn"] == "increase":
            told = len(Selector.parse(f"x{{{found['inner'] or ''}}}").matchers) > 1
            bad = told or name.endswith("errors_total")
            yield {}, 3600.0 * (self.failing_share.get(name, 0.0) if bad else 1.0)
        else:
            yield {}, sum(rate for _, rate in held)


def counted(job: str, label: str, **rates: float) -> Series:
    """One counter of one job, by the values of one label; `_200` is `200`."""
    return [({"job": job, label: value.strip("_")}, rate) for value, rate in rates.items()]
