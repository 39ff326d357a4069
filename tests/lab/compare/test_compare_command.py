"""`compare` at its edges: a record that says nothing, a Prometheus that does not answer as one."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.cli.conftest import Ended, here
from tests.wire.raw_server import Behaviour, RawServer, answering, hangs
from watchdog.core import entries as e
from watchdog.core.words import Instant
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


def recorded(folder: Path, provider: RawServer) -> Path:
    """A day ago a daemon started on these rules; since then nothing happened."""
    files = {path: text.replace("PLACE", provider.url) for path, text in FILES.items()}
    load = load_files(files, "production")
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
    ended = await compare(tmp_path / "nowhere")
    assert ended.status == 1
    assert "nowhere" in ended.err
