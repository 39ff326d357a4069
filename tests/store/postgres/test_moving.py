"""A journal that goes on elsewhere: from a file to a server, and out of a dump."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.real_parts.postgres import RealPostgres
from tests.store.postgres.conftest import Home
from tests.store.stories import NOON, held, trouble
from watchdog.clock import SystemClock
from watchdog.ports import JournalBusy, JournalCorrupt, JournalError, JournalMissing
from watchdog.store import Where, create, open_store, take_over


def test_a_files_journal_goes_on_at_a_server_entry_by_entry(
    server: RealPostgres, empty: str, tmp_path: Path
) -> None:
    folder, home = tmp_path / "file", Home(tmp_path, server.url(empty))
    create(Where(folder))
    with closing(open_store(Where(folder), SystemClock())) as store:
        for number in range(200):
            store.journal.append(trouble(number), NOON.plus(number))
        store.journal.prune(100, b"the book then", NOON)
        before = [(one.seq, one.at, one.hash) for one in store.journal.read()]
        store.history.save({"window": b"w" * 20_000})
        with pytest.raises(JournalBusy):
            take_over(folder, home.where())
    assert take_over(folder, home.where()).endswith("after entry 600")
    after = home.start()
    assert [(one.seq, one.at, one.hash) for one in after.journal.read()] == before
    base = after.journal.base()
    assert base is not None
    assert (base[0], base[2]) == (100, b"the book then")
    assert after.history.load() == {"window": b"w" * 20_000}
    assert after.journal.append(trouble(), NOON)[0].seq == 601
    home.close()
    with pytest.raises(JournalMissing):
        open_store(Where(folder), SystemClock())
    assert (folder / "journal.db.moved").exists()


def test_a_dump_is_restored_whole_and_goes_on(
    server: RealPostgres, shared: Home, database: str, empty: str, tmp_path: Path
) -> None:
    store, dump = shared.start(), tmp_path / "watchdog.dump"
    store.journal.append(trouble(), NOON)
    store.lease.yield_()
    schema = "--schema=slo_watchdog"
    server.tool("pg_dump", "--format=custom", schema, f"--file={dump}", database)
    assert store.lease.ask("alpha", 10.0).mine
    store.journal.append([held()], NOON)
    server.tool("pg_restore", f"--dbname={empty}", str(dump))
    restored = Home(shared.folder, server.url(empty))
    with restored.look() as reader:
        assert reader.verify() == 3
    shared.stop(store)
    with pytest.raises(JournalCorrupt, match=r"entry 4 had been written.*remove .*store\.mark"):
        restored.start()
    (shared.folder / "alpha" / "store.mark").unlink()
    again = restored.start(leads_for=None)
    lead = again.lease.ask("alpha", 10.0)
    assert (lead.mine, lead.epoch) == (True, 2), "who led when it was dumped is another process"
    assert again.journal.append([held()], NOON, epoch=2)[0].seq == 4
    restored.close()


def test_no_journal_is_taken_over_into_another(shared: Home, tmp_path: Path) -> None:
    shared.start().journal.append(trouble(), NOON)
    create(Where(tmp_path / "file"))
    with pytest.raises(JournalError, match="has a journal already"):
        take_over(tmp_path / "file", shared.where("other"))
    with closing(open_store(Where(tmp_path / "file"), SystemClock())) as store:
        assert store.journal.newest() == 0
