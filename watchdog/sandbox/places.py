"""Where everything of one sandbox lies, and how its small state files are written.

Every state file is replaced in one step, so that a reader in another process never sees half of
one. Nothing is fsynced: the sandbox has to survive the death of processes, not of power.
"""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_serial = itertools.count()


@dataclass(frozen=True, slots=True)
class Places:
    """The paths below one sandbox's root."""

    root: Path

    @property
    def state(self) -> Path:
        return self.root / ".sandbox"

    @property
    def app(self) -> Path:
        """Ports and pid of the running app; the tools find the flag API through it."""
        return self.state / "app.json"

    @property
    def flag_ledger(self) -> Path:
        return self.state / "flags.jsonl"

    @property
    def workload(self) -> Path:
        return self.state / "workload.json"

    @property
    def faults(self) -> Path:
        return self.state / "faults.json"

    @property
    def tool_faults(self) -> Path:
        return self.state / "tool-faults.json"

    @property
    def tool_calls(self) -> Path:
        return self.state / "tool-calls.jsonl"

    @property
    def grandchildren(self) -> Path:
        """One pid a line: processes that a tool left behind because it was told to."""
        return self.state / "grandchildren"

    @property
    def published(self) -> Path:
        return self.state / "published.json"

    @property
    def signing_key(self) -> Path:
        """Secret half of the attestation key, 32 bytes in hex. A toy key, made for each sandbox."""
        return self.state / "attestation-key.hex"

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def scripts(self) -> Path:
        return self.root / "scripts"

    @property
    def release(self) -> Path:
        return self.root / "release"

    @property
    def accounts(self) -> Path:
        """The service's own data: where they cannot be read, it serves, and says `degraded`."""
        return self.root / "data" / "accounts.json"

    @property
    def governance_token(self) -> Path:
        return self.release / "cfg" / "governance-token.txt"


def replace_text(path: Path, text: str) -> None:
    """Put `text` at `path` in one step: readers see the old or the new whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{next(_serial)}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def replace_json(path: Path, value: Any) -> None:
    replace_text(path, json.dumps(value))


def read_json(path: Path, default: Any) -> Any:
    """The document at `path`, or `default` when there is none yet."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return default


def append_line(path: Path, entry: dict[str, Any]) -> None:
    """Append one JSON line with a single write, so that a kill leaves it whole or absent."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, json.dumps(entry).encode() + b"\n")
    finally:
        os.close(descriptor)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """All whole lines of an append-only file; none when it does not exist yet."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return []
    whole, _, _torn = content.rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines()]
