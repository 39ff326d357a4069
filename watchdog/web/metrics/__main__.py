"""Prints docs/metrics.md."""

import sys

from watchdog.web.metrics.reference import reference

sys.stdout.write(reference())
