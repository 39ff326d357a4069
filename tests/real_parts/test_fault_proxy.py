"""The proxy does to a connection what a bad network does, and nothing when it is fine."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from tests.real_parts import FaultProxy, Weather
from watchdog.sandbox.handle import Sandbox


@pytest.fixture(scope="module")
def one_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with asyncio.Runner() as runner:
        sandbox = Sandbox.start(tmp_path_factory.mktemp("mycelia"))
        runner.run(sandbox.__aenter__())
        yield sandbox
        runner.run(sandbox.__aexit__(None, None, None))


@pytest.fixture
async def sandbox(one_sandbox: Sandbox) -> Sandbox:
    await one_sandbox.reset()
    return one_sandbox


@pytest.fixture
async def proxy(sandbox: Sandbox) -> AsyncIterator[FaultProxy]:
    async with FaultProxy.start(sandbox.url) as running:
        yield running


async def get(proxy: FaultProxy, path: str = "/metrics", limit_seconds: float = 5.0) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=limit_seconds) as client:
        return (await client.get(proxy.url + path)).raise_for_status().text


async def seconds_of(proxy: FaultProxy) -> float:
    began = time.monotonic()
    assert "redemption_requests_total" in await get(proxy)
    return time.monotonic() - began


async def test_slowness_of_every_kind(proxy: FaultProxy) -> None:
    plain = await seconds_of(proxy)

    proxy.set(Weather(latency_seconds=0.4))
    assert await seconds_of(proxy) >= 0.4

    proxy.set(Weather(bytes_per_second=2000))  # a page has about 1 kB
    assert await seconds_of(proxy) >= 0.3

    proxy.set(Weather(slice_bytes=100, slice_seconds=0.06))
    assert await seconds_of(proxy) >= 0.3

    proxy.heal()
    assert await seconds_of(proxy) < plain + 0.3


async def test_a_blackhole_swallows_until_it_is_lifted(proxy: FaultProxy) -> None:
    proxy.set(Weather(blackhole=True))
    with pytest.raises(httpx.ReadTimeout):
        await get(proxy, limit_seconds=0.3)

    proxy.heal()
    assert await get(proxy)


async def test_a_reset_before_and_in_the_middle_of_an_answer(proxy: FaultProxy) -> None:
    for after in (0, 300):
        proxy.set(Weather(reset_after_bytes=after))
        with pytest.raises(httpx.ReadError):
            await get(proxy)

    proxy.heal()
    assert await get(proxy)


async def test_a_slow_close_keeps_a_reader_waiting_for_the_end(proxy: FaultProxy) -> None:
    proxy.set(Weather(slow_close_seconds=0.4))
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"GET /health HTTP/1.0\r\nHost: mycelia\r\n\r\n")
    answer = await reader.readuntil(b'{"status":"ok"}')
    began = time.monotonic()

    assert answer.startswith(b"HTTP/1.1 200")
    assert await reader.read() == b""
    assert 0.3 <= time.monotonic() - began < 2
    writer.close()


async def test_down_and_up_again_on_the_same_port(proxy: FaultProxy) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        await client.get(proxy.url + "/health")  # a kept connection, which breaks as well
        await proxy.down()
        with pytest.raises(httpx.TransportError):
            await client.get(proxy.url + "/health")
        with pytest.raises(httpx.ConnectError):
            await client.get(proxy.url + "/health")

    await proxy.up()
    assert await get(proxy, "/health")


async def test_a_dead_server_behind_it_ends_the_connection(
    proxy: FaultProxy, sandbox: Sandbox
) -> None:
    await sandbox.app.kill()
    with pytest.raises(httpx.TransportError):
        await get(proxy)
    assert proxy.connections == 1
