"""The flag API serves flags, lets governance change them, and counts what was really changed."""

import asyncio

import httpx

from watchdog.sandbox.handle import Sandbox

FLAG = "btc_mainnet_redemption"


def address(sandbox: Sandbox, flag: str = FLAG) -> str:
    return f"{sandbox.url}/api/feature-flags/{flag}"


async def put(
    web: httpx.AsyncClient, sandbox: Sandbox, *, enabled: bool, **headers: str
) -> httpx.Response:
    bearer = {"authorization": f"Bearer {sandbox.token}"}
    return await web.put(address(sandbox), json={"enabled": enabled}, headers={**bearer, **headers})


async def test_a_flag_is_served_with_its_version(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    answer = await web.get(address(sandbox))

    served = answer.json()
    assert (served["name"], served["enabled"], served["version"]) == (FLAG, True, 1)
    assert answer.headers["etag"] == '"1"'


async def test_governance_switches_a_flag_off(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    answer = await put(web, sandbox, enabled=False)

    assert answer.json()["enabled"] is False
    assert (await web.get(address(sandbox))).json()["version"] == 2
    assert sandbox.flag_changes() == 1
    assert not sandbox.is_enabled()


async def test_only_the_governance_token_changes_a_flag(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    without = await web.put(address(sandbox), json={"enabled": False})
    wrong = await put(web, sandbox, enabled=False, authorization="Bearer guessed")

    assert (without.status_code, wrong.status_code) == (401, 403)
    assert sandbox.flag_changes() == 0
    assert sandbox.is_enabled()


async def test_a_rotated_token_counts_from_the_next_request_on(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    old = sandbox.token
    sandbox.places.governance_token.write_text("rotated\n")

    refused = await put(web, sandbox, enabled=False, authorization=f"Bearer {old}")
    accepted = await put(web, sandbox, enabled=False)

    assert (refused.status_code, accepted.status_code) == (403, 200)


async def test_the_same_value_again_is_no_effective_change(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    for _ in range(3):
        assert (await put(web, sandbox, enabled=False)).json()["version"] == 2

    assert sandbox.flag_changes() == 1
    assert sandbox.flag_requests(method="PUT") == 3


async def test_a_conditional_write_loses_against_a_newer_version(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    await sandbox.change_flag_behind_its_back(enabled=False)
    await sandbox.change_flag_behind_its_back(enabled=True)

    stale = await put(web, sandbox, enabled=False, **{"if-match": '"1"'})
    fresh = await put(web, sandbox, enabled=False, **{"if-match": "3"})

    assert (stale.status_code, stale.json()["version"]) == (409, 3)
    assert fresh.status_code == 200


async def test_of_many_conditional_writes_at_once_one_wins(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    answers = await asyncio.gather(
        *(put(web, sandbox, enabled=False, **{"if-match": "1"}) for _ in range(8))
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert sandbox.flag_changes() == 1


async def test_values_and_counts_survive_a_killed_app(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    await put(web, sandbox, enabled=False)
    await sandbox.app.kill()
    assert sandbox.flag_changes() == 1

    await sandbox.start_app()
    await put(web, sandbox, enabled=False)

    assert (await web.get(address(sandbox))).json()["version"] == 2
    assert sandbox.flag_changes() == 1
    assert sandbox.flag_requests(method="PUT") == 2


async def test_a_change_behind_the_api_is_seen_and_told_apart(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    await put(web, sandbox, enabled=False)
    await sandbox.change_flag_behind_its_back(enabled=True, by="alice")

    assert (await web.get(address(sandbox))).json()["enabled"] is True
    assert [change.by == "alice" for change in sandbox.changes()] == [False, True]
    assert sandbox.flag_changes(by="alice") == 1


async def test_nonsense_changes_nothing(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    bearer = {"authorization": f"Bearer {sandbox.token}"}
    for body in (b"", b"[]", b"{}", b'{"enabled": "no"}', b"\xff"):
        assert (await web.put(address(sandbox), content=body, headers=bearer)).status_code == 400
    unknown = await web.put(address(sandbox, "nosuch"), json={"enabled": True}, headers=bearer)

    assert unknown.status_code == 404
    assert (await web.get(address(sandbox, "nosuch"))).status_code == 404
    assert sandbox.flag_changes() == 0


async def test_a_firing_alert_from_alertmanager_pauses(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    bearer = {"authorization": f"Bearer {sandbox.token}"}
    webhook = f"{address(sandbox)}/alertmanager"

    assert (await web.post(webhook, json={"status": "firing"})).status_code == 401
    await web.post(webhook, json={"status": "resolved"}, headers=bearer)
    assert sandbox.is_enabled()
    await web.post(webhook, json={"status": "firing"}, headers=bearer)
    assert not sandbox.is_enabled()


async def test_the_moment_of_a_change_is_known(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    waiting = asyncio.create_task(sandbox.flag_becomes(enabled=False))
    await put(web, sandbox, enabled=False)

    assert await waiting == sandbox.changes()[0].at
