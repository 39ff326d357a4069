"""Measures of the watchdog, each beside a peer where there is one; see docs/benchmarks.md."""
