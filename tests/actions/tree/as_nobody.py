"""Runs the process that swaps as a user without rights; what it needs is read before."""

import os
import sys

from watchdog.actions.tree.worker import main

NOBODY = 65534

if __name__ == "__main__":
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    sys.exit(main())
