"""`compare` at its edges: a record that says nothing, a Prometheus that does not answer as one."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio

from tests.cli.conftest import Ended, here
from tests.wire.raw_server import Behaviour, RawServer, answering, hangs
from watchdog.core import entries as e
from watchdog.core.states import Event, State
from watchdog.core.words import Instant, Severity, World
from watchdog.policy import load_files
from watchdog.store import SqliteJournal

JSON = "application/json"
FILES = {
    "platform.yaml": "version: 1\nenvironment: production\nsources:\n"
    "  prom: {prometheus: 'PLACE', every: 15s}\n"
    "  page: {scrape: 'http://127.0.0.1:1/m', every: 5s}\n",
    "team/rules.yaml": "version: 1\nrules:\n"
    "  shop-errors: {severity: P1, source: prom, threshold: {expr: x, breach_when: '> 1'}}\n"
    "  scraped: {severity: P1, source: page, threshold: {expr: x, breach_when: '> 1'}}\n",
}


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[RawServer]:
    async with RawServer(hangs) as server:
        yield server


def recorded(folder: Path, provider: RawServer, written: dict[str, str] = FILES) -> Path:
    """A day ago a daemon started on these rules; since then nothing happened."""
    files = {path: text.replace("PLACE", provider.url) for path, text in written.items()}
    load = load_files(files, "production", variables={"often": "15s"})
    assert load.policy is not None, load.errors
    began = time.time() - 86_400
    SqliteJournal.create(folder, reserve_bytes=4096)
    with SqliteJournal.open(folder, reserve_bytes=4096) as journal:
        started = e.Started("1", "host", "", "production", "armed", 0.0)
        applied = e.PolicyApplied(
            load.policy.sha256, (), "somebody", files=tuple(sorted(files.items()))
        )
        journal.append([started, applied], Instant(began, 1.0))
    return folder


async def compare(state: Path, *more: str) -> Ended:
    given = ("compare", "--journal", str(state), "--no-cache", *more)
    return await asyncio.to_thread(here, *given, socket=state / "none")


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (hangs, "no answer"),
        (answering("<html>", "text/html", status=503), "HTTP 503"),
        (
            answering('{"status":"success","data":{"groups":[]}}', JSON),
            "a None instead of a matrix",
        ),
        (answering('{"status":"success","data":[1]}', JSON), "without data"),
    ],
)
async def test_a_prometheus_that_does_not_answer_is_an_error_in_time(
    provider: RawServer, tmp_path: Path, behaviour: Behaviour, says: str
) -> None:
    state = recorded(tmp_path / "state", provider)
    provider.behaviour = behaviour
    began = time.monotonic()
    ended = await compare(state, "--deadline", "500ms")
    assert time.monotonic() - began < 5
    assert (ended.status, ended.out) == (1, "")
    assert says in ended.err


async def test_what_cannot_be_compared_is_said(provider: RawServer, tmp_path: Path) -> None:
    state = recorded(tmp_path / "state", provider)
    ended = await compare(state, "--rule", "scraped")
    assert ended.status == 1
    assert "its source is no Prometheus" in ended.out
    assert "has a rule nonsense" in (await compare(state, "--rule", "nonsense")).err
    assert "is no label's name" in (await compare(state, "--match", "a b=c")).err
    assert (await compare(state, "--from", "1d", "--to", "2d")).status == 2
    assert (await compare(state, "--prometheus", "localhost:9090")).status == 2
    named = {
        path: text.replace("every: 15s", "every: '{{ often }}'") for path, text in FILES.items()
    }
    other = recorded(tmp_path / "other", provider, named)
    ended = await compare(other)
    assert "often would be defined in it" in ended.err
    assert "--var NAME=VALUE" in ended.err
    assert "its source is no" in (await compare(other, "--rule=scraped", "--var=often=15s")).out
    ended = await compare(tmp_path / "nowhere")
    assert ended.status == 1
    assert "nowhere/journal.db does not exist" in ended.err
    assert "--journal PLACE" in ended.err
    assert "init" not in ended.err


@dataclass
class Fired:
    """A Prometheus whose one alert fired for these services, from and to so long ago.

    It is evaluated every `interval` seconds, and a sample is shown for five minutes.
    """

    services: dict[str, tuple[float, float]]
    interval: int = 60

    async def __call__(self, server: RawServer, writer: asyncio.StreamWriter) -> None:
        url = urlsplit(server.requests[-1].split()[1])
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        data: object
        if url.path.endswith("/rules"):
            rule = {"type": "alerting", "name": "ShopErrors", "query": "x > 1", "duration": 0}
            data = {"groups": [{"name": "shop", "interval": self.interval, "rules": [rule]}]}
        else:
            data = {"resultType": "matrix", "result": self._rows(asked)}
        text = json.dumps({"status": "success", "data": data})
        await answering(text, JSON)(server, writer)

    def _rows(self, asked: dict[str, str]) -> list[object]:
        start, end, step = (float(asked[name]) for name in ("start", "end", "step"))
        times = [start + n * step for n in range(int((end - start) / step) + 1)]
        if asked["query"] == "max(timestamp(up))":
            return [{"metric": {}, "values": [[at, str(at)] for at in times]}]
        if 'alertname="ShopErrors"' not in asked["query"]:
            return []
        now = time.time()
        found: list[object] = []
        for service, (began, ended) in self.services.items():
            evaluated = [(at, at // self.interval * self.interval) for at in times]
            shown = [
                [at, str(sample)]
                for at, sample in evaluated
                if now - began <= sample <= now - ended and at - sample < 300
            ]
            labels = {"alertname": "ShopErrors", "alertstate": "firing", "service": service}
            if shown:
                found.append({"metric": labels, "values": shown})
        return found


async def test_each_member_of_a_family_has_its_own_comparison(
    provider: RawServer, tmp_path: Path
) -> None:
    family = (
        "version: 1\nrules:\n  shop-errors: {severity: P1, source: prom, each: [service], "
        "labels: {alertname: ShopErrors}, threshold: {expr: x, breach_when: '> 1'}}\n"
    )
    state = recorded(tmp_path / "state", provider, {**FILES, "team/rules.yaml": family})
    name = 'shop-errors{service="a"}'
    with SqliteJournal.open(state, reserve_bytes=4096) as journal:
        opened = e.EpisodeOpened("E1", name, "team", Severity.P1, World.LIVE, None)
        pending = e.EpisodeMoved("E1", State.OK, Event.BREACHED, State.PENDING, 0, "so")
        held = e.EpisodeMoved("E1", State.PENDING, Event.REFUSED, State.HELD, 0, "so")
        over = e.EpisodeMoved("E1", State.HELD, Event.HEALTHY, State.OK, 0, "so")
        began = time.time() - 7200
        journal.append([opened, pending, held], Instant(began, 2.0))
        journal.append([over], Instant(began + 1800, 1802.0))
    provider.behaviour = Fired({"a": (7200, 5400), "b": (3600, 3000)})
    ended = await compare(state, "--json")
    assert ended.status == 1, ended.err
    agrees, alone = ended.json["rules"]
    assert (agrees["rule"], agrees["named_by"]) == (name, "the label alertname")
    assert len(agrees["agreed"]) == 1
    assert agrees["uncertain_seconds"] == 60
    assert alone["rule"] == 'shop-errors{service="b"}'
    assert alone["only_theirs"][0]["alert"]["labels"]["service"] == "b"
    shown = await compare(state)
    assert 'shop-errors{service="b"}' in shown.out
    assert "unknown: whether shop-errors watched this member at all" in shown.out
    provider.behaviour = Fired({"b": (7200, 5400)})
    shown = await compare(state, "--match=team=shop", "--rule=shop-errors")
    which = '{team="shop", service="a"}'
    assert f"ALERTS has no sample of ShopErrors{which} there" in shown.out, "others may have fired"
    provider.behaviour = Fired({"a": (7200, 5400)})
    assert (await compare(state)).status == 0
    provider.behaviour = Fired({"a": (7200, 3600)}, interval=1500)
    ended = await compare(state, "--json")
    assert ended.json["rules"][0]["uncertain_seconds"] == 1500
    assert len(ended.json["rules"][0]["agreed"][0]["alerts"]) == 1
