"""The real daemon as a process of its own, in the hands of a story.

    await watchdog.on_guard()
    await sandbox.break_redemption()
    episode = await watchdog.episode(ERRORS, state="contained")

What a story believes of it is read where an operator would: over its control socket, from its
journal, and from its command line. It is stopped by its own pid.
"""

import asyncio
import json
import os
import signal
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.e2e.rulebook import Rulebook
from watchdog.core.entries import Decided, NoteTold, Paged, Recorded
from watchdog.sandbox.processes import Command, OwnedProcess, start_process
from watchdog.store import SqliteJournal, Where, open_reader

READY_SECONDS = 25.0
PATIENCE_SECONDS = 15.0
DRAIN_SECONDS = 25.0
_TICK_SECONDS = 0.04

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Never used, since everything here speaks plain HTTP; but making a default one is slow."""

_Found = TypeVar("_Found")
_Entry = TypeVar("_Entry")


class Refused(Exception):
    """The daemon refused an order; the message is its own."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode as the daemon shows it."""

    id: str
    rule: str
    world: str
    state: str
    reason: str
    rung: int
    outcome: str | None
    read_back: str
    barred: str
    reopens: str
    chain: int
    claims: tuple[tuple[str, bool], ...]
    """(target, whether it was found so)."""

    @classmethod
    def of(cls, view: dict[str, Any]) -> "Episode":
        same = {name: view[name] for name in cls.__slots__ if name != "claims"}
        return cls(**same, claims=tuple((c["target"], c["found"]) for c in view["claims"]))


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended by itself, or a command's answer."""

    status: int
    output: str


class Watchdog:
    """One daemon, started and stopped as often as its story wants."""

    def __init__(self, folder: Path, rules: Rulebook) -> None:
        self.rules = rules
        self.state = folder / "state"
        self.settings: dict[str, Any] = {
            "environment": "sandbox",
            "rules_dir": str(rules.folder),
            "state_dir": str(self.state),
            "control_socket": str(folder / "control.sock"),
            "secrets_dir": str(folder / "secrets"),
            "listen": "127.0.0.1:0",
            "time_sync": "ignore",
            "log_format": "json",
            "root_is_person": True,
            "preflight_every": 1.0,
            "checkpoint_every": 0.5,
        }
        self.where = Where(self.state)
        self._folder = folder
        ours = ("WATCHDOG_", "NOTIFY_")
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
        self._starts = 0
        self._process: OwnedProcess | None = None
        self._page = ""
        self._control = httpx.AsyncClient(
            transport=httpx.AsyncHTTPTransport(
                uds=self._socket,
                verify=NO_TLS,
                limits=httpx.Limits(keepalive_expiry=1),  # sooner than the daemon's own
            ),
            base_url="http://slo-watchdog",
            timeout=60,
        )
        secrets = folder / "secrets"
        secrets.mkdir(mode=0o700)
        (secrets / "governance").write_text(rules.sandbox.token, encoding="utf-8")

    def finds_first(self, path: str) -> None:
        """The PATH that it is started with."""
        self._environment["PATH"] = path

    # -- its life ----------------------------------------------------------------------------------

    async def start(self) -> None:
        """Start it, and wait for its own word that it is ready. The first time, make its journal
        and save the rules.
        """
        if not self.state.exists():
            self.make_journal()
        process = self.launch()
        ends = time.monotonic() + READY_SECONDS
        while time.monotonic() < ends:
            for line in self._log().splitlines():
                if '"daemon.ready"' in line:
                    self._page = f"http://127.0.0.1:{json.loads(line)['listen']}"
                    return
            if not process.is_running:
                break
            await asyncio.sleep(_TICK_SECONDS)
        raise AssertionError(f"the daemon was not ready in time:\n{self._log()}")

    def make_journal(self) -> None:
        """What `init` does, and the rules saved: all that a first start needs."""
        SqliteJournal.create(self.state, reserve_bytes=4096)
        self.rules.save()

    def launch(self) -> OwnedProcess:
        """Start the process, whatever comes of it."""
        self._starts += 1
        self._process = start_process(self._command("run", f"daemon-{self._starts}"))
        return self._process

    async def on_guard(self) -> None:
        """Start it, and wait until every rule was once clear and every action is ready."""
        await self.start()
        await self.clear()
        await self.until("every action is ready", self._all_ready)

    async def fails_to_start(self) -> Ended:
        """Start what must not come up; how it ended."""
        return await _ended(self.launch())

    async def start_another(self) -> Ended:
        """A second process on the same settings; how it ended."""
        return await _ended(start_process(self._command("run", "another")))

    async def init(self) -> Ended:
        """The command that makes the journal."""
        return await _ended(start_process(self._command("init", "init")))

    async def stop(self) -> int:
        """SIGTERM, and wait until it has ended in order; its exit status."""
        process = self._running()
        await process.stop(DRAIN_SECONDS)
        assert process.status is not None
        return process.status

    async def kill(self) -> None:
        """SIGKILL: nothing of it runs any further."""
        await self._running().kill()

    async def aclose(self) -> None:
        """End what the story itself holds open."""
        await self._control.aclose()

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._running().pid, number)

    @property
    def pid(self) -> int:
        return self._running().pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    # -- what it shows -----------------------------------------------------------------------------

    async def episode(
        self, rule: str, *, state: str | None = None, within: float = PATIENCE_SECONDS
    ) -> Episode:
        """The newest episode of a rule, once it has reached this state."""

        async def look() -> Episode | None:
            found = [ep for ep in await self.episodes() if ep.rule == rule]
            if found and (state is None or found[0].state == state):
                return found[0]
            return None

        return await self.until(f"{rule} is {state or 'in trouble'}", look, within=within)

    async def episodes(self) -> list[Episode]:
        """All of them, the newest first."""
        return [Episode.of(view) for view in await self.read("/v1/episodes")]

    async def why(self, rule: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.read(f"/v1/why/{rule}")
        return found

    async def verdict(self, rule: str, status: str, blind: str | None = None) -> str:
        """Wait until the rule is judged so; the verdict's reason."""

        async def look() -> str | None:
            seen = (await self.why(rule))["rule"]["verdict"]
            if seen is None or (seen["status"], seen["blind"]) != (status, blind):
                return None
            return str(seen["reason"])

        return await self.until(f"{rule} is judged {status} ({blind})", look)

    async def clear(self, *rules: str) -> None:
        """Wait until these rules, or all, were healthy with their whole window observed."""

        async def look() -> bool:
            seen = (await self.read("/v1/status"))["rules"]
            return all(rule["cleared"] for rule in seen if not rules or rule["name"] in rules)

        await self.until("the rules were once clear", look)

    async def polls(self, number: int = 6) -> None:
        """Let it read every source so many times more: time enough to do what it should not."""
        first = await self._polled()

        async def look() -> bool:
            now = await self._polled()
            return all(now[name] >= count + number for name, count in first.items())

        await self.until(f"{number} more polls", look)

    async def read(self, path: str) -> Any:
        """Of the control socket, as the commands do."""
        return (await self._control.get(path)).raise_for_status().json()

    @property
    def web(self) -> str:
        """The address of the read-only face."""
        return self._page

    async def page(self, path: str) -> str:
        """Of the read-only face."""
        async with httpx.AsyncClient(trust_env=False, timeout=10, verify=NO_TLS) as web:
            return (await web.get(self._page + path)).raise_for_status().text

    async def until(
        self,
        what: str,
        look: Callable[[], Awaitable[_Found | None]],
        *,
        within: float = PATIENCE_SECONDS,
    ) -> _Found:
        """The first answer that says something; a failure tells all that is known."""
        ends = time.monotonic() + within
        while True:
            found = await look()
            if found:
                return found
            if time.monotonic() > ends or not self.is_running:
                break
            await asyncio.sleep(_TICK_SECONDS)
        told = "\n".join(f"  {one.seq} {one.entry}"[:400] for one in self.journal()[-25:])
        raise AssertionError(f"in vain: {what}\n{told}\n{self._log()[-3000:]}")

    # -- what people do ----------------------------------------------------------------------------

    async def order(self, order: str, **body: Any) -> dict[str, Any]:
        """Give an order over the control socket. Raises Refused."""
        path = "/-/reload" if order == "apply" else f"/v1/{order}"
        answer = await self._control.post(path, json=body)
        told: dict[str, Any] = answer.json()
        if not answer.is_success:
            raise Refused(str(told.get("refused") or told.get("wrong")))
        return told

    async def command(self, *arguments: str) -> Ended:
        """The command line, as a person would use it."""
        environment = {**self._environment, "COLUMNS": "200"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "watchdog", *arguments, "--socket", self._socket,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env=environment,
        )  # fmt: skip
        async with asyncio.timeout(30):
            output, _ = await process.communicate()
        return Ended(process.returncode or 0, output.decode())

    # -- what it has recorded ----------------------------------------------------------------------

    def journal(self) -> list[Recorded]:
        """Every entry so far, read beside the daemon."""
        with open_reader(self.where) as reader:
            return list(reader.read())

    def entries(self, kind: type[_Entry]) -> list[_Entry]:
        """Those of one kind."""
        return [one.entry for one in self.journal() if isinstance(one.entry, kind)]

    def pages(self, about: str = "") -> list[Paged]:
        """What people are told, or that of it which mentions `about`."""
        return [page for page in self.entries(Paged) if about in f"{page.title}\n{page.body}"]

    def untold(self) -> set[str]:
        """The notes that the record does not say are told on every line."""
        told = {name for one in self.entries(NoteTold) for name in one.over}
        return {page.note for page in self.entries(Paged) if page.note} - told

    def decisions(self, rule: str) -> list[Decided]:
        return [one for one in self.entries(Decided) if one.rule == rule]

    # -- inside ------------------------------------------------------------------------------------

    @property
    def _socket(self) -> str:
        return str(self.settings["control_socket"])

    def _running(self) -> OwnedProcess:
        assert self._process is not None, "the daemon has not been started"
        return self._process

    def _command(self, verb: str, name: str) -> Command:
        config = self._folder / "watchdog.toml"
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.settings.items()]
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return Command(
            name=name,
            argv=[sys.executable, "-m", "watchdog", verb, "--config", str(config)],
            log=self._folder / f"{name}.log",
            environment=self._environment,
        )

    def _log(self) -> str:
        path = self._folder / f"daemon-{self._starts}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    async def _all_ready(self) -> bool:
        actions = (await self.read("/v1/status"))["actions"]
        return all(action["ready"] == "true" for action in actions)

    async def _polled(self) -> dict[str, int]:
        sources = (await self.read("/v1/status"))["sources"]
        return {one["name"]: one["polls"] for one in sources if one["polls"]}


async def _ended(process: OwnedProcess) -> Ended:
    """How a process ended by itself."""
    ends = time.monotonic() + READY_SECONDS
    while process.is_running and time.monotonic() < ends:  # noqa: ASYNC110  # a child has no event
        await asyncio.sleep(_TICK_SECONDS)
    output = process.command.log.read_text(encoding="utf-8", errors="replace")
    if process.status is None:
        await process.kill()
        raise AssertionError(f"it did not end:\n{output}")
    return Ended(process.status, output)
