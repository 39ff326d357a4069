"""Practises the full drill; run in its room, by `room`. Its documents lie in the room's `out`."""

from __future__ import annotations

import asyncio
import json
import sys

from watchdog.drill.paper import papers
from watchdog.drill.restoring import FULL, play
from watchdog.drill.room import OUT
from watchdog.drill.running import DrillRefused, practise
from watchdog.drill.site import set_up

REFUSED = 3
"""The exit status where it was not begun; why is the last line on stderr."""


def main() -> int:
    try:
        result = asyncio.run(practise(FULL, OUT / "rules", _say, playing=play, prepare=set_up))
    except DrillRefused as refused:
        sys.stderr.write(f"{refused}\n")
        return REFUSED
    view, text = papers(result)
    (OUT / "drill.json").write_text(json.dumps(view, allow_nan=False, indent=1) + "\n")
    (OUT / "drill.md").write_text(text)
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
