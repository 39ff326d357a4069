"""A toggle of a real Unleash as a target, written in the short form that platform files have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.engine.house import House, living, policy
from tests.real_parts.fault_proxy import FaultProxy, Weather
from tests.real_parts.unleash import DEVELOPMENT, EDITOR, PRODUCTION, RealUnleash, Token
from watchdog.actions import open_actuator, open_probe
from watchdog.clock import SystemClock
from watchdog.core.spec import ActionSpec
from watchdog.core.words import CheckReading, Truth
from watchdog.engine.preflight import ready_now
from watchdog.policy.actions import actions_of
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.tree import read_tree
from watchdog.sandbox.handle import Sandbox
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

ADMIN, CLIENT = "unleash-admin", "unleash-client"
_NUMBERS = count(1)


@dataclass
class Shop:
    """An Unleash with those who use it, and a feature for each test."""

    unleash: RealUnleash
    editor: Token
    client: Token
    secrets: dict[str, str] = field(default_factory=dict)
    feature: str = ""

    @classmethod
    async def open(cls, unleash: RealUnleash) -> Shop:
        editor = await unleash.person("watchdog", EDITOR)
        return cls(unleash, editor, await unleash.client_token(PRODUCTION))

    async def anew(self) -> None:
        """Another feature, on in both environments, and the credentials that are right for it."""
        self.feature = f"checkout-{next(_NUMBERS)}"
        self.secrets = {ADMIN: self.editor.secret, CLIENT: self.client.secret}
        await self.unleash.feature(self.feature, PRODUCTION, DEVELOPMENT)

    def toggle(self, **different: str | None) -> ActionSpec:
        """The action, as a platform file's text becomes one; None leaves a word out."""
        words: Mapping[str, str | None] = {
            "url": self.unleash.url,
            "feature": self.feature,
            "environment": PRODUCTION,
            "admin_token": ADMIN,
            "client_token": CLIENT,
            "deadline": "10s",
            "do": "off",
        } | different
        outer = ("deadline", "do")
        inner = ", ".join(f'{k}: "{v}"' for k, v in words.items() if v and k not in outer)
        lines = [f"  {word}: {words[word]}\n" for word in outer]
        tree = read_tree(f"pause:\n  unleash: {{{inner}}}\n{''.join(lines)}", "platform.yaml")
        assert tree is not None
        findings = Findings()
        place, node = tree.entries["pause"]
        made = actions_of([Entry("pause", place, node)], findings)["pause"]
        assert made is not None, findings.errors
        return made

    async def switched_off(self) -> int:
        """How often, by Unleash's own record, the toggle of production was really switched off."""
        return (await self.unleash.switches(self.feature)).count((PRODUCTION, "off"))

    async def until_switched_off(self) -> None:
        async with asyncio.timeout(10):
            while not await self.switched_off():  # noqa: ASYNC110 - Unleash tells nobody of it
                await asyncio.sleep(0.01)

    async def readiness(self, folder: Path, action: ActionSpec) -> CheckReading:
        wire = Wire(FileSecrets((self.written(folder),)))
        try:
            now = SystemClock().now()
            ready = await ready_now(action, open_actuator(wire), open_probe(wire), now)
            return ready.reading
        finally:
            await wire.aclose()

    @asynccontextmanager
    async def guarded(
        self, folder: Path, sandbox: Sandbox, action: ActionSpec
    ) -> AsyncIterator[House]:
        """A house on guard whose rule leads to this action."""
        self.written(folder)
        async with living(folder, sandbox, policy(sandbox, action=action)) as house:
            await house.clear()
            truth, reason = house.engine.book.readiness["pause"][:2]
            assert truth is Truth.TRUE, reason
            yield house

    def written(self, folder: Path) -> Path:
        """The credentials, where the daemon looks for them."""
        secrets = folder / "secrets"
        secrets.mkdir(mode=0o700, exist_ok=True)
        for name, text in self.secrets.items():
            (secrets / name).write_text(text, encoding="utf-8")
        return secrets


class Liar(FaultProxy):
    """Answers 200 to a switch that it turns round on its way: the toggle stays as it was."""

    def passed_on(self, request: bytes) -> bytes:
        return request.replace(b"/off HTTP/1.1", b"/on HTTP/1.1")


class Muffler(FaultProxy):
    """Lets a switch through, and its answer never."""

    def passed_on(self, request: bytes) -> bytes:
        if b"/off HTTP/1.1" in request:
            self.set(Weather(latency_seconds=60))
        return request
