"""Knocking at a TCP port: does anybody accept a connection? Nothing is sent, nothing is read.

Its troubles are those of HTTP requests, told apart by the same table (`troubles.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket

from watchdog.wire.names import Names
from watchdog.wire.pulse import Pulse
from watchdog.wire.transport import Progress, Stage, UnresolvedError
from watchdog.wire.troubles import Trouble, judged, overdue


async def knock(
    names: Names, host: str, port: int, *, deadline_seconds: float
) -> tuple[Trouble, str] | None:
    """None where the connection was accepted, else what was in the way. Never raises.

    All addresses of the name are tried in order, all but the last for a share of the time.
    """
    progress = Progress(stage=Stage.RESOLVING)
    with Pulse(deadline_seconds) as pulse:
        try:
            async with asyncio.timeout(deadline_seconds):
                try:
                    addresses = await names.addresses(host)
                except OSError as error:
                    raise UnresolvedError(error.strerror or str(error)) from error
                progress.stage = Stage.CONNECTING
                *early, last = addresses
                for address in early:
                    with contextlib.suppress(OSError):  # TimeoutError is one
                        async with asyncio.timeout(deadline_seconds / len(addresses)):
                            await _connect(address, port)
                            return None
                await _connect(last, port)
        except TimeoutError:
            return overdue(progress, deadline_seconds, pulse)
        except Exception as error:  # noqa: BLE001  # outcomes are returned, whatever goes wrong
            return judged(error)
    return None


async def _connect(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as ours:
        ours.setblocking(False)  # noqa: FBT003  # the socket's own signature
        await asyncio.get_running_loop().sock_connect(ours, (address, port))
