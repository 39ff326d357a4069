"""What a rule will do, told before it is armed: when it fires, on what, how often by chance."""

from watchdog.lab.explain.ratios import Asked
from watchdog.lab.explain.report import Explanation, explain

__all__ = ["Asked", "Explanation", "explain"]
