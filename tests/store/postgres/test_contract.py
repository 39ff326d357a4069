"""What the engine may rely on, whichever store it is on."""

from __future__ import annotations

import math

import pytest

from tests.store.postgres.conftest import Home
from tests.store.stories import NOON, decided, held, opened, trouble
from watchdog.core.entries import RuleCleared, StepTaken
from watchdog.core.words import Instant
from watchdog.ports import (
    JournalBroken,
    JournalBusy,
    JournalCorrupt,
    JournalDeposed,
    JournalMoved,
    Lease,
)
from watchdog.store.codec import UnwritableEntry, encode
from watchdog.store.pieces import PIECE_BYTES
from watchdog.store.schema import row_hash

STRANGE_TEXTS = (
    'it\'s "quoted", 100% {sure}, %s and $1, \\ and \\n',
    "new\nline\ttab\x00nul\x1b[31m",
    "żółw 🐢 \u2028 \ud800 half a pair",
    "'); DROP TABLE slo_watchdog.entries; --",
    "o" * 60_000,
    "",
)
STRANGE_TIMES = (0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, 1_790_000_000.123456789)


def test_what_was_appended_is_there_after_a_restart(home: Home) -> None:
    store = home.start()
    first = store.journal.append(trouble(1), NOON)
    second = store.journal.append([held()], NOON.plus(1.0))
    assert [one.seq for one in first + second] == [1, 2, 3, 4]
    assert store.journal.newest() == 4
    home.stop(store)
    back = list(home.start("alpha").journal.read())
    assert [(one.seq, one.at, one.hash) for one in back] == [
        (one.seq, one.at, one.hash) for one in first + second
    ]
    assert back[3].entry == held()


def test_both_stores_hold_the_same_text_and_chain_it_alike(home: Home) -> None:
    store = home.start()
    batch = (*trouble(1), held(), decided(2))
    previous = ""
    for one, entry in zip(store.journal.append(batch, NOON), batch, strict=True):
        if previous:
            assert one.hash == row_hash(previous, one.seq, NOON, entry.kind, encode(entry))
        previous = one.hash


def test_any_text_reads_back_equal(home: Home) -> None:
    store = home.start()
    for text in STRANGE_TEXTS:
        store.journal.append([StepTaken("I1", "change", "claimed", text, output=text)], NOON)
    found = [one.entry for one in store.journal.read()]
    assert [one.output for one in found if isinstance(one, StepTaken)] == [
        text.replace("\ud800", "?") for text in STRANGE_TEXTS
    ]


def test_any_time_reads_back_equal(home: Home) -> None:
    store = home.start()
    for number, time in enumerate(STRANGE_TIMES):
        store.journal.append([RuleCleared(f"rule-{number}")], Instant(time, -time))
    with home.look() as reader:
        assert reader.verify() == len(STRANGE_TIMES)
        found = [(repr(one.at.wall), repr(one.at.steady)) for one in reader.read()]
    assert found == [(repr(time + 0.0), repr(-time + 0.0)) for time in STRANGE_TIMES]


def test_reading_begins_after_a_number_and_ends_at_a_limit(home: Home) -> None:
    journal = home.start().journal
    journal.append([RuleCleared(f"rule-{number}") for number in range(1200)], NOON)
    assert [one.seq for one in journal.read(after=1150)] == list(range(1151, 1201))
    assert [one.seq for one in journal.read(after=3, limit=2)] == [4, 5]
    assert [one.seq for one in journal.read(limit=700)] == list(range(1, 701))
    assert list(journal.read(after=1200)) == []
    assert list(journal.read(limit=0)) == []


def test_nothing_of_a_batch_is_written_when_one_entry_cannot_be(home: Home) -> None:
    journal = home.start().journal
    with pytest.raises(UnwritableEntry):
        journal.append([opened(), RuleCleared(rule=7)], NOON)  # type: ignore[arg-type]  # the point
    with pytest.raises(ValueError, match="finite"):
        journal.append([opened()], Instant(math.nan, 1.0))
    assert journal.append([], NOON) == ()
    assert list(journal.read()) == []
    assert journal.append([opened()], NOON)[0].seq == 1


def test_an_append_that_must_follow_an_entry_follows_no_other(home: Home) -> None:
    journal = home.start().journal
    journal.append(trouble(), NOON, after=0)
    for stale in (0, 2, 4):
        with pytest.raises(JournalMoved, match="ends with"):
            journal.append([held()], NOON, after=stale)
    assert journal.append([held()], NOON, after=3)[0].seq == 4
    assert journal.newest() == 4


def test_nothing_is_written_or_retired_under_an_epoch_that_does_not_lead(home: Home) -> None:
    journal = home.start().journal
    journal.append(trouble(), NOON)
    for epoch in (0, 2):
        with pytest.raises(JournalDeposed, match="epoch"):
            journal.append([held()], NOON, epoch=epoch)
        with pytest.raises(JournalDeposed, match="epoch"):
            journal.prune(2, b"snapshot", NOON, epoch=epoch)
    assert journal.newest() == 3
    assert journal.base() is None
    assert journal.append([held()], NOON, epoch=1)[0].seq == 4


def test_who_opened_it_leads_in_epoch_one(home: Home) -> None:
    lease: Lease = home.start(leads_for=None).lease
    lead = lease.ask("alpha", 10.0)
    assert (lead.holder, lead.epoch, lead.mine) == ("alpha", 1, True)
    assert lead.mine_at(lead.asked_at + 9.9)
    again = lease.ask("alpha", 10.0)
    assert (again.epoch, again.mine) == (1, True)
    assert lease.look().mine


def test_old_entries_are_retired_behind_a_snapshot(home: Home) -> None:
    store = home.start()
    for number in range(1, 5):
        store.journal.append(trouble(number), NOON)
    assert store.journal.base() is None
    sixth = next(iter(store.journal.read(after=5)))
    store.journal.prune(6, b"the book as of entry 6\0\xff", NOON)
    store.journal.append([held()], NOON)
    expected = (6, sixth.hash, b"the book as of entry 6\0\xff")
    assert store.journal.base() == expected
    with home.look() as reader:
        assert reader.base() == expected
        assert reader.verify() == 7
        assert [one.seq for one in reader.read(after=2)] == list(range(7, 14))
    store.journal.prune(13, b"all of it", NOON)
    assert list(store.journal.read()) == []
    assert store.journal.append([opened(9)], NOON)[0].seq == 14
    home.stop(store)
    assert [one.seq for one in home.start().journal.read()] == [14]


def test_only_entries_that_stand_can_be_retired(home: Home) -> None:
    journal = home.start().journal
    journal.append((*trouble(1), *trouble(2)), NOON)
    journal.prune(3, b"snapshot", NOON)
    for upto in (0, 2, 3, 8):
        with pytest.raises(ValueError, match="no entry"):
            journal.prune(upto, b"other", NOON)
    assert [one.seq for one in journal.read()] == [4, 5, 6]


TAMPERINGS = (
    ("UPDATE entries SET body = replace(body, 'E1', 'E7') WHERE seq = 2", "2 has been changed"),
    ("UPDATE entries SET wall = wall + 1 WHERE seq = 1", "1 has been changed"),
    ("UPDATE entries SET steady = 0 WHERE seq = 3", "3 has been changed"),
    ("UPDATE entries SET kind = 'rule.cleared' WHERE seq = 3", "3 has been changed"),
    ("DELETE FROM entries WHERE seq = 2", "2 is missing"),
    ("DELETE FROM entries WHERE seq = 1", "1 is missing"),
    ("DELETE FROM entries WHERE seq = 3", "put back from an old backup"),
    ("UPDATE base SET snapshot = x'00'", "base at entry 0 has been changed"),
    ("DELETE FROM base", "base is missing"),
    ("DELETE FROM about", "does not say what it is"),
    ("UPDATE about SET identity = 'other'", "another journal"),
)
_KEPT = ("entries", "base", "about")


def test_whatever_was_tampered_with_stops_the_start_and_put_right_does_not(home: Home) -> None:
    store = home.start()
    store.journal.append(trouble(), NOON)
    home.stop(store)
    home.edit(*(f"CREATE TABLE kept_{name} AS SELECT * FROM {name}" for name in _KEPT))  # noqa: S608  # our constants
    for statement, says in TAMPERINGS:
        home.edit(statement)
        with pytest.raises(JournalCorrupt, match=says):
            home.start()
        for name in _KEPT:
            home.edit(f"DELETE FROM {name}", f"INSERT INTO {name} SELECT * FROM kept_{name}")  # noqa: S608  # as above
    assert home.start().journal.newest() == 3


def test_a_state_folder_is_held_by_one_process_alone(home: Home) -> None:
    home.start()
    with pytest.raises(JournalBusy, match="held by process"):
        home.start()


def test_a_closed_journal_says_so(home: Home) -> None:
    journal = home.start().journal
    journal.close()
    journal.close()
    with pytest.raises(JournalBroken, match="has been closed"):
        journal.append([opened()], NOON)
    with pytest.raises(JournalBroken, match="has been closed"):
        list(journal.read())


def test_a_reader_sees_what_is_recorded_and_disturbs_nobody(home: Home) -> None:
    journal = home.start().journal
    with home.look() as reader:
        assert list(reader.read()) == []
        mine = journal.append(trouble(), NOON)
        assert [one.hash for one in reader.read()] == [one.hash for one in mine]
        assert journal.append([held()], NOON)[0].seq == 4
        assert [one.entry for one in reader.read(after=3)] == [held()]
        assert reader.verify() == 4


def test_a_reader_knows_the_last_sign_of_life(home: Home) -> None:
    store = home.start()
    store.history.save({"window": b"1"})
    with home.look() as reader:
        assert reader.alive_at() > NOON.wall - 10 * 365 * 86400


def test_checkpoints_change_grow_shrink_and_go(home: Home) -> None:
    store = home.start()
    value = bytearray(range(256)) * 160
    values: dict[str, bytes] = {"empty": b"", "piece": b"p" * PIECE_BYTES, "big": bytes(value)}
    store.history.save(values)
    assert store.history.load() == values
    value[3 * PIECE_BYTES] ^= 1
    values["big"] = bytes(value)
    store.history.save(values)
    values["big"] = bytes(value[: PIECE_BYTES + 7])
    store.history.save(values)
    store.history.drop(["piece", "unknown"])
    del values["piece"]
    home.stop(store)
    after = home.start()
    assert after.history.load() == values
    after.history.save({"big": b"short"})
    home.stop(after)
    assert home.start().history.load() == values | {"big": b"short"}


def test_a_checkpoint_that_is_not_whole_is_not_believed(home: Home) -> None:
    store = home.start()
    store.history.save({"window": b"w" * 3 * PIECE_BYTES, "other": b"1"})
    home.stop(store)
    if home.url:
        home.edit("DELETE FROM pieces WHERE piece = 1")
    else:
        whole = (home.folder / "history.db").read_bytes()
        at = whole.index(b"w" * 2000)
        (home.folder / "history.db").write_bytes(whole[:at] + b"x" + whole[at + 1 :])
    after = home.start()
    assert dict(after.history.load()) == {"other": b"1"}
