"""`python -m bench [--only NAME]`: one JSON object a line per measure on stdout.

Progress goes to stderr. Exit status: 0 when every measure was made (whether or not a target was
met: the numbers say that), 1 when one could not be made.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from bench import (
    backtest_30d,
    memory,
    pages,
    pass_cost,
    restore,
    scrape_parse,
    shared_metric,
    slo_pass_cpu,
    time_to_pause,
    trees,
    under_attack,
)
from bench.report import Measure, progress

MEASURES: dict[str, Callable[[Path], Awaitable[Measure]]] = {
    "time_to_pause_1s": time_to_pause.every_second,
    "time_to_pause_250ms": time_to_pause.every_quarter,
    "under_attack": under_attack.measure,
    "pass_cost": pass_cost.measure,
    "memory": memory.measure,
    "pages": pages.measure,
    "backtest_30d": backtest_30d.measure,
    "slo_pass_cpu": slo_pass_cpu.measure,
    "shared_metric": shared_metric.measure,
    "scrape_parse": scrape_parse.measure,
    "restore_throughput": restore.measure,
    "config_swap": trees.swap,
    "config_rollback": trees.rollback,
}


async def _run(names: list[str]) -> int:
    failed = 0
    for name in names:
        with tempfile.TemporaryDirectory(prefix="watchdog-bench-") as folder:
            progress(f"{name}: begins")
            try:
                measure = await MEASURES[name](Path(folder))
            except Exception as error:  # noqa: BLE001  # the other measures are still worth making
                progress(f"{name}: could not be made: {type(error).__name__}: {error}")
                failed += 1
            else:
                print(measure.line(), flush=True)
    return 1 if failed else 0


def main() -> int:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=sorted(MEASURES), help="one measure alone")
    only = parser.parse_args().only
    return asyncio.run(_run([only] if only else list(MEASURES)))


if __name__ == "__main__":
    sys.exit(main())
