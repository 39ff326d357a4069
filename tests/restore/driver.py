"""`python -m tests.restore.driver FOLDER ID`: the helper over a scratch host, as the unit does."""

import os
import sys
from pathlib import Path

from tests.restore.site import places_of
from watchdog.restore.run import Helper

if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(Helper(places_of(Path(sys.argv[1]))).run(sys.argv[2]))
