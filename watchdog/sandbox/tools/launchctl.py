"""`mycelia-launchctl`: the launch controller. Needs the governance token below the cwd.

pause redemption | resume redemption | slow rewards | cap oracle N | status
"""

from __future__ import annotations

from watchdog.sandbox.tools.wiring import ToolFailedError, call_api, run_tool

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TOKEN_FILE = "./release/cfg/governance-token.txt"  # noqa: S105 - where it lies, not what it is
_USAGE = "usage: pause redemption | resume redemption | slow rewards | cap oracle N | status"
_HTTP_OK = 200


def main(root: str) -> int:
    """Run with the arguments of the process; 0 when the API says that it is done, else 1."""

    def work(arguments: list[str], pretend: bool) -> str:  # noqa: FBT001 - run_tool's shape
        if arguments == ["status"]:
            # About the launch, as the real one: it says nothing about the flags.
            return "launch: complete\nchain: mycelia-mainnet-1\nvalidators: 7/7"
        flag, wish, said = _order(arguments)
        try:
            with open(TOKEN_FILE, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is slow to import
                token = file.read().strip()
        except OSError as error:
            raise ToolFailedError(f"{TOKEN_FILE}: {error.strerror}") from error
        if not pretend:
            status, answer = call_api(root, "PUT", f"/api/feature-flags/{flag}", wish, token)
            if status != _HTTP_OK:
                raise ToolFailedError(f"{flag}: HTTP {status}: {answer.get('error', '')}")
        return said

    return run_tool("mycelia-launchctl", root, work)


def _order(arguments: list[str]) -> tuple[str, dict[str, Any], str]:
    match arguments:
        case ["pause", "redemption"]:
            return "btc_mainnet_redemption", {"enabled": False}, "redemption paused successfully"
        case ["resume", "redemption"]:
            return "btc_mainnet_redemption", {"enabled": True}, "redemption resumed successfully"
        case ["slow", "rewards"]:
            return "rewards_slow_mode", {"enabled": True}, "rewards slowed successfully"
        case ["cap", "oracle", scope] if scope.isdecimal():
            return (
                "oracle_read_scope_max",
                {"enabled": True, "value": int(scope)},
                f"oracle read scope capped at {scope} successfully",
            )
    raise ToolFailedError(_USAGE)
