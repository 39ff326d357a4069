"""`slo-watchdog-restore ID`: what `slo-watchdog-restore@ID.service` runs, as root."""

from __future__ import annotations

import os
import sys

from watchdog.restore.places import Places
from watchdog.restore.run import Helper


def main() -> int:
    """The exit status: 0 done as asked, 1 not so, 2 wrong usage."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: slo-watchdog-restore ID (systemd starts it)\n")
        return 2
    if os.geteuid() != 0:
        sys.stderr.write("slo-watchdog-restore: it must be root\n")
        return 2
    os.umask(0o077)
    return Helper(Places()).run(sys.argv[1])


if __name__ == "__main__":
    sys.exit(main())
