"""Looking up host names so that a hung name server delays nobody else.

asyncio looks names up in the process's shared thread pool: a handful of hung lookups fills it,
delays every other source, and holds up the exit. Here each host has at most one lookup under
way, in a daemon thread of its own; whoever asks meanwhile waits for the same one.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import threading


class Names:
    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[tuple[str, ...] | OSError]] = {}

    async def addresses(self, host: str) -> tuple[str, ...]:
        """In the system's order of preference. Raises OSError; hangs as long as the lookup."""
        try:
            return (str(ipaddress.ip_address(host)),)
        except ValueError:
            pass
        under_way = self._under_way.get(host)
        if under_way is None:
            under_way = self._begin(host)
        found = await asyncio.shield(under_way)
        if isinstance(found, OSError):
            raise found
        return found

    def _begin(self, host: str) -> asyncio.Future[tuple[str, ...] | OSError]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[tuple[str, ...] | OSError] = loop.create_future()
        self._under_way[host] = future

        def settle(found: tuple[str, ...] | OSError) -> None:
            self._under_way.pop(host, None)
            if not future.done():
                future.set_result(found)

        def look_up() -> None:
            found = _look_up(host)
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(settle, found)

        threading.Thread(target=look_up, name=f"lookup-{host}", daemon=True).start()
        return future


def _look_up(host: str) -> tuple[str, ...] | OSError:
    try:
        rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError as error:
        return error
    except UnicodeError:
        return OSError(f"{host!r} cannot be a host name")
    return tuple(dict.fromkeys(str(row[4][0]) for row in rows))
