"""Looks for signatures while a system restore waits for them, and says where none can be left."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import structlog

from watchdog.actions import open_signing
from watchdog.engine import Engine, Signatures

SIGNATURES_SECONDS = 3.0
"""How often; while nothing waits, a look costs nothing."""


def taking_signatures(engine: Engine) -> Callable[[], Awaitable[None]]:
    taking = Signatures(engine, open_signing())

    async def look() -> None:
        before = taking.trouble
        await taking.look()
        if taking.trouble not in {"", before}:
            structlog.get_logger().error("restore.not_asked", reason=taking.trouble)

    return look
