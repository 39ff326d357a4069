"""No socket outlives the request that it was opened for, however that ended."""

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from watchdog.core.spec import Endpoint
from watchdog.wire.http import HttpProblem, Wire

REQUESTS = 5


@pytest.fixture
def uncollected() -> Iterator[None]:
    """What is closed only by chance, when it is collected, counts as open."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class SilentServer:
    """Accepts, says nothing, and knows who has hung up: it reads on until the end of stream."""

    def __init__(self) -> None:
        self.open = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while await reader.read(65536):
                pass
        except ConnectionError:
            pass
        finally:
            self.open -= 1
            writer.close()

    async def nobody_left(self) -> bool:
        for _ in range(100):
            if self.open == 0:
                return True
            await asyncio.sleep(0.01)
        return False


async def times_out(wire: Wire, url: str) -> None:
    outcome = await wire.ask(Endpoint(url), deadline_seconds=0.1, max_bytes=100)
    assert isinstance(outcome, HttpProblem)


async def is_cancelled(wire: Wire, url: str) -> None:
    asking = asyncio.create_task(wire.ask(Endpoint(url), deadline_seconds=30, max_bytes=100))
    await asyncio.sleep(0.1)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("end", [times_out, is_cancelled])
async def test_a_request_that_hangs_leaves_no_socket(
    wire: Wire, scheme: str, end: Callable[[Wire, str], Awaitable[None]]
) -> None:
    silent = SilentServer()
    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        before = _descriptors()
        for _ in range(REQUESTS):
            await end(wire, f"{scheme}://127.0.0.1:{port}/")
        assert await silent.nobody_left(), f"{silent.open} of {REQUESTS} sockets are still open"
        assert _descriptors() <= before


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
