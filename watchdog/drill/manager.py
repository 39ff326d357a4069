"""The service manager of a full drill's room, in the place of `systemctl`: as much of it as the
daemon and the restore's helper ask for.

Units are files in /etc/systemd/system as systemd has them, of which `Type`, `ExecStart` and
`ExecStartPost` count; what is started is a process of its own session. What it did stands in its
ledger: when a service went down and came up again is read there, and not from who asked for it.
A pattern names what runs or ran, as systemd's does: after a stop `start 'mycelia-*'` does nothing.
"""

from __future__ import annotations

import configparser
import fnmatch
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

UNITS = Path("/etc/systemd/system")
MARKS = Path("/run/units")
LEDGER = MARKS / "ledger.jsonl"
_STOP_SECONDS = 10.0
_SUFFIXES = (".service", ".socket", ".timer", ".path", ".target")
_INACTIVE = 3  # systemctl's own


def main(arguments: list[str]) -> int:
    """What `systemctl` would answer with; a verb that is not known is refused, loudly."""
    words = [one for one in arguments if not one.startswith("-")]
    verb, names = (words[0], words[1:]) if words else ("", [])
    MARKS.mkdir(exist_ok=True)
    match verb:
        case "list-units":
            print(json.dumps(list(_listed(names))))  # noqa: T201  # it is a command
        case "show":
            for name in names:
                _print_state(name)
        case "is-active":
            state = _state(names[0])
            print(state)  # noqa: T201  # it is a command
            return 0 if state == "active" else _INACTIVE
        case "start":
            return max((_start(name) for name in names if "*" not in name), default=0)
        case "stop":
            for name in names:
                _stop(name)
        case "daemon-reload" | "reset-failed":
            pass
        case _:
            sys.stderr.write(f"the drill's service manager knows no {verb!r}\n")
            return 1
    return 0


def ledger() -> list[dict[str, Any]]:
    """What was started and stopped when, oldest first."""
    try:
        lines = LEDGER.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines]


def active(pattern: str) -> tuple[str, ...]:
    """The units that run now, of those that a pattern names."""
    names = sorted(one.stem for one in MARKS.glob(f"{pattern}.pid"))
    return tuple(name for name in names if _state(name) == "active")


def _listed(patterns: list[str]) -> Iterator[dict[str, str]]:
    for name in sorted(one.stem for one in MARKS.glob("*.pid")):
        if name.endswith(_SUFFIXES) and any(fnmatch.fnmatchcase(name, one) for one in patterns):
            yield {"unit": name, "active": _state(name)}


def _print_state(name: str) -> None:
    kind = _unit(name).get("type", "simple")
    print(f"ActiveState={_state(name)}\nResult=success\nType={kind}")  # noqa: T201  # a command


def _state(name: str) -> str:
    """`active` while its process lives; one that has ended and was not buried yet does not."""
    try:
        pid = (MARKS / f"{name}.pid").read_text()
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "inactive"
    return "inactive" if stat.rpartition(")")[2].split()[0] in {"Z", "X"} else "active"


def _start(name: str) -> int:
    if _state(name) == "active":
        return 0
    unit = _unit(name)
    if "execstart" not in unit:
        sys.stderr.write(f"Failed to start {name}: Unit {name} not found.\n")
        return 5
    with (MARKS / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # what a unit is for
            shlex.split(unit["execstart"]),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # it outlives who asked for it
            umask=0o022,  # as systemd gives it, whoever asked
        )
        (MARKS / f"{name}.pid").write_text(str(process.pid))
        if "execstartpost" in unit:
            argv = shlex.split(unit["execstartpost"])
            failed = subprocess.run(argv, stdout=log, stderr=log, check=False).returncode  # noqa: S603  # as above
            if failed:
                sys.stderr.write(f"Job for {name} failed: ExecStartPost ended with {failed}\n")
                return 1
    _note(name, "started")
    return 0


def _stop(name: str) -> None:
    if _state(name) != "active":
        return
    pid = int((MARKS / f"{name}.pid").read_text())
    os.killpg(pid, signal.SIGTERM)
    ends = time.monotonic() + _STOP_SECONDS
    while _state(name) == "active":
        if time.monotonic() > ends:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(0.02)
    _note(name, "stopped")


def _unit(name: str) -> dict[str, str]:
    """What stands in its file, or in that of its template with its instance in it."""
    template, at, rest = name.partition("@")
    instance, _, suffix = rest.rpartition(".")
    file = UNITS / (f"{template}@.{suffix}" if at else name)
    parser = configparser.RawConfigParser(strict=False)
    parser.read(file, encoding="utf-8")
    if not parser.has_section("Service"):
        return {}
    return {key: text.replace("%i", instance) for key, text in parser.items("Service")}


def _note(name: str, what: str) -> None:
    with LEDGER.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"unit": name, "what": what, "at": time.time()}) + "\n")
