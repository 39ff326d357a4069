"""Judging one rule: readings and answers in, verdicts out. No clock, no I/O."""

from watchdog.core.judge.answers import SKEW_SECONDS
from watchdog.core.judge.budget import Budget
from watchdog.core.judge.judge import Judge, queries
from watchdog.core.judge.past import Past
from watchdog.core.judge.value import breaches

__all__ = ["SKEW_SECONDS", "Budget", "Judge", "Past", "breaches", "queries"]
