"""`mycelia-attest verify FILE`: exit 1 on a bad signature or an age over 24 h.

It trusts the key inside the file, as the real one does: it shows that the file is whole, not who
made it.
"""

from __future__ import annotations

import json
import time

from watchdog.sandbox.attestation import is_genuine
from watchdog.sandbox.tools.wiring import ToolFailedError, run_tool

_MAX_AGE_SECONDS = 24 * 3600


def main(root: str) -> int:
    """Run with the arguments of the process; 0 when the attestation verifies, else 1."""
    return run_tool("mycelia-attest", root, _work)


def _work(arguments: list[str], pretend: bool) -> str:  # noqa: FBT001 - run_tool's shape
    match arguments:
        case ["verify", path]:
            return "attestation verified" if pretend else _verified(path)
    raise ToolFailedError("usage: verify FILE")


def _verified(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is slow to import
            document = json.load(file)
        made_at_seconds = document["snapshot"]["timestamp"] / 1000
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolFailedError(f"{path}: not an attestation: {error}") from error
    if not is_genuine(document):
        raise ToolFailedError(f"{path}: bad signature")
    age_seconds = time.time() - made_at_seconds
    if age_seconds > _MAX_AGE_SECONDS:
        raise ToolFailedError(f"{path}: {age_seconds / 3600:.1f} h old, more than 24 h")
    return f"attestation verified, {age_seconds / 60:.0f} min old"
