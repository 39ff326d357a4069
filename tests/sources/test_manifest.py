"""A manifest as `sha256sum` writes it, and a folder that somebody may have prepared against us."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.sources.conftest import now
from watchdog.core.probes import ManifestProbe
from watchdog.core.samples import Fault, Reading
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Blind
from watchdog.sources import open_source
from watchdog.sources.manifest_format import BrokenManifestError, digests
from watchdog.wire.beside import Beside, StillBusyError
from watchdog.wire.http import Wire

FILES = {"images.json": b"{}", "health.json": b'{"path": "/health"}', "conf/fees.json": b"25"}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    folder = tmp_path / "mainnet"
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    summed(folder, *FILES)
    return folder


def summed(folder: Path, *names: str, options: tuple[str, ...] = ()) -> None:
    """What the real tool writes of these files."""
    made = subprocess.run(
        ["/usr/bin/sha256sum", *options, "--", *names], cwd=folder, check=True, capture_output=True
    )
    (folder / "checksums.txt").write_bytes(b"# Checksums for 1.0.0\n\n" + made.stdout)


async def look(
    wire: Wire,
    folder: Path,
    *,
    extra: bool = True,
    deadline_seconds: float = 5.0,
    max_bytes: int = 1_000_000,
) -> Reading:
    how = ManifestProbe(str(folder / "checksums.txt"), extra=extra)
    spec = SourceSpec("probe:release-files", 60.0, deadline_seconds, max_bytes, 1, how)
    return await open_source(spec, wire).poll(now(), ())


def failing(reading: Reading) -> str:
    assert reading.look is not None, reading.failure
    assert not reading.look.holds, reading.look
    return reading.look.reason.partition("checksums.txt: ")[2]


def blind(reading: Reading) -> tuple[Blind, str]:
    assert reading.failure is not None, reading.look
    assert reading.failure.fault is not Fault.SERVICE
    return reading.failure.blind, reading.failure.reason


async def holds(wire: Wire, folder: Path, *, extra: bool = True) -> bool:
    reading = await look(wire, folder, extra=extra)
    return reading.look is not None and reading.look.holds


async def test_a_release_as_it_was_made_holds(wire: Wire, release: Path) -> None:
    reading = await look(wire, release)
    assert reading.look is not None
    assert reading.look.holds
    assert reading.look.reason.endswith("checksums.txt: 3 files are as it says")


@pytest.mark.parametrize("options", [(), ("--binary",), ("--text",)])
async def test_every_name_that_the_tool_can_write_is_read(
    wire: Wire, release: Path, options: tuple[str, ...]
) -> None:
    odd = ["two  blanks", " *star", "back\\slash", "line\nbreak", "return\r", "umlaut-ü", "#hash"]
    for name in odd:
        (release / name).write_text(name)
    (release / os.fsdecode(b"not-utf8-\xff")).write_text("x")
    summed(release, *FILES, *odd, os.fsdecode(b"not-utf8-\xff"), options=options)
    assert await holds(wire, release)
    (release / "line\nbreak").write_text("other")
    assert failing(await look(wire, release)) == "1 changed: line\\nbreak"


async def test_line_ends_of_another_system_are_read(wire: Wire, release: Path) -> None:
    manifest = release / "checksums.txt"
    manifest.write_bytes(manifest.read_bytes().replace(b"\n", b"\r\n"))
    assert await holds(wire, release)


async def test_changed_missing_and_extra_files_are_named(wire: Wire, release: Path) -> None:
    (release / "images.json").write_text("[]")
    (release / "health.json").unlink()
    (release / "conf" / "backdoor.json").write_text("{}")
    said = failing(await look(wire, release))
    assert said == "1 changed: images.json; 1 missing: health.json; 1 extra: conf/backdoor.json"
    said = failing(await look(wire, release, extra=False))
    assert said == "1 changed: images.json; 1 missing: health.json"


async def test_many_names_are_counted_and_few_are_shown(wire: Wire, release: Path) -> None:
    for number in range(500):
        (release / f"{number:03}-{'x' * 200}").write_text("")
    reason = failing(await look(wire, release))
    assert reason.startswith("500 extra: 000-xxx")
    assert len(reason) <= 300


async def test_what_is_no_file_any_more_is_changed_and_never_opened(
    wire: Wire, release: Path
) -> None:
    for name in ("images.json", "health.json"):
        (release / name).unlink()
    os.mkfifo(release / "images.json")
    (release / "health.json").mkdir()
    began = time.monotonic()
    said = failing(await look(wire, release))
    assert said == "2 changed: health.json (a folder now), images.json (a pipe now)"
    assert time.monotonic() - began < 2


async def test_a_link_inside_the_tree_is_followed_and_one_out_of_it_is_not(
    wire: Wire, release: Path
) -> None:
    (release / "images.json").rename(release / "images-1.json")
    (release / "images.json").symlink_to("images-1.json")
    assert await holds(wire, release, extra=False)
    outside = release.parent / "images.json"
    outside.write_bytes(FILES["images.json"])
    (release / "images.json").unlink()
    (release / "images.json").symlink_to(outside)
    reason, told = blind(await look(wire, release, extra=False))
    assert reason is Blind.OURS
    assert "1 unreadable: images.json (a link leads out of the tree)" in told


async def test_what_cannot_be_read_is_blind_and_hides_no_proven_fault(
    wire: Wire, release: Path
) -> None:
    (release / "images.json").unlink()
    (release / "images.json").symlink_to("images.json")  # also root cannot read a circle
    assert blind(await look(wire, release, extra=False))[0] is Blind.OURS
    (release / "health.json").write_text("changed")
    said = failing(await look(wire, release, extra=False))
    assert said.startswith("1 changed: health.json; 1 unreadable: images.json (Too many levels")


async def test_a_link_in_place_of_a_folder_is_an_extra_file_and_not_entered(
    wire: Wire, release: Path
) -> None:
    (release / "elsewhere").symlink_to("/proc")
    assert failing(await look(wire, release)) == "1 extra: elsewhere"


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (None, Blind.NO_DATA, "No such file"),
        (b"", Blind.ODD_ANSWER, "it names no file"),
        (b"# nothing\n\n", Blind.ODD_ANSWER, "it names no file"),
        (b"hello\n", Blind.ODD_ANSWER, "line 1 is not `DIGEST  NAME`"),
        (b"a" * 64 + b" images.json\n", Blind.ODD_ANSWER, "line 1 is not"),
        (b"SHA256 (images.json) = " + b"a" * 64, Blind.ODD_ANSWER, "--tag's form is not read"),
        (b"a" * 64 + b"  /etc/passwd\n", Blind.ODD_ANSWER, "line 1 names no file of this folder"),
        (b"a" * 64 + b"  ../other\n", Blind.ODD_ANSWER, "line 1 names no file of this folder"),
        (b"a" * 64 + b"  ./.\n", Blind.ODD_ANSWER, "line 1 names no file of this folder"),
        (b"a" * 64 + b"  a\0b\n", Blind.ODD_ANSWER, "line 1 names no file of this folder"),
        (b"\\" + b"a" * 64 + b"  a\\tb\n", Blind.ODD_ANSWER, "line 1 escapes what needs no escape"),
        ((b"a" * 64 + b"  x\n") * 2, Blind.ODD_ANSWER, "line 2 names a file for the second time"),
        (b"a" * 64 + b"  checksums.txt\n", Blind.ODD_ANSWER, "line 1 names the manifest itself"),
        (b"\xff\xfe\x00" * 9000, Blind.ODD_ANSWER, "line 1 is not"),
        (b"x" * 9_000_000, Blind.ODD_ANSWER, "it has more than 8388608 bytes"),
    ],
)
async def test_a_manifest_that_cannot_be_used_is_blind(
    wire: Wire, release: Path, content: bytes | None, reason: Blind, says: str
) -> None:
    manifest = release / "checksums.txt"
    manifest.unlink()
    if content is not None:
        manifest.write_bytes(content)
    found, told = blind(await look(wire, release))
    assert (found, says in told) == (reason, True), told


async def test_a_pipe_in_place_of_the_manifest_does_not_hang(wire: Wire, release: Path) -> None:
    (release / "checksums.txt").unlink()
    os.mkfifo(release / "checksums.txt")
    began = time.monotonic()
    assert blind(await look(wire, release))[0] is Blind.ODD_ANSWER
    assert time.monotonic() - began < 2


async def test_a_release_that_is_not_there_is_blind(wire: Wire, tmp_path: Path) -> None:
    assert blind(await look(wire, tmp_path / "nowhere"))[0] is Blind.NO_DATA


async def test_more_bytes_than_allowed_are_not_read(wire: Wire, release: Path) -> None:
    with (release / "images.json").open("wb") as file:
        file.truncate(1 << 40)  # a terabyte of nothing
    reason, told = blind(await look(wire, release))
    assert (reason, "more than 1000000 bytes" in told) == (Blind.OURS, True)


async def test_files_that_take_too_long_end_at_the_deadline(wire: Wire, release: Path) -> None:
    with (release / "images.json").open("wb") as file:
        file.truncate(1 << 40)
    began = time.monotonic()
    reading = await look(wire, release, deadline_seconds=0.3, max_bytes=1 << 50)
    reason, told = blind(reading)
    assert (reason, "within 0.3 s" in told) == (Blind.OURS, True)
    assert time.monotonic() - began < 2


async def test_a_file_that_is_written_all_the_time_is_no_changed_file(
    wire: Wire, release: Path
) -> None:
    with (release / "images.json").open("wb") as file:
        file.truncate(64 << 20)  # takes long enough to read to be written meanwhile
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.001):
            os.utime(release / "images.json")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        reason, told = blind(await look(wire, release, max_bytes=1 << 30))
    finally:
        stop.set()
        writer.join()
    assert (reason, "images.json (it never held still)" in told) == (Blind.OURS, True)


async def test_a_release_exchanged_in_the_middle_is_judged_as_one(
    wire: Wire, release: Path
) -> None:
    other = release.parent / "next"
    other.mkdir()
    for name in FILES:
        (other / name).parent.mkdir(exist_ok=True)
        (other / name).write_text("of the next release")
    summed(other, *FILES)
    stop, spare = threading.Event(), release.parent / "spare"

    def exchange() -> None:
        while not stop.is_set():
            release.rename(spare)
            other.rename(release)
            spare.rename(other)

    swapper = threading.Thread(target=exchange)
    swapper.start()
    try:
        readings = [await look(wire, release) for _ in range(100)]
    finally:
        stop.set()
        swapper.join()
    assert [each.look for each in readings if each.look and not each.look.holds] == []
    assert any(each.look for each in readings)


async def test_a_hung_file_system_holds_one_thread_and_not_the_loop() -> None:
    release_it = threading.Event()
    beside: Beside[bool] = Beside("hung")
    with pytest.raises(TimeoutError):
        await beside.run(lambda _: release_it.wait(10), 0.1)
    with pytest.raises(StillBusyError):
        await beside.run(lambda _: True, 0.1)
    release_it.set()


def test_digests_are_compared_in_small_letters() -> None:
    digest = hashlib.sha256(b"").hexdigest()
    assert digests(f"{digest.upper()}  ./a//b\n".encode(), itself="x") == {"a/b": digest}


def test_no_line_is_left_aside_in_silence() -> None:
    good = "a" * 64 + "  x\n"
    with pytest.raises(BrokenManifestError, match="line 3"):
        digests((good + "# note\n" + "b" * 63 + "  y\n").encode(), itself="z")
