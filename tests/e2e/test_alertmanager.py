"""Silences that people make in a real Alertmanager stop starts, and it is told of episodes."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG, TEAM
from tests.e2e.scenes import break_peg, mend_peg
from tests.e2e.test_already_burning import acts_after_once_clear, stays_held
from tests.real_parts.alertmanager import RealAlertmanager
from watchdog.core.entries import AlertmanagerTurned, SilenceEnded, SilenceSeen
from watchdog.sandbox.handle import Sandbox

EVERY = "250ms"


@pytest.fixture
async def alertmanager(tmp_path: Path) -> AsyncIterator[RealAlertmanager]:
    async with RealAlertmanager.quiet(tmp_path) as server:
        yield server


def beside(watchdog: Watchdog, alertmanager: RealAlertmanager, **more: Any) -> None:
    """The platform's section, quick enough for a story."""
    watchdog.rules.platform["alertmanager"] = {
        "url": alertmanager.url,
        "every": EVERY,
        "again": "1s",
        **more,
    }


async def knows(watchdog: Watchdog, *silences: str) -> None:
    """Wait until exactly these silences stand."""

    async def look() -> bool:
        standing = (await watchdog.read("/v1/status"))["silences"]
        return sorted(one["id"] for one in standing) == sorted(silences)

    await watchdog.until(f"the silences {silences} stand", look)


async def told(
    watchdog: Watchdog, alertmanager: RealAlertmanager, *rules: str
) -> list[dict[str, Any]]:
    """Wait until Alertmanager has alerts of exactly these rules; those alerts."""

    async def look() -> list[dict[str, Any]] | None:
        alerts = await alertmanager.alerts()
        found = sorted(alert["labels"]["rule"] for alert in alerts)
        return (alerts or [{}]) if found == sorted(rules) else None

    return await watchdog.until(f"Alertmanager has alerts of {rules}", look)


async def test_a_silence_holds_a_breach_and_its_end_fires_nothing(
    sandbox: Sandbox, watchdog: Watchdog, alertmanager: RealAlertmanager
) -> None:
    """Others silence other things meanwhile: that stops nothing, and is not even recorded."""
    beside(watchdog, alertmanager)
    await alertmanager.silence(seconds=600, rule="another-rule")
    await alertmanager.silence(seconds=600, owner=TEAM, instance="host-1")
    await watchdog.on_guard()
    silence = await alertmanager.silence(seconds=600, rule=PEG, comment="database migration")
    await knows(watchdog, silence)
    told = (await watchdog.command("why", PEG)).output
    assert "A breach would be held, under a silence in Alertmanager by alice until " in told

    break_peg(sandbox)

    held = await watchdog.episode(PEG, state="held")
    assert held.reason.startswith("hold: a silence in Alertmanager by alice until ")
    assert held.reason.endswith(f": database migration ({silence})")
    assert [page.silenced for page in watchdog.pages("is breached and held")] == [True]

    await alertmanager.expire(silence)
    await knows(watchdog)

    await stays_held(sandbox, watchdog)
    await acts_after_once_clear(sandbox, watchdog)
    assert [one.silence.id for one in watchdog.entries(SilenceSeen)] == [silence]
    assert [one.silence for one in watchdog.entries(SilenceEnded)] == [silence]


async def test_a_silence_stands_after_a_restart_while_alertmanager_is_dead(
    sandbox: Sandbox, watchdog: Watchdog, alertmanager: RealAlertmanager
) -> None:
    beside(watchdog, alertmanager, page_after="1s", deadline="200ms")
    await watchdog.on_guard()
    silence = await alertmanager.silence(seconds=600, alertname=PEG)
    await knows(watchdog, silence)
    await watchdog.kill()
    await alertmanager.process.kill()
    await watchdog.start()

    break_peg(sandbox)

    held = await watchdog.episode(PEG, state="held")
    assert silence in held.reason
    assert sandbox.flag_changes() == 0

    async def paged() -> bool:
        return bool(watchdog.pages("Alertmanager's silences cannot be read"))

    await watchdog.until("people are told that it cannot be read", paged)
    assert [one.answers for one in watchdog.entries(AlertmanagerTurned)][-1] is False
    told = (await watchdog.command("status")).output
    assert "Silences in Alertmanager" in told
    assert f"covers {PEG}" in told


async def test_an_episode_is_an_alert_while_it_is_open(
    sandbox: Sandbox, watchdog: Watchdog, alertmanager: RealAlertmanager
) -> None:
    watchdog.rules.rules[PEG]["labels"] = {"alertname": "PegBroken", "service": "reserves"}
    beside(watchdog, alertmanager)
    await watchdog.on_guard()
    assert await alertmanager.alerts() == []

    break_peg(sandbox)
    contained = await watchdog.episode(PEG, state="contained")

    (alert,) = await told(watchdog, alertmanager, PEG)
    assert alert["labels"] == {
        "alertname": "PegBroken",
        "rule": PEG,
        "owner": TEAM,
        "severity": "P0",
        "environment": "sandbox",
        "service": "reserves",
        "world": "live",
        "problem": "breach",
        "watchdog": "slo-watchdog",
    }

    async def moved() -> bool:
        found = (await alertmanager.alerts())[0]["annotations"]
        return str(found["state"]).startswith("contained since ")

    await watchdog.until("the alert says that it is contained", moved)
    assert alert["annotations"]["episode"] == contained.id
    assert alert["annotations"]["look"] == f"slo-watchdog why {PEG}"

    mend_peg(sandbox)
    await watchdog.order("undo", what=contained.id, reason="mended")
    await watchdog.episode(PEG, state="ok")
    await told(watchdog, alertmanager)
