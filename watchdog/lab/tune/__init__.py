"""One rule in many variants over the same past, and the edit that makes a chosen one real."""

from watchdog.lab.tune.edit import Edit, edited
from watchdog.lab.tune.sweep import Grid, Point, Sweep, sweep
from watchdog.lab.tune.variants import Variant, variants

__all__ = ["Edit", "Grid", "Point", "Sweep", "Variant", "edited", "sweep", "variants"]
