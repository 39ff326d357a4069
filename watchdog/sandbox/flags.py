"""The feature flags as they are served, and the count of what was really done to them.

The ledger file is the state: flags are what replaying it gives, so counts and values survive any
death of the app. An *effective change* is an entry whose stored value differs from the one before;
setting a flag to what it is already changes nothing and is not counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from watchdog.sandbox.places import append_line, read_lines

if TYPE_CHECKING:
    from pathlib import Path

GOVERNED = frozenset(
    {"btc_mainnet_redemption", "staking_slashing", "rewards_mainnet", "governance_v1"}
)
"""Flags that only governance may change; `mycelia-flags` refuses them."""

REDEMPTION = "btc_mainnet_redemption"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag at one version. `value` is for flags that carry a number beside on and off."""

    name: str
    enabled: bool
    value: int | None = None
    version: int = 1
    updated_at: float = 0.0

    def document(self) -> dict[str, Any]:
        """The flag as the API serves it."""
        return {
            "name": self.name,
            "enabled": self.enabled,
            "version": self.version,
            "value": self.value,
            "governanceControlled": self.name in GOVERNED,
            "updatedAt": int(self.updated_at * 1000),
        }


@dataclass(frozen=True, slots=True)
class Change:
    """One effective change, counted at the target."""

    flag: str
    at: float
    """Seconds since the epoch at which the new value began to be served."""
    monotonic: float
    """The same instant on the system's monotonic clock, comparable between processes."""
    before: bool
    after: bool
    by: str


INITIAL = (
    Flag("btc_mainnet_redemption", enabled=True),
    Flag("staking_slashing", enabled=True),
    Flag("rewards_mainnet", enabled=True),
    Flag("governance_v1", enabled=True),
    Flag("spv_proofs", enabled=True),
    Flag("testnet_features", enabled=False),
    Flag("rewards_slow_mode", enabled=False),
    Flag("oracle_read_scope_max", enabled=True, value=1000),
)


class FlagBook:
    """The app's view of the ledger. One writer: the app process."""

    def __init__(self, ledger: Path) -> None:
        self._ledger = ledger
        self._history: dict[str, list[Flag]] = {flag.name: [flag] for flag in INITIAL}
        for entry in read_lines(ledger):
            if entry["kind"] == "change":
                self._history[entry["flag"]].append(_flag_of(entry))

    def forget(self) -> None:
        """All flags as at first, nothing counted: for the next test in the same sandbox."""
        self._ledger.unlink(missing_ok=True)
        self._history = {flag.name: [flag] for flag in INITIAL}

    def names(self) -> tuple[str, ...]:
        return tuple(self._history)

    def stored(self, name: str) -> Flag | None:
        history = self._history.get(name)
        return history[-1] if history else None

    def served(self, name: str, lag_seconds: float = 0.0) -> Flag | None:
        """The flag as a replica that is `lag_seconds` behind would serve it."""
        history = self._history.get(name)
        if not history:
            return None
        horizon = time.time() - lag_seconds
        return next((flag for flag in reversed(history) if flag.updated_at <= horizon), history[0])

    def record_request(self, name: str, method: str, by: str) -> None:
        append_line(
            self._ledger,
            {"kind": "request", "flag": name, "method": method, "by": by, "at": time.time()},
        )

    def put(self, name: str, *, enabled: bool, value: int | None, by: str) -> Flag:
        """Store a value and return the flag, which must exist. The same value changes nothing."""
        before = self._history[name][-1]
        if (enabled, value) == (before.enabled, before.value):
            return before
        after = replace(
            before,
            enabled=enabled,
            value=value,
            version=before.version + 1,
            updated_at=time.time(),
        )
        append_line(
            self._ledger,
            {
                "kind": "change",
                "flag": name,
                "before": before.enabled,
                "enabled": after.enabled,
                "value": after.value,
                "version": after.version,
                "at": after.updated_at,
                "monotonic": time.monotonic(),
                "by": by,
            },
        )
        self._history[name].append(after)
        return after


def changes_in(ledger: Path, flag: str) -> tuple[Change, ...]:
    """Every effective change of one flag, oldest first, read from the durable file."""
    return tuple(
        Change(
            flag=flag,
            at=entry["at"],
            monotonic=entry["monotonic"],
            before=entry["before"],
            after=entry["enabled"],
            by=entry["by"],
        )
        for entry in read_lines(ledger)
        if entry["kind"] == "change" and entry["flag"] == flag
    )


def count_requests(ledger: Path, flag: str, method: str | None = None) -> int:
    """How many API requests one flag has received, of one method or of all."""
    return sum(
        1
        for entry in read_lines(ledger)
        if entry["kind"] == "request"
        and entry["flag"] == flag
        and method in {None, entry["method"]}
    )


def _flag_of(entry: dict[str, Any]) -> Flag:
    return Flag(
        name=entry["flag"],
        enabled=entry["enabled"],
        value=entry["value"],
        version=entry["version"],
        updated_at=entry["at"],
    )
