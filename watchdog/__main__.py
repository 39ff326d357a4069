"""`python -m watchdog` is `slo-watchdog`."""

from watchdog.cli import main

main()
