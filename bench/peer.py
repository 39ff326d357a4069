"""The peer: real Prometheus, real Alertmanager, and the receiver that switches the flag off.

The phase between a scrape and the evaluation that sees it is fixed by the names of job and rule
group, so all names are new in each round: the configuration is written anew and reloaded. An
alert's labels name its round, lane and flag, and Alertmanager groups by all labels, so that each
alert is a new group of its own and waits for nothing but `group_wait: 0s`. A lane is watched by
several pairs of job and group, each switching off a flag of its own: more phases in one run.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from bench.lanes import SHARE, WINDOW_SECONDS, Lane
from tests.real_parts import RealAlertmanager, RealServer, program
from watchdog.sandbox.processes import Command, line_in_log, start_process

Pair = tuple[str, str]
"""(lane, flag): one job and one rule group."""

_ROOT = Path(__file__).resolve().parents[1]


class Prometheus(RealServer):
    """One that can be given new jobs and rules while it runs."""

    def __init__(self, folder: Path, alertmanager: str, interval: str) -> None:
        super().__init__(folder, "prometheus")
        self._alertmanager = alertmanager
        self._interval = interval
        self.jobs: dict[Pair, str] = {}
        self.phases: set[tuple[str, str]] = set()  # (job, group) names used so far
        self._round = 0

    def arguments(self) -> Sequence[str]:
        """The command line for `self.port`."""
        return [
            program("prometheus", "prometheus"),
            f"--config.file={self.folder / 'prometheus.json'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--web.enable-lifecycle",
        ]

    def configure(self, lanes: Sequence[Lane]) -> None:
        """Write a configuration in which all jobs and groups have names never used before."""
        self._round += 1
        pairs = [(lane, flag) for lane in lanes for flag in lane.flags]
        self.jobs = {(lane.name, flag): f"job-{secrets.token_hex(4)}" for lane, flag in pairs}
        groups = [self._group(lane.name, flag) for lane, flag in pairs]
        self.phases |= {
            (job, group["name"]) for job, group in zip(self.jobs.values(), groups, strict=True)
        }
        rhythm = {"scrape_interval": self._interval, "scrape_timeout": self._interval}
        config = {
            "global": {**rhythm, "evaluation_interval": self._interval},
            "rule_files": ["rules.json"],
            "alerting": {
                "alertmanagers": [
                    {"static_configs": [{"targets": [urlsplit(self._alertmanager).netloc]}]}
                ]
            },
            "scrape_configs": [
                {
                    "job_name": self.jobs[lane.name, flag],
                    "static_configs": [{"targets": [urlsplit(lane.sandbox.metrics_url).netloc]}],
                }
                for lane, flag in pairs
            ],
        }
        (self.folder / "rules.json").write_text(json.dumps({"groups": groups}), encoding="utf-8")
        (self.folder / "prometheus.json").write_text(json.dumps(config), encoding="utf-8")

    async def reconfigure(self, lanes: Sequence[Lane]) -> None:
        """`configure`, in a running one."""
        self.configure(lanes)
        async with httpx.AsyncClient(trust_env=False, timeout=10.0) as client:
            (await client.post(self.url + "/-/reload")).raise_for_status()

    async def is_calm(self, lane: Lane) -> bool:
        """The lane's ratios are known, over the whole window, and are zero."""
        async with httpx.AsyncClient(trust_env=False, timeout=5.0) as client:
            for flag in lane.flags:
                pair = lane.name, flag
                old = f"count(redemption_requests_total{self._job(pair)} offset 9s)"
                for query, wanted in ((self.ratio(pair), "0"), (old, "3")):
                    answer = await client.get(f"{self.url}/api/v1/query", params={"query": query})
                    result = answer.raise_for_status().json()["data"]["result"]
                    if not result or result[0]["value"][1] != wanted:
                        return False
        return True

    def ratio(self, pair: Pair) -> str:
        """The same rule as ours, in the way it is written for Prometheus."""
        job, over = self._job(pair), f"[{WINDOW_SECONDS:g}s]"
        failing = f'redemption_requests_total{{code=~"5..",{job[1:]}'
        return f"sum(rate({failing}{over})) / sum(rate(redemption_requests_total{job}{over}))"

    def _job(self, pair: Pair) -> str:
        return f'{{job="{self.jobs[pair]}"}}'

    def _group(self, lane: str, flag: str) -> dict[str, Any]:
        rule = {
            "alert": "RedemptionFails",
            "expr": f"{self.ratio((lane, flag))} > {SHARE:g}",
            "labels": {"lane": lane, "flag": flag, "round": str(self._round)},
        }
        return {"name": f"group-{secrets.token_hex(4)}", "rules": [rule]}


@asynccontextmanager
async def peer(folder: Path, lanes: Sequence[Lane], interval: str) -> AsyncIterator[Prometheus]:
    """All three, running inside the block, watching the lanes."""
    async with _receiver(folder, lanes) as webhook:
        config = {
            "route": {
                "receiver": "pause",
                "group_by": ["..."],
                "group_wait": "0s",
                "group_interval": "1m",
                "repeat_interval": "1h",
            },
            "receivers": [
                {
                    "name": "pause",
                    "webhook_configs": [{"url": webhook, "send_resolved": False}],
                }
            ],
        }
        (folder / "alertmanager").mkdir()
        alertmanager = RealAlertmanager(folder / "alertmanager", config)
        async with alertmanager:
            prometheus = Prometheus(folder / "prometheus", alertmanager.url, interval)
            prometheus.configure(lanes)
            async with prometheus:
                yield prometheus


@asynccontextmanager
async def _receiver(folder: Path, lanes: Sequence[Lane]) -> AsyncIterator[str]:
    where = {
        lane.name: {
            "url": f"{lane.sandbox.url}/api/feature-flags",
            "token": lane.sandbox.token,
        }
        for lane in lanes
    }
    file = folder / "receiver.json"
    file.write_text(json.dumps(where), encoding="utf-8")
    process = start_process(
        Command(
            name="bench.receiver",
            argv=[sys.executable, "-m", "bench.receiver", "--lanes", str(file)],
            log=folder / "receiver.log",
            cwd=_ROOT,
            environment={**os.environ, "PYTHONPATH": str(_ROOT)},
        )
    )
    try:
        yield f"http://127.0.0.1:{json.loads(await line_in_log(process, '{'))['port']}/"
    finally:
        await process.stop()


async def calm(prometheus: Prometheus, lanes: Sequence[Lane], deadline_seconds: float) -> None:
    """Wait until the peer sees every lane as healthy, with a whole window behind it."""
    async with asyncio.timeout(deadline_seconds):
        for lane in lanes:
            while not await prometheus.is_calm(lane):  # noqa: ASYNC110  # another process's state
                await asyncio.sleep(0.25)
