"""Sets the stage: a folder, a sandbox, and the daemon running on rules; for the demo and drills.

The daemon is a process of its own, started as the service would be, with `root_is_person` set,
since the one who runs a demo may be root. It is stopped by its own pid, and killed by the kernel
when the demo dies. The rules are copied, so that they belong to whoever runs it.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.processes import Command, OwnedProcess, ProcessEndedError, start_process
from watchdog.settings import PREFIX

SHIPPED_RULES = Path(__file__).with_name("rules")
"""Where the package holds them; a checkout has them beside the package instead."""

ENVIRONMENT = "sandbox"
"""In which the rules are loaded."""

READY_SECONDS = 60.0
STOP_SECONDS = 30.0


class StageFailed(Exception):
    """A part of the demo did not come up; the message holds what it printed."""


@dataclass(slots=True)
class Stage:
    """What the story plays on."""

    folder: Path
    sandbox: Sandbox
    daemon: OwnedProcess
    control: httpx.AsyncClient
    page: str

    async def read(self, path: str) -> Any:
        """The daemon's present; raises StageFailed when it does not answer."""
        try:
            answer = await self.control.get(path)
            return answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise StageFailed(f"the daemon did not tell {path}: {error!r}") from None

    async def inbox(self) -> list[dict[str, Any]]:
        """What people were told, oldest first."""
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
                answer = await client.get(f"{self.sandbox.url}/inbox")
            return list(answer.raise_for_status().json())
        except (httpx.HTTPError, ValueError) as error:
            raise StageFailed(f"the sandbox did not tell what people read: {error!r}") from None

    async def until(
        self, what: str, seconds: float, look: Callable[[Stage], Any]
    ) -> dict[str, Any]:
        """Wait for what a look gives, once it is not None. Raises StageFailed."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            found = await look(self)
            if found is not None:
                return dict(found)
            await asyncio.sleep(0.1)
        raise StageFailed(f"waited {seconds:g} s for {what}, in vain")

    async def order(self, path: str, **body: Any) -> dict[str, Any]:
        """Give an order; a refusal raises StageFailed with its reason."""
        try:
            answer = await self.control.post(path, json=body)
            told = dict(answer.json())
        except (httpx.HTTPError, ValueError) as error:
            raise StageFailed(f"the daemon did not answer {path}: {error!r}") from None
        if not answer.is_success:
            raise StageFailed(str(told.get("refused") or told.get("wrong")))
        return told


def shipped_rules() -> Path:
    """The rules that come with the program."""
    here = SHIPPED_RULES
    return here if here.is_dir() else Path(__file__).resolve().parents[2] / "rules"


@asynccontextmanager
async def stage(
    folder: Path,
    rules: Path,
    *,
    watch: str,
    port: int = 0,
    given: Mapping[str, str] | None = None,
    before: Callable[[Path, Sandbox], None] = lambda _settings, _sandbox: None,
) -> AsyncIterator[Stage]:
    """Everything up and ready; everything stopped again, however the block ends.

    `given` are further variables of the policy; `before` may refuse, by raising, what the daemon
    would be started with.
    """
    own_rules = copied_rules(rules, folder / "rules")
    try:
        async with Sandbox.start(folder / "mycelia") as sandbox:
            settings = write_settings(
                folder, sandbox, own_rules, watch=watch, port=port, given=given
            )
            before(settings, sandbox)
            await _created(folder, settings)
            # What a command names relative to no folder lies in the sandbox then, too.
            daemon = _start(folder, "run", "--config", str(settings), cwd=sandbox.root)
            try:
                page = await _ready(daemon)
                async with _control(folder) as control:
                    yield Stage(folder, sandbox, daemon, control, page)
            finally:
                await daemon.stop(STOP_SECONDS)
    except ProcessEndedError as error:
        raise StageFailed(str(error)) from None


def copied_rules(rules: Path, to: Path) -> Path:
    """So that they belong to whoever runs it. Raises StageFailed."""
    try:
        for file in sorted(rules.rglob("*.yaml")):
            copy = to / file.relative_to(rules)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    except OSError as error:
        raise StageFailed(f"the rules cannot be copied: {error}") from None
    if not to.is_dir():
        raise StageFailed(f"there are no rules in {rules}. Name their folder: --rules")
    return to


def _control(folder: Path) -> httpx.AsyncClient:
    transport = httpx.AsyncHTTPTransport(uds=str(folder / "control.sock"))
    return httpx.AsyncClient(
        transport=transport, base_url="http://slo-watchdog", trust_env=False, timeout=60
    )


def write_settings(
    folder: Path,
    sandbox: Sandbox,
    rules: Path,
    *,
    watch: str,
    port: int = 0,
    given: Mapping[str, str] | None = None,
) -> Path:
    """The process settings of the demo; the policy's variables point at the sandbox."""
    file = folder / "watchdog.toml"
    values = {
        "environment": ENVIRONMENT,
        "rules_dir": str(rules),
        "state_dir": str(folder / "state"),
        "control_socket": str(folder / "control.sock"),
        "secrets_dir": str(_secrets(folder, sandbox)),
        "listen": f"127.0.0.1:{port}",
        "time_sync": "ignore",
        "log_format": "json",
    }
    variables = {
        "app": sandbox.url,
        "public": sandbox.url,
        "por_signer": sandbox.signer,
        "mycelia": str(sandbox.root),
        "launchctl": str(sandbox.bin / "mycelia-launchctl"),
        "flags": str(sandbox.bin / "mycelia-flags"),
        "pnpm": str(sandbox.bin / "pnpm"),
        "watch": watch,
        **(given or {}),
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    lines += ["root_is_person = true", "preflight_every = 5.0", "", "[variables]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in variables.items()]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def _secrets(folder: Path, sandbox: Sandbox) -> Path:
    """What the shipped rules name: the key of security's webhook, new for each demo, and where
    people are told: all of them read in the sandbox.
    """
    place = folder / "secrets"
    place.mkdir(mode=0o700, exist_ok=True)
    inbox = sandbox.url.replace("http://", "json://") + "/inbox"
    texts = {
        "security-webhook": secrets.token_hex(32),
        "apprise-chat": f"{inbox}/chat",
        "apprise-mail": f"{inbox}/mail/{{to}}",
        "apprise-phone": f"{inbox}/phone/{{to}}",
    }
    for name, text in texts.items():
        key = place / name
        key.touch(mode=0o600)
        key.write_text(text + "\n", encoding="utf-8")
    return place


async def _created(folder: Path, settings: Path) -> None:
    """`init` to its end."""
    init = _start(folder, "init", "--config", str(settings))
    try:
        async with asyncio.timeout(READY_SECONDS):
            while init.is_running:  # noqa: ASYNC110  # a child has no event
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise StageFailed(f"slo-watchdog init did not end:\n{init.log_tail()}") from None
    finally:
        await init.stop()
    if init.status != 0:
        raise StageFailed(f"slo-watchdog init failed:\n{init.log_tail()}")


def _start(folder: Path, *arguments: str, cwd: Path | None = None) -> OwnedProcess:
    """The real command, in a session of its own, its output in a file."""
    return start_process(
        Command(
            name=f"slo-watchdog {arguments[0]}",
            argv=[sys.executable, "-m", "watchdog", *arguments],
            log=folder / f"{arguments[0]}.log",
            cwd=cwd,
            environment=_environment(),
        )
    )


def _environment() -> dict[str, str]:
    """Ours, without what would change the daemon's settings or speak to our service manager."""
    foreign = (PREFIX, "NOTIFY_SOCKET", "CREDENTIALS_DIRECTORY")
    kept = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
    return {**kept, "PYTHONUNBUFFERED": "1"}


async def _ready(daemon: OwnedProcess) -> str:
    """Wait for the daemon's own word that it is ready; gives the page's address."""
    try:
        async with asyncio.timeout(READY_SECONDS):
            while True:
                for line in daemon.command.log.read_text("utf-8", "replace").splitlines():
                    if '"daemon.ready"' in line:
                        return f"http://127.0.0.1:{json.loads(line)['listen']}/"
                if not daemon.is_running:
                    raise StageFailed(f"the daemon ended:\n{daemon.log_tail()}")
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise StageFailed(f"the daemon was not ready in time:\n{daemon.log_tail()}") from None
