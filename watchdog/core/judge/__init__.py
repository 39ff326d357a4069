"""Judging one rule: readings and answers in, verdicts out. No clock, no I/O."""

from watchdog.core.judge.judge import Judge, queries
from watchdog.core.judge.value import breaches

__all__ = ["Judge", "breaches", "queries"]
