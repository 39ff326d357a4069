"""`mycelia-flags`: feature flags, except those that only governance may change.

list | status | enable F | disable F
"""

from __future__ import annotations

import os

from watchdog.sandbox.tools.wiring import ToolFailedError, call_api, run_tool

GOVERNED = ("btc_mainnet_redemption", "staking_slashing", "rewards_mainnet", "governance_v1")
_FREE = ("spv_proofs", "testnet_features", "rewards_slow_mode", "oracle_read_scope_max")
_HTTP_OK = 200


def main(root: str) -> int:
    """Run with the arguments of the process; 0 when done, 1 when refused or failed."""

    def work(arguments: list[str], pretend: bool) -> str:  # noqa: FBT001 - run_tool's shape
        match arguments:
            case ["list"]:
                return "\n".join((*GOVERNED, *_FREE))
            case ["status"]:
                return "\n".join(_line(root, name) for name in (*GOVERNED, *_FREE))
            case [("enable" | "disable") as verb, name]:
                if name in GOVERNED:
                    raise ToolFailedError(f"{name} is controlled by governance")
                if not pretend:
                    _put(root, name, enabled=verb == "enable")
                return f"{name} {verb}d"
        raise ToolFailedError("usage: list | status | enable F | disable F")

    return run_tool("mycelia-flags", root, work)


def _line(root: str, name: str) -> str:
    status, flag = call_api(root, "GET", f"/api/feature-flags/{name}")
    if status != _HTTP_OK:
        raise ToolFailedError(f"{name}: HTTP {status}")
    return f"{name}: {'on' if flag['enabled'] else 'off'}"


def _put(root: str, name: str, *, enabled: bool) -> None:
    path = os.path.join(root, "release", "cfg", "governance-token.txt")  # noqa: PTH118 - pathlib is slow to import
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as above
        token = file.read().strip()
    status, answer = call_api(
        root, "PUT", f"/api/feature-flags/{name}", {"enabled": enabled}, token
    )
    if status != _HTTP_OK:
        raise ToolFailedError(f"{name}: HTTP {status}: {answer.get('error', '')}")
