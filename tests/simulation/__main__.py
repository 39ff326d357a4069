"""One seed, told step by step with --trace; or many, over the cores of this machine.

python -m tests.simulation --seed 7 --trace
python -m tests.simulation --seeds 1000
python -m tests.simulation --seeds 250 --daemons 2     on one shared store
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable
from functools import partial

from tests.simulation.life import Told, live
from tests.simulation.shared.life import live_together

NEWS_EVERY = 50
"""Seeds: a long run that is cut off has told how far it came."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--trace", action="store_true", help="tell everything that happens")
    parser.add_argument("--seeds", type=int, default=1000, help="so many, from --first on")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--daemons", type=int, choices=(1, 2, 3), default=1)
    parser.add_argument("--minutes", type=float, default=0.0, help="of several, before the calm")
    asked = parser.parse_args()
    lived = live
    if asked.daemons > 1:
        lived = partial(live_together, daemons=asked.daemons, minutes=asked.minutes)
    if asked.seed is not None:
        told = lived(asked.seed, loud=asked.trace)
        _say(f"seed {told.seed}: trace {told.trace}, {dict(sorted(told.counts.items()))}")
        return summed_up([told], began=time.monotonic(), daemons=asked.daemons)
    began = time.monotonic()
    seeds = range(asked.first, asked.first + asked.seeds)
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        lives = pool.imap_unordered(lived, seeds, chunksize=4)
        return summed_up(lives, began=began, daemons=asked.daemons)


def summed_up(lives: Iterable[Told], *, began: float, daemons: int = 1) -> int:
    """One line for all of them, and what to do about those that are red."""
    counts: Counter[str] = Counter()
    seeds, seconds, violations, silence = 0, 0.0, 0, 0.0
    for told in lives:
        seeds += 1
        seconds += told.seconds
        silence = max(silence, told.silence_seconds)
        counts.update(told.counts)
        if told.violations:
            violations += len(told.violations)
            _say(tale(told, daemons=daemons))
        if seeds % NEWS_EVERY == 0:
            took = time.monotonic() - began
            _say(f"... {seeds} seeds so far, {violations} violations, {took:.0f} s")
    crashes = f"{counts['crashes']} crashes ({counts['power cuts']} with power cuts)"
    if daemons > 1:
        crashes = (
            f"{counts['crashes']} kills, {counts['takeovers']} times another led, after "
            f"{silence:.1f} s at most where one could, "
            f"{counts['tries of who was stopped right before']} tries of who was stopped "
            "right before"
        )
    _say(
        f"{seeds} seeds, {seconds / 86400:.1f} simulated days, {counts['faults']} faults, "
        f"{crashes}, {counts['effects']} effects, {counts['episodes']} episodes, "
        f"{violations} violations, in {time.monotonic() - began:.0f} s"
    )
    return 1 if violations else 0


def tale(told: Told, *, lines: int = 30, daemons: int = 1) -> str:
    """What went wrong, what came before it, and how to see it again."""
    until = next(n for n, line in enumerate(told.lines) if "VIOLATION" in line)
    together = f" --daemons {daemons}" if daemons > 1 else ""
    last = [line[:240] for line in told.lines[max(0, until - lines) : until + 1]]
    return "\n".join(
        [
            f"seed {told.seed} is red:",
            *(f"  {one[:600]}" for one in told.violations[:5]),
            "  the last events before it:",
            *(f"    {line}" for line in last),
            f"  to repeat it: python -m tests.simulation{together} --seed {told.seed} --trace",
        ]
    )


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
