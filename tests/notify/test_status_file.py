"""A status document that somebody else keeps: our fields, and nothing else of it."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.notify.sheets import KEY, quiet, sheet
from watchdog.core.telling.status_pages import Condition, StatusFile, StatusPage
from watchdog.notify import open_status_page
from watchdog.ports import Delivered, Shown, StatusBoard, StatusSheet
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

SAMPLE = """\
{
  "status": "operational",
  "timestamp": 1704067200000,
  "peg": {
    "status": "ok",
    "collateralization": 1.0,
    "exact": 0.12345678901234567890,
    "large": 123456789012345678901234567890,
    "tiny": 1e-7
  },
  "featureFlags": {
    "btc_mainnet_redemption": false
  },
  "slos": {}
}
"""
NOBODY = 65534
Fields = tuple[tuple[tuple[str, ...], str], ...]
FIELDS: Fields = (
    (("incidents",), '"${incidents}"'),
    (("notice",), '"${notice}"'),
    (("status",), '"${status}"'),
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "public" / "status.json"
    path.parent.mkdir()
    path.write_text(SAMPLE)
    path.chmod(0o640)
    return path


def board(path: Path, fields: Fields = FIELDS) -> StatusBoard:
    page = StatusPage("public", StatusFile(str(path), "here", fields), ())
    return open_status_page(page, Wire(FileSecrets([])))


def show(path: Path, told: StatusSheet, fields: Fields = FIELDS) -> Shown:
    return asyncio.run(board(path, fields).show(told, deadline_seconds=5))


def look(path: Path) -> Shown:
    return asyncio.run(board(path).look(deadline_seconds=5))


def test_our_fields_are_put_and_taken_back_and_all_else_stays_to_the_last_digit(
    file: Path,
) -> None:
    assert show(file, quiet()) == Shown(Delivered.SENT)
    assert file.read_text() == SAMPLE  # where nothing is the matter, nothing is said

    assert show(file, sheet(Condition.PAUSED)) == Shown(Delivered.SENT)
    paused = json.loads(file.read_text())
    assert paused["status"] == "paused"
    assert paused["notice"] == "It is paused."
    (incident,) = paused["incidents"]
    assert (incident["id"], incident["status"]) == (KEY, "identified")
    assert incident["since"] == "2025-11-24T16:00:00Z"
    lines = set(file.read_text().splitlines())
    kept = [line for line in SAMPLE.splitlines() if '"status": "operational"' not in line]
    assert [line for line in kept if line not in lines and line != '  "slos": {}'] == []
    assert file.stat().st_mode & 0o7777 == 0o640
    assert [one.name for one in file.parent.iterdir()] == ["status.json"]

    before = file.stat()
    assert show(file, sheet(Condition.PAUSED)) == Shown(Delivered.SENT)
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)

    assert show(file, sheet(Condition.OPERATIONAL)) == Shown(Delivered.SENT)
    over = json.loads(file.read_text())
    assert (over["status"], over["incidents"], over["notice"]) == ("operational", [], "")


def test_what_somebody_else_says_there_is_theirs_while_nothing_is_the_matter(
    file: Path,
) -> None:
    theirs = SAMPLE.replace('"operational"', '"maintenance"')
    file.write_text(theirs)
    show(file, quiet())
    assert file.read_text() == theirs
    show(file, sheet(Condition.PAUSED))
    written = json.loads(file.read_text()) | {"status": "maintenance"}
    file.write_text(json.dumps(written))
    show(file, sheet(Condition.OPERATIONAL))
    over = json.loads(file.read_text())
    assert (over["status"], over["incidents"], over["notice"]) == ("maintenance", [], "")


def test_one_that_is_exchanged_meanwhile_loses_nothing(file: Path) -> None:
    """The site publishes its document anew, by a rename of its own, while ours is being written."""
    large = json.loads(SAMPLE) | {"filler": "x" * 900_000}
    file.write_text(json.dumps(large))
    fresh = file.with_name("fresh")
    fresh.write_text(json.dumps(large | {"timestamp": 2}))
    exchanged = threading.Event()

    def publish() -> None:
        ends = time.monotonic() + 10
        while time.monotonic() < ends:
            if any("slo-watchdog" in name for name in map(str, file.parent.iterdir())):
                fresh.rename(file)
                exchanged.set()
                return

    site = threading.Thread(target=publish)
    site.start()
    shown, tries = Shown(Delivered.NOT_SENT), 0
    while not exchanged.is_set() and tries < 200:  # until the site comes in between
        tries += 1
        shown = show(file, sheet(Condition.PAUSED, f"told {tries} times"))
    site.join()
    assert exchanged.is_set()
    assert shown == Shown(Delivered.SENT)
    document = json.loads(file.read_text())
    assert (document["timestamp"], document["status"]) == (2, "paused")


def test_two_who_write_it_at_a_time_do_not_take_each_others_file_away(file: Path) -> None:
    """Two daemons of one host, or a daemon that tells it while somebody tries whether it could."""
    large = json.loads(SAMPLE) | {"filler": "x" * 500_000}
    file.write_text(json.dumps(large))
    refused: list[Shown] = []
    over = threading.Event()

    def tries() -> None:
        while not over.is_set():
            seen = look(file)
            if seen.result is not Delivered.SENT:
                refused.append(seen)

    others = [threading.Thread(target=tries) for _ in range(2)]
    for one in others:
        one.start()
    try:
        told = [show(file, sheet(Condition.PAUSED, f"told {n} times")) for n in range(40)]
    finally:
        over.set()
        for one in others:
            one.join()
    assert {one.result for one in told} == {Delivered.SENT}
    assert refused == []
    assert json.loads(file.read_text())["notice"] == "It is told 39 times."
    assert [one.name for one in file.parent.iterdir()] == ["status.json"]


def test_what_one_who_died_left_goes_when_the_next_is_written_and_what_is_under_way_stays(
    file: Path,
) -> None:
    left, before, busy, other = (
        file.with_name(name)
        for name in (
            ".status.json.slo-watchdog-0badcafe",
            ".status.json.slo-watchdog",  # as an older version named it
            ".status.json.slo-watchdog-00000000",
            ".other.json.slo-watchdog-0badcafe",
        )
    )
    for one in (left, before, busy, other):
        one.write_text("half of")
    for one in (left, before, other):
        os.utime(one, (time.time() - 3600,) * 2)
    assert show(file, sheet(Condition.PAUSED)) == Shown(Delivered.SENT)
    assert sorted(file.parent.iterdir()) == sorted([file, busy, other])


def test_its_form_is_kept_where_it_is_compact_or_has_no_last_line_end(file: Path) -> None:
    file.write_text('{"status":"operational","a":[1,2.50]}')
    show(file, sheet(Condition.PAUSED))
    text = file.read_text()
    assert text.startswith('{"status":"paused","a":[1,2.50],"incidents":[')
    assert not text.endswith("\n")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("[1]", "is no JSON object"),
        ('{"status": ', "is no JSON document"),
        ('{"a": NaN}', "NaN is no JSON"),
        ("[" * 100_000, "is no JSON document"),
        ("x" * (1 << 21), "more than 1048576 bytes"),
    ],
)
def test_what_is_no_such_document_is_left_as_it_is(file: Path, content: str, says: str) -> None:
    file.write_text(content)
    shown = show(file, sheet(Condition.PAUSED))
    assert shown.result is Delivered.REFUSED
    assert says in shown.reason
    assert file.read_text() == content


def test_what_cannot_be_replaced_is_said(file: Path) -> None:
    told = sheet(Condition.PAUSED)
    link = file.with_name("link.json")
    link.symlink_to(file)
    pipe = file.with_name("pipe.json")
    os.mkfifo(pipe)
    for path, says in (
        (link, "is a link: name the file that it leads to"),
        (pipe, "is a pipe, and no file"),
        (file.with_name("nowhere.json"), "is not there: it is changed, and not made"),
    ):
        shown = show(path, told)
        assert (shown.result, says in shown.reason) == (Delivered.REFUSED, True), shown.reason
    inside = ((("status", "of", "us"), '"${status}"'),)
    shown = show(file, told, inside)
    assert shown.reason == "status in it is no object: status.of.us cannot be put there"
    assert file.read_text() == SAMPLE


@pytest.fixture
def as_nobody() -> Iterator[Path]:
    """A document of ours in a folder that everybody may read, and we are nobody meanwhile."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        path = folder / "status.json"
        path.write_text(SAMPLE)
        before = os.geteuid()
        if before == 0:
            os.seteuid(NOBODY)
        else:
            folder.chmod(0o555)
        try:
            yield path
        finally:
            os.seteuid(before)
            folder.chmod(0o755)


def test_a_folder_that_may_not_be_written_to_is_said(as_nobody: Path) -> None:
    shown = show(as_nobody, sheet(Condition.PAUSED))
    assert shown.result is Delivered.REFUSED
    assert f"{as_nobody.parent} cannot be written to (Permission denied)" in shown.reason
    assert look(as_nobody) == shown


@pytest.mark.parametrize("told", ["show", "look"])
def test_an_owner_is_not_taken_away(as_nobody: Path, told: str) -> None:
    if os.geteuid() != NOBODY:
        return  # who is not root has no file of somebody else
    os.seteuid(0)
    as_nobody.parent.chmod(0o777)
    os.seteuid(NOBODY)
    shown = show(as_nobody, sheet(Condition.PAUSED)) if told == "show" else look(as_nobody)
    assert "belongs to user 0 and group 0, which this daemon cannot keep" in shown.reason
    assert [one.name for one in as_nobody.parent.iterdir()] == ["status.json"]


def test_a_look_leaves_nothing_behind(file: Path) -> None:
    assert look(file) == Shown(Delivered.SENT)
    assert file.read_text() == SAMPLE
    assert [one.name for one in file.parent.iterdir()] == ["status.json"]
