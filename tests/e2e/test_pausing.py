"""The main job: a breach ends in a paused flag, proven, explained and told."""

import json
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import BAD, ERRORS, PAUSE
from tests.real_parts import RealPrometheus, RealVictoriaMetrics
from watchdog.core.entries import IntentEnded, IntentOpened, Outcome, StepTaken
from watchdog.sandbox.handle import Sandbox

FLAG = "flag:btc_mainnet_redemption"


@pytest.mark.parametrize(
    "maker",
    [None, RealPrometheus, pytest.param(RealVictoriaMetrics, marks=pytest.mark.sim)],
)
async def test_the_same_breach_ends_in_the_same_paused_flag_whoever_scrapes(
    sandbox: Sandbox,
    watchdog: Watchdog,
    tmp_path: Path,
    maker: type[RealPrometheus | RealVictoriaMetrics] | None,
) -> None:
    watchdog.rules.watch_errors()
    async with AsyncExitStack() as stack:
        if maker is not None:
            server = await stack.enter_async_context(
                maker.start(tmp_path, targets=[sandbox.metrics_url], scrape_interval="500ms")
            )
            watch_through(watchdog, server.url)
        await watchdog.on_guard()
        await sandbox.break_redemption()
        episode = await watchdog.episode(ERRORS, state="contained")

    assert not sandbox.is_enabled()
    assert sandbox.flag_changes() == 1
    assert (episode.outcome, episode.read_back) == ("done", "enabled: false")
    assert episode.claims == ((FLAG, False),)
    _is_explained(watchdog)


def watch_through(watchdog: Watchdog, url: str) -> None:
    """Read the counters from a metrics system in place of the service itself."""
    watchdog.rules.platform["sources"]["prom"] = {
        "prometheus": url,
        "every": "500ms",
        "scraped_every": "500ms",
        "deadline": "500ms",
    }
    rule = watchdog.rules.rules[ERRORS]
    rule.update({"source": "prom", "for": "1500ms", "stale_after": "3s"})
    rule["threshold"]["over"] = "3s"


def _is_explained(watchdog: Watchdog) -> None:
    """The journal tells it from the breach to the proof, and people were told."""
    (decided,) = watchdog.decisions(ERRORS)
    assert decided.verdict is not None
    assert "> 5%" in decided.verdict.reason
    assert [gate.gate for gate in decided.gates if not gate.passed] == []
    assert decided.policy_sha256
    assert decided.inputs["held_seconds"]

    (intent,) = watchdog.entries(IntentOpened)
    assert intent.decision == decided.decision
    steps = [(step.step, step.result) for step in watchdog.entries(StepTaken)]
    assert steps == [("read_before", "false"), ("change", "claimed")]
    (ended,) = watchdog.entries(IntentEnded)
    assert (ended.outcome, ended.action, ended.target) == (Outcome.DONE, PAUSE, FLAG)

    order = [one.entry for one in watchdog.journal()]
    assert order.index(decided) < order.index(intent) < order.index(ended)
    assert len(watchdog.pages("is now, as read back, rolled back by pause-redemption")) == 1
    assert len(watchdog.pages("contained by pause-redemption")) == 1


@pytest.mark.sim
async def test_why_tells_every_number_and_gate_to_a_machine(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.watch_errors(impact={"increase": BAD, "of": "redemptions"})
    await watchdog.on_guard()
    calm = json.loads((await watchdog.command("why", ERRORS, "--json")).output)
    await sandbox.break_redemption()
    await watchdog.episode(ERRORS, state="contained")
    told = json.loads((await watchdog.command("why", ERRORS, "--json")).output)

    assert calm["rule"]["verdict"]["status"] == "healthy"
    assert calm["last_decision"] is None
    decision = told["last_decision"]
    assert decision["ruling"] == "allowed"
    asked = {gate["gate"] for gate in decision["gates"] if gate["passed"]}
    assert asked >= {"evidence", "environment", "hold", "burning", "target", "ready", "mode"}
    (window,) = decision["verdict"]["windows"]
    assert window["bad"] / window["total"] > 0.05
    assert told["episode"]["read_back"] == "enabled: false"

    before = await watchdog.until("it is counted", lambda: counted(watchdog))
    await watchdog.restart()
    after = await counted(watchdog)
    for one in (before, after):
        del one["told"], one["affected"]["as_of"], one["service_downtime_seconds"]
        del one["recovered"], one["seconds_breach_to_recovered"], one["service"]
        del one["seconds_first_bad_to_recovered"]
    assert after == before, "it is the record's, and no process's own"
    (pause,) = before["rollbacks"]
    assert (pause["ended"], pause["intent"]) == ("in_time", "I1")
    assert 0 < pause["seconds"] < before["seconds_breach_to_contained"]
    assert before["affected"]["by"] == "impact"
    affected = before["affected"]  # which is asked after what is judged: it may lack a last poll
    assert window["bad"] <= affected["number"] <= affected["failed_events"]
    actions = (await watchdog.read("/v1/status"))["actions"]
    assert [one["last_proof"]["ref"] for one in actions if one["last_proof"]] == ["I1"]


async def counted(watchdog: Watchdog) -> dict[str, Any]:
    """The open episode's numbers, once the cost up to its containment is on record."""
    measures = (await watchdog.why(ERRORS))["episode"]["measures"]
    done = measures["affected"]["as_of"] is not None
    done = done and measures["affected"]["as_of"] > measures["contained"]
    return dict(measures) if done else {}
