"""The demo: the main job on real parts, told live.

A real Mycelia stand-in, the real daemon as a process of its own, the real rules: redemption
breaks, its flag is switched off, that is proven by reading it back, a person undoes it, and it is
watched until it is quiet.
"""

from watchdog.demo.stage import Stage
from watchdog.demo.story import Story, tell

__all__ = ["Stage", "Story", "tell"]
