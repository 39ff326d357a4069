"""Silences of an Alertmanager, and whether it answers, on the page, in metrics and the API."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.web.policies import QUIET, policy, source
from tests.web.test_pages import Outline
from tests.web.watching import Watch, watching
from watchdog.core.alertmanager import AlertmanagerSpec, AlertmanagerTurned
from watchdog.core.silences import Matching, Silence, SilenceSeen
from watchdog.core.spec import Endpoint, Scrape

MARKUP = "<script>alert(1)</script>"
GOOD, BAD = "http://127.0.0.1:1", "http://127.0.0.1:2"


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    """One replica told nothing wrong, the other said something odd."""
    spec = AlertmanagerSpec(
        (Endpoint(GOOD), Endpoint(BAD)),
        10.0,
        5.0,
        silences=True,
        alerts=True,
        again_seconds=60.0,
        page_after_seconds=300.0,
        max_bytes=1_000_000,
    )
    sources = {"app": source("app", Scrape(Endpoint(GOOD)))}
    found = replace(policy(sources, (QUIET,), ()), alertmanager=spec)
    async with watching(tmp_path, found, runs=False) as watch:
        engine = watch.engine
        engine.tick()
        now = engine.ports.clock.now()
        beside = engine.alertmanager
        beside.silences.replicas = {GOOD: "", BAD: f"HTTP 500 {MARKUP}"}
        beside.alerts.replicas = {GOOD: "", BAD: ""}
        beside.silences.looked_at, beside.alerts.told_at, beside.alerts.firing = now, now, 3
        draft = engine.recorder.draft()
        draft.add(AlertmanagerTurned("silences", answers=True, reason=""))
        draft.add(AlertmanagerTurned("alerts", answers=False, reason="HTTP 503"))
        for name, begins, matcher in (
            ("now", 0.0, Matching("rule", QUIET.name)),
            ("later", 3600.0, Matching("rule", "another|third", regex=True)),
        ):
            starts = now.plus(begins)
            draft.add(
                SilenceSeen(Silence(name, (matcher,), starts, starts.plus(600), "bob", MARKUP))
            )
        engine.recorder.commit(draft)
        yield watch


async def test_the_page_shows_who_silences_what_and_lets_no_markup_in(watch: Watch) -> None:
    page = (await watch.get("/")).text
    assert MARKUP not in page
    shown = Outline(page).text
    assert "It watches, and Alertmanager silences rules" in shown
    assert f"bob silences {QUIET.name}" in shown
    assert "bob will silence none of the rules" in shown
    assert 'rule=~"another|third"' in shown
    assert "HTTP 503" in shown
    assert BAD in shown


async def test_the_api_and_the_metrics_say_the_same(watch: Watch) -> None:
    status = (await watch.get("/api/v1/status")).json()
    assert [(one["id"], one["stands"], one["covers"]) for one in status["silences"]] == [
        ("now", True, [QUIET.name]),
        ("later", False, []),
    ]
    beside = status["alertmanager"]
    assert (beside["silences"]["answers"], beside["alerts"]["answers"]) == (True, False)
    assert [one["silences"] for one in beside["replicas"]] == ["", f"HTTP 500 {MARKUP}"]
    why = (await watch.get(f"/api/v1/why/{QUIET.name}")).json()
    assert why["stops"] == [watch.engine.book.outside.silences["now"].silence.text]

    metrics = (await watch.get("/metrics")).text
    for line in (
        f'slo_watchdog_alertmanager_up{{alertmanager="{GOOD}"}} 1.0',
        f'slo_watchdog_alertmanager_up{{alertmanager="{BAD}"}} 0.0',
        "slo_watchdog_alertmanager_silences 1.0",
        "slo_watchdog_alertmanager_alerts 3.0",
    ):
        assert f"{line}\n" in metrics
    assert "slo_watchdog_alertmanager_silences_age_seconds 0." in metrics
