"""What is broken and rolled back, again and again: a flag of Mycelia's, a release of a shop's."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import Rulebook
from tests.e2e.scenes import break_peg
from tests.releases.armed import arm
from tests.releases.site import BAD, GOOD, Shop
from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox


class Scene(Protocol):
    """The target, which counts for itself."""

    sandbox: Sandbox
    repeats: bool  # whether a change of which nothing is known is tried again

    async def as_new(self) -> None: ...

    def watchdog(self, home: Path) -> Watchdog:
        """A daemon whose only armed rule rolls it back; not yet started."""
        ...

    def breach(self) -> None: ...

    def is_rolled_back(self) -> bool: ...

    def effects(self) -> int:
        """How often it was effectively changed, there and back."""
        ...


class Pausing:
    """The flag is switched off by the launch tool."""

    repeats = True

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    async def as_new(self) -> None:
        await self.sandbox.reset()

    def watchdog(self, home: Path) -> Watchdog:
        return Watchdog(home, Rulebook(home / "rules", self.sandbox))

    def breach(self) -> None:
        break_peg(self.sandbox)

    def is_rolled_back(self) -> bool:
        return not self.sandbox.is_enabled()

    def effects(self) -> int:
        return len(self.sandbox.changes(REDEMPTION))


class Releasing:
    """The version before is deployed, by a tool or by a call."""

    repeats = False

    def __init__(self, sandbox: Sandbox, shop: Shop, kind: str) -> None:
        self.sandbox = sandbox
        self._shop = shop
        self._kind = kind

    async def as_new(self) -> None:
        self._shop.reset()

    def watchdog(self, home: Path) -> Watchdog:
        daemon = Watchdog(home, Rulebook(home / "rules", self.sandbox))
        arm(daemon, self._shop, self._kind)
        return daemon

    def breach(self) -> None:
        self._shop.fault(f"{BAD} is ill")

    def is_rolled_back(self) -> bool:
        return self._shop.served == GOOD

    def effects(self) -> int:
        return len(self._shop.changes)
