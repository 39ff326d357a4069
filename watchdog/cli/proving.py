"""Runs the unit tests that evidence wants, and tells the daemon what they said.

The daemon imports nothing of the lab: the command line runs the tests, and the result travels by
the hash of the text that was tested.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from watchdog.cli.shared import console, daemon, errors

_AT_ONCE = 100


def tell_tests(socket: Path, *, quiet: bool) -> None:
    """What a rule lacks is said; nothing here fails the command."""
    with daemon(socket) as client:
        wanted = client.order("/v1/tests", {"dry": True})["data"]
        if not wanted["wanted"] or "rules_dir" not in wanted:
            return
        results = _run(wanted)
        if not results:
            return
        for begin in range(0, len(results), _AT_ONCE):
            told = client.order("/v1/tests", {"results": results[begin : begin + _AT_ONCE]})
            if not quiet:
                console.print(str(told["effect"]), markup=False)


def _run(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    # Late on purpose: the lab takes most of a second, and most loads want no test.
    from watchdog.lab.rule_tests import Unreadable  # noqa: PLC0415  # see above
    from watchdog.lab.rule_tests.proof import proofs_in  # noqa: PLC0415  # see above

    folder = Path(wanted["rules_dir"])
    try:
        found = proofs_in(folder, wanted["environment"], wanted["variables"], wanted["wanted"])
    except (Unreadable, OSError) as error:
        errors.print(f"No unit test was run: {error}", markup=False)
        return []
    return [{**asdict(proof), "reason": proof.reason[:300]} for proof in found]
