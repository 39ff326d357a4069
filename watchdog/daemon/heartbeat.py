"""A dead man's switch: says that the watch goes on, so that others hear when it does not.

Two who can be told: a URL that is asked (any service that calls people when a request stays away),
and a monitor of Sentry's. The law: a beat is sent only after a pass that was completed since the
last one, while what is judged can also be recorded; it runs beside the passes, under a deadline of
its own, and whatever becomes of it changes nothing here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import structlog

from watchdog.core.asking import Endpoint
from watchdog.engine import Engine
from watchdog.ports import SecretMissing
from watchdog.settings import Settings
from watchdog.telemetry import check_in
from watchdog.wire.http import HttpProblem, Wire

DEADLINE_SECONDS = 10.0
_MAX_BYTES = 65_536
_LOOK_EVERY_SECONDS = 0.5


class Heartbeat:
    """`unwell` says why the daemon cannot do what it is for; "" while it can."""

    def __init__(
        self, engine: Engine, wire: Wire, settings: Settings, unwell: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._wire = wire.apart("heartbeat")
        self._secret = settings.heartbeat
        self._monitor = settings.sentry_monitor if settings.sentry_dsn else ""
        self._lost_monitor = "" if settings.sentry_dsn else settings.sentry_monitor
        self._every_seconds = settings.heartbeat_every
        self._unwell = unwell
        self._trouble: str | None = None  # None: not known yet

    async def forever(self) -> None:
        """Never ends by itself; at once where nobody is to be told."""
        if self._lost_monitor:
            reason = f"sentry_monitor = {self._lost_monitor!r} needs sentry_dsn"
            structlog.get_logger().error("heartbeat.unheard", reason=reason)
        if not self._secret and not self._monitor:
            return
        loop = asyncio.get_running_loop()
        beaten, due = 0, loop.time()
        while True:
            passes = self._engine.passes.count
            unwell = self._unwell() or self._engine.leading.trouble
            if loop.time() >= due and passes > beaten and not unwell:
                beaten, due = passes, loop.time() + self._every_seconds
                await self._beat()
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    async def _beat(self) -> None:
        """Both, whatever becomes of either: a beat that fails must not be the last one."""
        trouble = ""
        if self._monitor:
            try:
                check_in(self._monitor, self._every_seconds)
            except Exception as error:  # noqa: BLE001  # the library's own, of whatever kind
                trouble = f"Sentry: {type(error).__name__}"
        if self._secret:
            trouble = await self._asked() or trouble
        self._told(trouble)

    async def _asked(self) -> str:
        """What went wrong, without a word of the URL but its host: the rest is a secret."""
        try:
            url = self._wire.secrets.read(self._secret).strip()
        except SecretMissing as missing:
            return str(missing)
        deadline = min(DEADLINE_SECONDS, self._every_seconds)
        outcome = await self._wire.ask(
            Endpoint(url), deadline_seconds=deadline, max_bytes=_MAX_BYTES
        )
        if isinstance(outcome, HttpProblem):
            return f"{_host(url)}: {outcome.kind.value}"
        return "" if outcome.status < 400 else f"{_host(url)}: HTTP {outcome.status}"

    def _told(self, trouble: str) -> None:
        if trouble != self._trouble:
            log = structlog.get_logger()
            if trouble:
                log.warning("heartbeat.unheard", reason=trouble)
            else:
                log.info("heartbeat.heard")
            self._trouble = trouble


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "(no host)"
    except ValueError:
        return "(unreadable URL)"
