"""A process that starts victims: children that append to a journal until something stops them.

Everything is imported once, before the fork, so that a victim makes only the system calls that
the test is about. One JSON object a line comes in on stdin, the victim's pid goes out on stdout.
A victim waits for the file `go`, writes each acknowledged number to `acks`, and in the end how
it ended to `end`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path

from tests.store.stories import NOON, trouble
from watchdog.ports import JournalBroken, JournalError
from watchdog.store import SqliteJournal

RESERVE_BYTES = 64 * 1024


def live(state: Path, control: Path, story: str, batches: int) -> str:
    """Open (or create) the journal and append; how it ended."""
    acks = os.open(control / "acks", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    while not (control / "go").exists():
        time.sleep(0.001)
    try:
        if story == "create":
            SqliteJournal.create(state, reserve_bytes=RESERVE_BYTES)
            return "done"
        journal = SqliteJournal.open(state, reserve_bytes=RESERVE_BYTES)
    except JournalError as error:
        return f"{type(error).__name__}: {error}"
    try:
        first = journal.last.seq
        for number in range(batches):
            for one in journal.append(trouble(number), NOON.plus(number)):
                os.write(acks, b"%d\n" % one.seq)
        if story == "prune":
            journal.prune(first + 3, b"snapshot", NOON)
    except JournalBroken as error:
        try:
            journal.append(trouble(batches), NOON)
        except JournalBroken:
            return f"JournalBroken: {error}"
        return f"went on after {error}"
    except JournalError as error:
        return f"{type(error).__name__}: {error}"
    return "done" if journal.reserve_ready else "done without reserve"


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the victims here
    for line in sys.stdin:
        order = json.loads(line)
        victim = os.fork()
        if victim:
            sys.stdout.write(f"{victim}\n")
            sys.stdout.flush()
            continue
        control = Path(order["control"])
        try:
            end = live(Path(order["state"]), control, order["story"], order["batches"])
        except BaseException:  # noqa: BLE001  # a victim tells everything and never returns
            end = traceback.format_exc()
        (control / "end").write_text(end, encoding="utf-8")
        os._exit(0)


if __name__ == "__main__":
    main()
