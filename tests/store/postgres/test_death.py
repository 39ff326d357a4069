"""The daemon dies in the middle of an append: what it was told is recorded is, and none is half."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.store.postgres.conftest import Home
from tests.store.stories import NOON, trouble
from watchdog.ports import JournalDeposed

WRITER = """
import sys
from pathlib import Path
from tests.store.stories import NOON, trouble
from watchdog.clock import SystemClock
from watchdog.store import Where, open_store
store = open_store(Where(Path(sys.argv[1]), sys.argv[2], "alpha"), SystemClock())
epoch = store.lease.ask("alpha", 2.0).epoch
number = 0
while True:
    number += 1
    store.lease.ask("alpha", 2.0)
    print(store.journal.append(trouble(number), NOON, epoch=epoch)[-1].seq, flush=True)
"""


def test_a_killed_daemon_loses_nothing_and_is_replaced_when_its_lease_has_run_out(
    shared: Home,
) -> None:
    where = shared.where()
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(where.state_dir), where.url],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    ) as daemon:
        assert daemon.stdout is not None
        daemon.stdout.readline()
        time.sleep(0.3)
        daemon.kill()
        told = [int(line) for line in daemon.stdout.read().split()]
    killed = time.monotonic()
    again = shared.start(leads_for=None)
    last = again.journal.newest()
    assert last in {told[-1], told[-1] + 3}, "a batch is there whole or not at all"
    assert [one.seq for one in again.journal.read()] == list(range(1, last + 1))
    waiting = again.lease.ask("alpha", 30.0)
    assert (waiting.mine, waiting.epoch) == (False, 1), "the name alone makes nobody the holder"
    with pytest.raises(JournalDeposed):
        again.journal.append(trouble(0), NOON, epoch=2)
    while not (lead := again.lease.ask("alpha", 30.0)).mine:
        assert time.monotonic() - killed < 4.0, "twice the lease"
        time.sleep(0.05)
    assert lead.epoch == 2
    assert again.journal.append(trouble(0), NOON, epoch=2)[0].seq == last + 1
