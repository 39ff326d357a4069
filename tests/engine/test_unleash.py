"""Toggles of a real Unleash: ready with the right tokens alone, and judged by what it serves.

How often a toggle was really switched is counted in Unleash's own record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.house import ALICE, House
from tests.engine.toggles import ADMIN, CLIENT, Liar, Muffler, Shop
from tests.real_parts.fault_proxy import FaultProxy
from tests.real_parts.unleash import DEVELOPMENT, EDITOR, PRODUCTION, VIEWER, RealUnleash
from watchdog.core import entries as e
from watchdog.core.states import State
from watchdog.core.words import Truth
from watchdog.sandbox.handle import Sandbox


@pytest.fixture(scope="module")
def one_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with asyncio.Runner() as runner:
        unleash = RealUnleash(tmp_path_factory.mktemp("unleash"))
        runner.run(unleash.__aenter__())
        try:
            yield runner.run(Shop.open(unleash))
        finally:
            runner.run(unleash.__aexit__(None, None, None))


@pytest.fixture
async def shop(one_shop: Shop) -> Shop:
    await one_shop.anew()
    return one_shop


async def order(house: House) -> e.IntentEnded:
    """A person's rollback, to its end."""
    await house.orders.rollbacks.rollback(
        ALICE, "pause", "technical", "test", through_hold=False, dry=False
    )
    return house.entries(e.IntentEnded)[-1]


# -- ready, or why not -----------------------------------------------------------------------------


async def test_it_is_ready_with_the_least_rights(tmp_path: Path, shop: Shop) -> None:
    reading = await shop.readiness(tmp_path, shop.toggle())

    assert reading.truth is Truth.TRUE, reading.reason


async def test_it_is_ready_with_an_admin_token_too_and_without_a_client_token(
    tmp_path: Path, shop: Shop
) -> None:
    shop.secrets[ADMIN] = shop.unleash.admin_token

    reading = await shop.readiness(tmp_path, shop.toggle(client_token=None))

    assert reading.truth is Truth.TRUE, reading.reason


@pytest.mark.parametrize("kind", ["another environment's", "frontend", "admin", "person", "wrong"])
async def test_a_client_token_that_is_another_makes_it_not_ready(
    tmp_path: Path, shop: Shop, kind: str
) -> None:
    reasons = {
        "another environment's": 'query.environment is "development"',
        "frontend": "answered 403",
        "admin": "query.environment is missing",  # answered, for an environment that nobody uses
        "person": "query.environment is missing",
        "wrong": "answered 401",
    }
    match kind:
        case "another environment's":
            shop.secrets[CLIENT] = (await shop.unleash.client_token(DEVELOPMENT)).secret
        case "frontend":
            shop.secrets[CLIENT] = (await shop.unleash.client_token(PRODUCTION, "frontend")).secret
        case "admin":
            shop.secrets[CLIENT] = shop.unleash.admin_token
        case "person":
            shop.secrets[CLIENT] = shop.editor.secret
        case _:
            shop.secrets[CLIENT] = "default:production.nobody-made-this"

    reading = await shop.readiness(tmp_path, shop.toggle())

    assert reading.truth is Truth.FALSE
    assert reasons[kind] in reading.reason
    assert shop.secrets[CLIENT] not in reading.reason


@pytest.mark.parametrize("kind", ["viewer", "client", "wrong"])
async def test_an_admin_token_that_may_not_switch_makes_it_not_ready(
    tmp_path: Path, shop: Shop, kind: str
) -> None:
    reasons = {
        "viewer": "UPDATE_FEATURE_ENVIRONMENT",
        "client": "a different token type",
        "wrong": "answered 401",
    }
    match kind:
        case "viewer":
            looks_only = await shop.unleash.person(f"viewer of {shop.feature}", VIEWER)
            shop.secrets[ADMIN] = looks_only.secret
        case "client":
            shop.secrets[ADMIN] = shop.client.secret
        case _:
            shop.secrets[ADMIN] = "user:nobody-made-this"

    reading = await shop.readiness(tmp_path, shop.toggle())

    assert reading.truth is Truth.FALSE
    assert reasons[kind] in reading.reason


@pytest.mark.parametrize("client_token", [CLIENT, None])
@pytest.mark.parametrize("word", ["feature", "project", "environment"])
async def test_what_is_not_there_is_not_ready(
    tmp_path: Path, shop: Shop, word: str, client_token: str | None
) -> None:
    action = shop.toggle(**{word: "elsewhere"}, client_token=client_token)

    reading = await shop.readiness(tmp_path, action)

    assert reading.truth is Truth.FALSE
    assert "elsewhere" in reading.reason or "answered 404" in reading.reason


@pytest.mark.parametrize("client_token", [CLIENT, None])
async def test_an_archived_feature_is_not_ready(
    tmp_path: Path, shop: Shop, client_token: str | None
) -> None:
    await shop.unleash.archive(shop.feature)

    reading = await shop.readiness(tmp_path, shop.toggle(client_token=client_token))

    assert reading.truth is Truth.FALSE
    assert "answered 404" in reading.reason or "features is empty" in reading.reason


async def test_it_is_read_back_where_sdks_are_served(tmp_path: Path, shop: Shop) -> None:
    async with FaultProxy.start(shop.unleash.url) as edge:
        action = shop.toggle(served_by=edge.url)
        assert (await shop.readiness(tmp_path, action)).truth is Truth.TRUE
        await edge.down()
        reading = await shop.readiness(tmp_path, action)

    assert reading.truth is Truth.FALSE
    assert edge.url in reading.reason


# -- paused and resumed ----------------------------------------------------------------------------


async def test_a_breach_switches_it_off_in_one_environment_and_a_person_on_again(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with shop.guarded(tmp_path, sandbox, shop.toggle()) as house:
        house.break_peg()
        await house.until(lambda: house.entries(e.IntentEnded), "the end of it")
        ended = house.entries(e.IntentEnded)[-1]
        assert ended.outcome is e.Outcome.DONE, ended
        assert not await shop.unleash.is_on(shop.feature, PRODUCTION)
        assert await shop.unleash.is_on(shop.feature, DEVELOPMENT)

        house.mend_peg()
        await house.reaches(State.CONTAINED)
        await house.orders.rollbacks.undo(
            ALICE, "pause", "it is well again", dry=False, force=False
        )
        assert house.entries(e.IntentEnded)[-1].outcome is e.Outcome.DONE
        assert await shop.unleash.is_on(shop.feature, PRODUCTION)
    assert await shop.unleash.switches(shop.feature) == [
        (PRODUCTION, "on"),
        (DEVELOPMENT, "on"),
        (PRODUCTION, "off"),
        (PRODUCTION, "on"),
    ]


async def test_what_is_off_already_is_found_and_not_switched(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    await shop.unleash.switch(shop.feature, PRODUCTION, on=False)
    async with shop.guarded(tmp_path, sandbox, shop.toggle(client_token=None)) as house:
        ended = await order(house)

    assert ended.outcome is e.Outcome.FOUND, ended
    assert await shop.switched_off() == 1  # the person's


async def test_a_feature_archived_meanwhile_is_left_to_people(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with shop.guarded(tmp_path, sandbox, shop.toggle()) as house:
        await shop.unleash.archive(shop.feature)
        ended = await order(house)
        await house.reaches(State.LATCHED)

    assert ended.outcome in {e.Outcome.UNKNOWN, e.Outcome.FAILED}, ended
    assert "answered 400" in ended.reason
    assert await shop.switched_off() == 0


async def test_a_token_revoked_meanwhile_fails_with_nothing_changed(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    leaving = await shop.unleash.person(f"leaver of {shop.feature}", EDITOR)
    shop.secrets[ADMIN] = leaving.secret
    async with shop.guarded(tmp_path, sandbox, shop.toggle()) as house:
        await shop.unleash.revoke(leaving)
        ended = await order(house)
        await house.reaches(State.LATCHED)

    assert ended.outcome is e.Outcome.FAILED, ended
    assert "answered 401" in ended.reason
    assert await shop.switched_off() == 0


async def test_a_200_is_no_proof_while_sdks_are_served_that_it_is_on(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with Liar.start(shop.unleash.url) as liar:
        action = shop.toggle(url=liar.url, deadline="3s")
        async with shop.guarded(tmp_path, sandbox, action) as house:
            ended = await order(house)

    assert ended.outcome is e.Outcome.FAILED, ended
    assert "answered 200" in ended.reason
    assert await shop.switched_off() == 0


async def test_a_server_that_dies_with_the_answer_is_settled_by_what_it_serves_afterwards(
    tmp_path: Path, sandbox: Sandbox, shop: Shop
) -> None:
    async with Muffler.start(shop.unleash.url) as between:
        action = shop.toggle(url=between.url, deadline="40s")
        async with shop.guarded(tmp_path, sandbox, action) as house:
            ordered = asyncio.create_task(order(house))
            await shop.until_switched_off()
            await shop.unleash.process.kill()
            await between.down()
            await shop.unleash.start_again()
            between.heal()
            await between.up()
            ended = await ordered
            tried = [one for one in house.entries(e.StepTaken) if one.step == "change"]

    assert tried[0].result == "unknown", tried
    assert ended.outcome is e.Outcome.DONE, ended
    assert await shop.switched_off() == 1
