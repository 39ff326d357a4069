"""Every fault does what it says, at the place it names, for as long as it is told."""

import asyncio
import gzip
import time

import httpx
import pytest

from watchdog.sandbox.faults import FaultBook
from watchdog.sandbox.handle import Sandbox


def flag_at(sandbox: Sandbox) -> str:
    return f"{sandbox.url}/api/feature-flags/btc_mainnet_redemption"


async def switch_off(
    web: httpx.AsyncClient, sandbox: Sandbox, timeout_seconds: float = 5.0
) -> httpx.Response:
    bearer = {"authorization": f"Bearer {sandbox.token}"}
    return await web.put(
        flag_at(sandbox), json={"enabled": False}, headers=bearer, timeout=timeout_seconds
    )


async def test_an_api_that_lies_about_pausing(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.fault("flag_write", "pretend")
    answer = await switch_off(web, sandbox)

    assert (answer.status_code, answer.json()["enabled"]) == (200, False)
    assert (await web.get(flag_at(sandbox))).json()["enabled"] is True
    assert sandbox.flag_changes() == 0


async def test_applied_although_it_answers_500(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.fault("flag_write", "fail_after")

    assert (await switch_off(web, sandbox)).status_code == 500
    assert (await web.get(flag_at(sandbox))).json()["enabled"] is False
    assert sandbox.flag_changes() == 1


@pytest.mark.parametrize(("kind", "changes"), [("hang", 0), ("hang_after", 1)])
async def test_a_hang_before_and_one_after_applying(
    sandbox: Sandbox, web: httpx.AsyncClient, kind: str, changes: int
) -> None:
    sandbox.fault("flag_write", kind)
    with pytest.raises(httpx.ReadTimeout):
        await switch_off(web, sandbox, timeout_seconds=0.3)

    assert sandbox.flag_changes() == changes


@pytest.mark.parametrize("status", [401, 403, 409, 429, 500, 502])
async def test_refusals_change_nothing(
    sandbox: Sandbox, web: httpx.AsyncClient, status: int
) -> None:
    sandbox.fault("flag_write", "answer", status=status, headers={"retry-after": "2"})
    answer = await switch_off(web, sandbox)

    assert (answer.status_code, answer.headers["retry-after"]) == (status, "2")
    assert sandbox.flag_changes() == 0
    assert (await web.get(flag_at(sandbox))).is_success  # another place is not touched


async def test_a_login_page_and_a_redirect(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.fault("flag_read", "html")
    page = await web.get(flag_at(sandbox))
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")

    sandbox.clear_faults()
    sandbox.fault("flag_read", "redirect", location="/login")
    moved = await web.get(flag_at(sandbox))
    assert (moved.status_code, moved.headers["location"]) == (302, "/login")


async def test_a_dripping_body_outlives_a_read_timeout(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    sandbox.fault("flag_read", "drip", seconds=0.1, bytes_per_step=20)
    began = time.monotonic()
    answer = await web.get(flag_at(sandbox), timeout=0.3)  # per read, so it never strikes

    assert answer.json()["enabled"] is True
    assert time.monotonic() - began > 0.5


async def test_a_gzip_bomb_is_small_on_the_wire(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.fault("status", "gzip_bomb", bytes=50 * 2**20)
    async with web.stream("GET", f"{sandbox.url}/ops/status.json") as answer:
        wire = b"".join([part async for part in answer.aiter_raw()])

    assert len(wire) < 100_000
    assert len(gzip.decompress(wire)) == 50 * 2**20


async def test_a_flood_streams_until_the_client_leaves(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    sandbox.fault("metrics", "flood", bytes=10**9)
    received = 0
    async with web.stream("GET", f"{sandbox.url}/metrics") as answer:
        async for part in answer.aiter_raw():
            received += len(part)
            if received > 10 * 2**20:
                break

    sandbox.clear_faults()
    assert (await web.get(f"{sandbox.url}/health")).is_success


async def test_a_flood_has_the_size_it_was_told(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.fault("metrics", "flood", bytes=1_000_000)

    assert len((await web.get(f"{sandbox.url}/metrics")).content) == 1_000_000


async def test_a_replica_is_late(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.fault("flag_read", "late", seconds=0.5)
    await switch_off(web, sandbox)

    assert (await web.get(flag_at(sandbox))).json()["enabled"] is True
    await asyncio.sleep(0.6)
    assert (await web.get(flag_at(sandbox))).json()["enabled"] is False


async def test_connections_are_refused_and_accepted_again(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    await web.get(flag_at(sandbox))  # a kept connection, which must break too
    await sandbox.refuse_connections()
    with pytest.raises(httpx.TransportError):
        await web.get(flag_at(sandbox))
    with pytest.raises(httpx.ConnectError):
        await web.get(flag_at(sandbox))
    assert (await sandbox.state())["listening"] is False

    await sandbox.accept_connections()
    assert (await web.get(flag_at(sandbox))).is_success


async def test_metrics_of_nan_of_old_and_of_frozen_numbers(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    page = f"{sandbox.url}/metrics"

    sandbox.fault("metrics", "nan")
    assert 'redemption_requests_total{code="200"} NaN' in (await web.get(page)).text

    sandbox.clear_faults()
    sandbox.fault("metrics", "old_timestamps", seconds=600)
    line = next(
        line
        for line in (await web.get(page)).text.splitlines()
        if line.startswith("redemption_requests_total")
    )
    assert abs(int(line.split()[-1]) / 1000 - (time.time() - 600)) < 5

    sandbox.clear_faults()
    sandbox.freeze_metrics()
    frozen = (await web.get(page)).text
    await asyncio.sleep(0.1)
    assert (await web.get(page)).text == frozen
    sandbox.clear_faults("metrics")
    assert (await web.get(page)).text != frozen


async def test_a_fault_for_the_next_requests_only(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    sandbox.fault("health", "answer", status=502, times=2)
    seen = [(await web.get(f"{sandbox.url}/health")).status_code for _ in range(3)]

    assert seen == [502, 502, 200]


async def test_an_app_that_is_stopped_hangs_and_goes_on(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    sandbox.app.pause()
    with pytest.raises(httpx.ReadTimeout):
        await web.get(flag_at(sandbox), timeout=0.3)
    sandbox.app.resume()

    assert (await web.get(flag_at(sandbox))).is_success


async def test_faults_over_the_control_port(sandbox: Sandbox, web: httpx.AsyncClient) -> None:
    faults = f"{sandbox.control_url}/faults"
    await web.post(faults, json={"on": "health", "kind": "html"})
    assert "Sign in" in (await web.get(f"{sandbox.url}/health")).text

    wrong = await web.post(faults, json={"on": "health", "kind": "gremlins"})
    assert (wrong.status_code, "gremlins" in wrong.json()["error"]) == (400, True)

    await web.delete(faults, params={"on": "health"})
    assert (await sandbox.state())["faults"] == []
    assert (await web.get(f"{sandbox.url}/health")).json() == {"status": "ok"}


async def test_a_misspelt_fault_is_refused_where_it_is_written(sandbox: Sandbox) -> None:
    book = FaultBook(sandbox.places.faults)
    with pytest.raises(ValueError, match="flag_wriet"):
        book.add({"on": "flag_wriet", "kind": "hang"})
    assert book.documents() == []


async def test_closing_the_listener_breaks_what_is_in_flight(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    sandbox.fault("flag_read", "hang")
    waiting = asyncio.create_task(web.get(flag_at(sandbox)))
    async with asyncio.timeout(5):
        while not sandbox.flag_requests():  # noqa: ASYNC110 - another process counts them
            await asyncio.sleep(0.01)
    await sandbox.refuse_connections()

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await waiting
