"""A past for a real Prometheus: blocks made by its own tool before it starts."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.real_parts.server import program

# The tool reads its whole input once for each block, so it gets one block's samples at a time.
_BLOCK_SECONDS = 54 * 3600
_DEADLINE_SECONDS = 300


def backfill(
    data: Path, series: Mapping[str, Sequence[float]], *, start: int, step_seconds: int
) -> None:
    """Write the series (as `name{label="value"}`) into the data folder of a Prometheus to come.

    Their values are `step_seconds` apart, the first one at `start`, seconds since the epoch.
    """
    data.mkdir(parents=True, exist_ok=True)
    page = data.parent / "backfill.txt"
    longest = max(len(values) for values in series.values())
    end = start + longest * step_seconds
    since = start
    while since < end:
        until = (since // _BLOCK_SECONDS + 1) * _BLOCK_SECONDS
        first = -(-(since - start) // step_seconds)
        last = -(-(min(until, end) - start) // step_seconds)
        with page.open("w", encoding="utf-8") as file:
            for text, values in series.items():
                for number, value in enumerate(values[first:last], first):
                    file.write(f"{text} {value!r} {start + number * step_seconds}\n")
            file.write("# EOF\n")
        _make_blocks(page, data)
        since = until
    page.unlink()


def _make_blocks(page: Path, data: Path) -> None:
    block = f"--max-block-duration={_BLOCK_SECONDS // 3600}h"
    command = [program("promtool", "prometheus"), "tsdb", "create-blocks-from", block]
    done = subprocess.run(
        [*command, "openmetrics", str(page), str(data)],
        capture_output=True,
        text=True,
        timeout=_DEADLINE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"promtool: {done.stderr[-1000:]}")
