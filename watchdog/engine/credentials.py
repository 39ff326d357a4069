"""Whether people and the public could be told: the credentials of channels and status pages.

The law: one that is missing keeps nobody from watching, and is told long before it is needed: in
the log as it comes and goes, and in `status` and the metrics meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import structlog

from watchdog.core.spec import Policy
from watchdog.core.telling.credentials import Lacks, missing_of

LOOK_SECONDS = 5.0
"""How often they are looked at: so soon it is told after a start, an `apply` or a rotation."""


class Credentials:
    """`missing` is as it was seen last."""

    def __init__(self, policy: Callable[[], Policy], lacks: Lacks) -> None:
        self.missing: Mapping[str, str] = {}
        self._policy = policy
        self._lacks = lacks

    async def forever(self) -> None:
        """Until cancelled. A folder of them that hangs delays nothing else."""
        while True:
            contacts = self._policy().contacts
            self._saw(await asyncio.to_thread(missing_of, contacts, self._lacks))
            await asyncio.sleep(LOOK_SECONDS)

    def _saw(self, missing: Mapping[str, str]) -> None:
        before, self.missing = self.missing, missing
        log = structlog.get_logger()
        for name, why in missing.items():
            if before.get(name) != why:
                remedy = "put it there: until then nobody is told by it"
                log.warning("credential.missing", needed_by=name, reason=why, remedy=remedy)
        for name in before.keys() - missing.keys():
            log.info("credential.found", needed_by=name)
