"""How fast the real daemon's pages and API answer with a thousand rules and ten thousand decisions.

The decisions stand in its journal as five hundred past episodes would have left them. The rules
judge a page that is scraped every ten seconds, as they do otherwise. What is told is the slowest
page's median, over one connection, one request after another. `cpu` is what an answer took of a
processor, with what was judged meanwhile; other people's work on the machine changes it less.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil

from bench.daemon import OWNER, Daemon, Place
from bench.report import Measure, progress, spread
from bench.rules import SOURCE, hundred_rules
from watchdog.core import entries as e
from watchdog.core.states import Event, State
from watchdog.core.words import Instant, Severity, Status, Verdict, World
from watchdog.sandbox.handle import Sandbox
from watchdog.store import SqliteJournal

RULES = 1000
DECISIONS = 10_000
TARGET_SECONDS = 0.050
RUNS = 30
_EPISODES = 500
_GATES = ("evidence", "environment", "hold", "deploy", "burning", "target", "ready", "anchor",
          "change", "cooldown", "blast_radius", "mode", "budget")  # fmt: skip
_READY_SECONDS = 180.0
_READ_SECONDS = 120.0


async def measure(folder: Path) -> Measure:
    """Seconds of the slowest page."""
    shape = {"error_series_from_start": True}
    async with Sandbox.start(folder / "mycelia", **shape) as sandbox:
        place = Place(folder / "watchdog")
        source = {"scrape": sandbox.metrics_url, "every": "10s"}
        place.lay_out({"sources": {SOURCE: source}}, hundred_rules())
        _add_rules(place.folder / "rules" / OWNER)
        place.init()
        _write_past(place.state)
        async with place.run(_READY_SECONDS) as daemon:
            found = await _measured(daemon)
    slowest = max(found, key=lambda name: found[name]["p50"])
    more = {
        "target": TARGET_SECONDS,
        "slowest": slowest,
        "p95": found[slowest]["p95"],
        "rules": RULES,
        "decisions": DECISIONS,
        "pages": found,
    }
    return Measure("pages", found[slowest]["p50"], None, "seconds", RUNS, more)


def _add_rules(team: Path) -> None:
    """As many hundreds as make a thousand, a file each: what they ask is the same, and shared."""
    for hundred in range(1, RULES // len(hundred_rules())):
        rules = {f"{name}-{hundred}": rule for name, rule in hundred_rules().items()}
        text = json.dumps({"version": 1, "rules": rules})
        (team / f"rules-{hundred}.yaml").write_text(text, encoding="utf-8")


def _write_past(state: Path) -> None:
    """Ten thousand refusals, and the episodes in which they were."""
    journal = SqliteJournal.open(state)
    began = Instant(time.time(), time.clock_gettime(time.CLOCK_BOOTTIME)).plus(-86_400.0)
    for number in range(1, _EPISODES + 1):
        journal.append(list(_episode(number)), began.plus(number * 100.0))
    journal.close()


def _episode(number: int) -> Iterator[e.Entry]:
    name, rule = f"E{number}", f"rule-{number % 100:03}"
    each = DECISIONS // _EPISODES
    at = Instant(1.0, 1.0)
    verdict = Verdict(Status.BREACHED, "12.5% of 4000 events bad over 10m > 5%", at, value=0.125)
    yield e.EpisodeOpened(name, rule, OWNER, Severity.P2, World.LIVE, verdict)
    yield e.EpisodeMoved(name, State.OK, Event.BREACHED, State.PENDING, 0, verdict.reason)
    gates = tuple(e.GateAnswer(gate, gate != "hold", f"what {gate} says") for gate in _GATES)
    for turn in range(each):
        yield e.Decided(
            f"D{(number - 1) * each + turn + 1}", name, rule, "pause", 0, World.LIVE,
            e.Ruling.REFUSED, f"hold: H{turn} holds everything", gates, "p" * 64, "r" * 64, verdict,
        )  # fmt: skip
    yield e.EpisodeMoved(name, State.PENDING, Event.HEALTHY, State.OK, 0, "healthy again")


async def _measured(daemon: Daemon) -> dict[str, dict[str, float]]:
    async with httpx.AsyncClient(base_url=daemon.page, trust_env=False, timeout=30.0) as web:
        await _read_back(web)
        decision = (await web.get("/api/v1/decisions?limit=1")).json()[0]["seq"]
        paths = {
            "front": "/",
            "rules": "/rules",
            "objective": "/rules/rule-001",
            "rule": "/rules/rule-050",
            "episodes": "/episodes",
            "episode": f"/episodes/E{_EPISODES}",
            "decisions": "/decisions",
            "search, found late": "/decisions?q=D17+hold",
            "search, found nowhere": "/decisions?q=nowhere",
            "decision": f"/decisions/{decision}",
            "actions": "/actions",
            "status": "/api/v1/status",
            "why": "/api/v1/why/rule-001",
            "alerting rules": "/api/v1/rules",
            "alerts": "/api/v1/alerts",
            "decisions, 100": "/api/v1/decisions",
        }
        process = psutil.Process(daemon.process.pid)
        found = {}
        for name, path in paths.items():
            before = _cpu_seconds(process)
            found[name] = spread([await _seconds(web, path) for _ in range(RUNS)])
            found[name]["cpu"] = (_cpu_seconds(process) - before) / RUNS
            progress(f"pages: {name}: {found[name]}")
        return found


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


async def _read_back(web: httpx.AsyncClient) -> None:
    """The past is read back beside the watch; until then the pages know less, and are faster."""
    async with asyncio.timeout(_READ_SECONDS):
        await _until(web, "/decisions", f"{DECISIONS} are at hand")
        await _until(web, "/rules/rule-001", "Burn over")


async def _until(web: httpx.AsyncClient, path: str, text: str) -> None:
    while True:
        if text in (await web.get(path)).text:
            return
        await asyncio.sleep(0.5)


async def _seconds(web: httpx.AsyncClient, path: str) -> float:
    began = time.perf_counter()
    (await web.get(path)).raise_for_status()
    return time.perf_counter() - began
