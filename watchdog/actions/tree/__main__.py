"""`python -m watchdog.actions.tree`: see `worker`. Started by the adapter, never by a person."""

import sys

from watchdog.actions.tree.worker import main

if __name__ == "__main__":
    sys.exit(main())
