"""A daemon that records, and retires what is old, without a pause."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRITER = """
import sys
import time
from pathlib import Path
from tests.store.stories import NOON, trouble
from watchdog.store import SqliteJournal
with SqliteJournal.open(Path(sys.argv[1])) as journal:
    number = 0
    while True:
        journal.append(trouble(number), NOON)
        number += 1
        if number % 20 == 0:
            journal.prune(journal.last.seq - 9, b"s" * 9000, NOON)
        time.sleep(0.005)
        if number == 1:
            print("writing", flush=True)
"""


@contextmanager
def busy_daemon(state: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(state)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as daemon:
        try:
            assert daemon.stdout is not None
            assert daemon.stdout.readline() == "writing\n"
            yield daemon
        finally:
            daemon.kill()
