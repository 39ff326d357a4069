"""One real daemon on the shipped rules, before a sandbox that can be broken, for a module's tests.

Most commands run in the test's own process, since starting an interpreter takes seconds on a busy
machine; what is about terminals, pipes and signals runs the installed program.
"""

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from watchdog.cli import app
from watchdog.core.entries import Paged
from watchdog.demo.stage import shipped_rules, stage
from watchdog.sandbox.handle import Sandbox
from watchdog.store import open_reader

PROGRAM = Path(sys.executable).with_name("slo-watchdog")


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class House:
    """The daemon and its commands, as a person at a shell has them."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.state = folder / "state"
        self.socket = folder / "control.sock"

    def run(self, *arguments: str, socket: Path | None = None) -> Ended:
        """Without a terminal."""
        return here(*arguments, socket=socket or self.socket)

    def on_terminal(self, *arguments: str, types: str = "") -> tuple[int, str]:
        """On a terminal of 80 columns, where `types` is typed at the prompt."""
        return terminal(*arguments, socket=self.socket, types=types)

    def completed(self, typed: str) -> Ended:
        """With the script that we print, and as bash calls it when somebody presses TAB."""
        script = f"""
            export PATH={PROGRAM.parent}:$PATH WATCHDOG_CONTROL_SOCKET={self.socket}
            source <(slo-watchdog completion bash)
            COMP_WORDS=({typed}) COMP_CWORD={len(typed.split()) - 1}
            $(complete -p slo-watchdog | sed 's/.*-F \\([^ ]*\\).*/\\1/') slo-watchdog
            printf '%s\n' "${{COMPREPLY[@]}}"
        """
        ended = subprocess.run(
            ["bash", "--norc", "-c", script],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def pages_of(self, episode: str) -> list[str]:
        """Levels of the daemon's log lines that page about an episode, which its record names."""
        with open_reader(self.state) as record:
            numbers = {
                one.seq
                for one in record.read()
                if isinstance(one.entry, Paged) and one.entry.key == f"episode:{episode}"
            }
        lines = map(json.loads, (self.folder / "run.log").read_text().splitlines())
        return [line["level"] for line in lines if line.get("seq") in numbers]

    def until(self, rule: str, wanted: str, seconds: float = 40) -> dict[str, Any]:
        """Wait until the rule's state, or verdict, is this."""
        ends = time.monotonic() + seconds
        found: dict[str, Any] = {}
        while time.monotonic() < ends:
            found = self.run("why", rule, "--json").json
            shown = {found["rule"]["state"], (found["rule"]["verdict"] or {}).get("status")}
            if wanted in shown or (wanted == "cleared" and found["rule"]["cleared"]):
                return found
            time.sleep(0.1)
        raise AssertionError(f"{rule} never was {wanted}: {found}")

    def until_ready(self, action: str, seconds: float = 40) -> None:
        """Wait until a preflight has proven that an action would work."""
        ends = time.monotonic() + seconds
        ready: dict[str, str] = {}
        while ready.get(action) != "true":
            assert time.monotonic() < ends, f"{action} never was ready: {ready}"
            time.sleep(0.1)
            shown = self.run("status", "--json").json["actions"]
            ready = {one["name"]: one["ready"] for one in shown}


def here(*arguments: str, socket: Path) -> Ended:
    """In this process."""
    ended = CliRunner().invoke(app, arguments, env=_environment(socket))
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return Ended(ended.exit_code, ended.stdout, ended.stderr)


def shell(*arguments: str, socket: Path) -> Ended:
    ended = subprocess.run(
        [PROGRAM, *arguments],
        env=_environment(socket),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert "Traceback" not in ended.stderr + ended.stdout
    return Ended(ended.returncode, ended.stdout, ended.stderr)


def terminal(*arguments: str, socket: Path, types: str = "") -> tuple[int, str]:
    pid, master = pty.fork()
    if pid == 0:
        os.execve(  # noqa: S606  # the program itself, on the terminal that was just made
            PROGRAM, [str(PROGRAM), *arguments], {**_environment(socket), "TERM": "xterm"}
        )
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    seen = b""
    ends = time.monotonic() + 90
    while time.monotonic() < ends:
        if select.select([master], [], [], 0.1)[0]:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            seen += piece
        if types and b"to go on" in seen:
            os.write(master, types.encode() + b"\n")
            types = ""
    os.close(master)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return status, re.sub(r"\x1b\[[0-9;]*m", "", seen.decode()).replace("\r\n", "\n")


def _environment(socket: Path) -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.upper().startswith("WATCHDOG_")}
    return {**ours, "WATCHDOG_CONTROL_SOCKET": str(socket), "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        set_up = runner.run(stack.enter_async_context(stage(folder, shipped_rules(), watch="2s")))
        made = House(folder, set_up.sandbox)
        made.until_ready("pause-redemption")
        yield made
        runner.run(stack.aclose())
