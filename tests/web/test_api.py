"""Our own JSON, after a real breach."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.web.conftest import Paused
from tests.web.policies import ERROR_RATE, OBSERVED
from watchdog.engine import Views
from watchdog.web.readonly import Health, readonly_app

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def asked(paused: Paused, path: str) -> Any:
    answer = await paused.watch.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


async def test_why_tells_every_gate_of_the_decision_to_act(paused: Paused) -> None:
    why = await asked(paused, f"/api/v1/why/{ERROR_RATE.name}")
    assert why["episode"]["id"] == paused.episode
    assert why["last_decision"]["ruling"] == "allowed"
    assert len(why["last_decision"]["gates"]) == 13
    assert all(gate["passed"] for gate in why["last_decision"]["gates"])


async def test_an_episode_tells_its_story_from_breach_to_proof(paused: Paused) -> None:
    episodes = await asked(paused, "/api/v1/episodes")
    found = next(ep for ep in episodes if ep["id"] == paused.episode)
    states = [one["state"] for one in found["timeline"] if one["state"]]
    assert states == ["pending", "acting", "verifying", "contained"]
    told = [one["what"] for one in found["timeline"]]
    assert told.index("decided") < told.index("intent") < told.index("step") < told.index("ended")
    times = [one["at"] for one in found["timeline"]]
    assert times == sorted(times)


async def test_actions_tell_that_they_are_ready_and_who_needs_them(paused: Paused) -> None:
    [action] = await asked(paused, "/api/v1/actions")
    assert (action["name"], action["ready"]) == ("pause-redemption", "true")
    assert action["claimed_by"] == [paused.episode]


async def test_decisions_can_be_followed(paused: Paused) -> None:
    await paused.watch.episode(OBSERVED.name, state="held")
    every = await asked(paused, "/api/v1/decisions")
    assert {one["rule"] for one in every} == {ERROR_RATE.name, OBSERVED.name}
    first, rest = every[0], every[1:]
    assert await asked(paused, "/api/v1/decisions?after=0&limit=1") == [first]
    assert await asked(paused, f"/api/v1/decisions?after={first['seq']}") == rest
    assert await asked(paused, "/api/v1/decisions?limit=1") == [every[-1]]
    of_one = await asked(paused, f"/api/v1/decisions?rule={OBSERVED.name}")
    assert {one["rule"] for one in of_one} == {OBSERVED.name}
    assert of_one[0]["ruling"] == "refused"
    assert await asked(paused, "/api/v1/decisions?rule=no-such-rule") == []


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "limit=1001", "limit=", "rule=a%20b", "rule=%3Cscript%3E"]
)
async def test_a_parameter_that_makes_no_sense_is_refused(paused: Paused, query: str) -> None:
    answer = await paused.watch.get(f"/api/v1/decisions?{query}")
    assert answer.status_code == 400
    assert answer.text == "This request is not understood here.\n"


async def test_a_rule_that_does_not_exist_has_no_why(paused: Paused) -> None:
    answer = await paused.watch.get("/api/v1/why/no-such-rule")
    assert answer.status_code == 404
    assert answer.json()["wrong"].startswith("there is no rule no-such-rule; there are: ")


async def test_status_tells_the_whole(paused: Paused) -> None:
    status = await asked(paused, "/api/v1/status")
    assert status["recording"] == "ok"
    assert {ep["id"] for ep in status["episodes"]} >= {paused.episode}
    assert [hold["scope"] for hold in status["holds"]] == ["owner platform-team"]


async def test_a_process_that_comes_back_knows_what_an_open_episode_went_through(
    paused: Paused,
) -> None:
    views = Views(paused.watch.engine)
    again = readonly_app(views, Health(lambda: "", lambda: ""), ("localhost",))
    beside = asyncio.create_task(again.state.live.run())
    transport = httpx.ASGITransport(again)
    client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
    async with client as web, asyncio.timeout(10):
        episodes: list[dict[str, Any]] = []
        while not any(one["timeline"] for one in episodes):
            await asyncio.sleep(0.02)  # the journal is read beside
            episodes = (await web.get("/api/v1/episodes")).json()
    beside.cancel()
    shown = await asked(paused, "/api/v1/episodes")
    for one in (*episodes, *shown):
        one.pop("measures")  # which grow from one moment to the next
    assert episodes == shown
