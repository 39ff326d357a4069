"""One seed, told step by step with --trace; or many, over the cores of this machine.

python -m tests.simulation --seed 7 --trace
python -m tests.simulation --seeds 1000
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable

from tests.simulation.life import Told, live


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--trace", action="store_true", help="tell everything that happens")
    parser.add_argument("--seeds", type=int, default=1000, help="so many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    asked = parser.parse_args()
    if asked.seed is not None:
        told = live(asked.seed, loud=asked.trace)
        _say(f"seed {told.seed}: trace {told.trace}, {dict(sorted(told.counts.items()))}")
        return summed_up([told], began=time.monotonic())
    began = time.monotonic()
    seeds = range(asked.first, asked.first + asked.seeds)
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        return summed_up(pool.imap_unordered(live, seeds, chunksize=4), began=began)


def summed_up(lives: Iterable[Told], *, began: float) -> int:
    """One line for all of them, and what to do about those that are red."""
    counts: Counter[str] = Counter()
    seeds, seconds, violations = 0, 0.0, 0
    for told in lives:
        seeds += 1
        seconds += told.seconds
        counts.update(told.counts)
        if told.violations:
            violations += len(told.violations)
            _say(tale(told))
    crashes = f"{counts['crashes']} crashes ({counts['power cuts']} with power cuts)"
    _say(
        f"{seeds} seeds, {seconds / 86400:.1f} simulated days, {counts['faults']} faults, "
        f"{crashes}, {counts['effects']} effects, {counts['episodes']} episodes, "
        f"{violations} violations, in {time.monotonic() - began:.0f} s"
    )
    return 1 if violations else 0


def tale(told: Told, *, lines: int = 30) -> str:
    """What went wrong, what came before it, and how to see it again."""
    until = next(n for n, line in enumerate(told.lines) if "VIOLATION" in line)
    last = [line[:240] for line in told.lines[max(0, until - lines) : until + 1]]
    return "\n".join(
        [
            f"seed {told.seed} is red:",
            *(f"  {one[:600]}" for one in told.violations[:5]),
            "  the last events before it:",
            *(f"    {line}" for line in last),
            f"  to repeat it: python -m tests.simulation --seed {told.seed} --trace",
        ]
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
