"""Whatever stands where a command looks for a file, or is typed in the place of a word.

Each is answered at once with a sentence and the file's place; nothing hangs on a pipe, nothing
reads a device, nothing of it reaches the terminal as it is, and nothing is left behind.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.cli.answers import PLACE, answered
from tests.cli.conftest import PROGRAM
from tests.policy.test_texts_that_are_no_rules import BOMB
from watchdog.demo.stage import shipped_rules
from watchdog.store.folder import JOURNAL

TEXTS = {
    "nothing": b"",
    "binary": bytes(range(256)) * 20,
    "NUL bytes": b"\0" * 100_000,
    "a billion laughs": BOMB.encode(),
    "a circle": b"version: 1\na: &a\n  b: *a\n",
    "deep brackets": b"[" * 100_000,
    "a constructor": b"version: 1\nrules: !!python/object/apply:os.system [id]\n",
    "half a character": b'version: 1\n"\\ud800": 1\n',
    "a character beyond all": b'version: "\\UFFFFFFFF"\n',
    "escapes": b'version: 1\n"\\e[31mred\\e[0m\\a\\u202e": 1\n',
    "an endless alias": b"*" * 100_000,
}


def _link(to: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(to)


def _text(text: bytes, path: Path) -> None:
    path.write_bytes(text)


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the names of sockets are short
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


THINGS: dict[str, Callable[[Path], None]] = {
    "100 MB": _huge,
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a socket": _socket,
    "a device without end": _link("/dev/zero"),
    "a file without end": _link("/proc/self/pagemap"),
    "a file that waits": _link("/proc/kmsg"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "nothing at all": lambda _path: None,
}
HOSTILE: dict[str, Callable[[Path], object]] = {
    **{name: partial(_text, text) for name, text in TEXTS.items()},
    **THINGS,
}

_BACKTEST = "backtest rules --environment sandbox --rule redemption-error-rate --openmetrics"
READERS = {
    "the platform's file": ("rules/platform.yaml", "check rules"),
    "an owner's file": ("rules/redemption-team/rules.yaml", "check rules"),
    "the rules of a test": ("rules/redemption-team/rules.yaml", "test fine.test.yaml"),
    "the variables": ("rules/vars/sandbox.yaml", "explain x --environment sandbox"),
    "a rules folder": ("folder", "check folder"),
    "a test file": ("a.test.yaml", "test a.test.yaml"),
    "rules to import": ("theirs.yaml", "import theirs.yaml -o out"),
    "incidents": ("incidents.yaml", f"{_BACKTEST} past.om --incidents incidents.yaml"),
    "a history": ("history.om", f"{_BACKTEST} history.om"),
    "the settings": ("watchdog.toml", "init --config watchdog.toml"),
    "a journal": (f"state/{JOURNAL}", "status --state-dir state"),
    "a journal's copy": (f"state/{JOURNAL}", f"replay --all --journal state/{JOURNAL}"),
    "the control socket": ("control.sock", "status --socket control.sock"),
}  # fmt: skip
"""What is read -> the file, and a command that reads it."""

_WITHOUT_PLACE = frozenset({"the settings", "a journal", "a journal's copy", "the control socket"})
_FINE = {
    (what, reader)
    for what, readers in {
        "nothing at all": ("an owner's file", "a test file"),
        "a folder": ("an owner's file", "a test file"),
        "a link to itself": ("a test file",),
    }.items()
    for reader in readers
}
"""An owner's folder may be empty, and of test files a folder is as good as a name without one."""
_TEST = """\
rule_files: [rules/redemption-team/rules.yaml]
environment: sandbox
tests: [{rule_test: [{eval_time: 5s, rule: peg-collateralised, exp_verdict: blind}]}]
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which everything is in order."""
    shutil.copytree(shipped_rules(), tmp_path / "rules")
    (tmp_path / "state").mkdir()
    (tmp_path / "fine.test.yaml").write_text(_TEST)
    (tmp_path / "past.om").write_text("redemption_requests_total 1 1790006000\n# EOF\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("what", HOSTILE)
def test_whatever_stands_there_is_refused_at_once(what: str, desk: Path) -> None:
    for reader, (name, command) in READERS.items():
        if (what, reader) in _FINE:
            continue
        path = desk / name
        good = path.read_bytes() if path.exists() else None
        path.unlink(missing_ok=True)
        HOSTILE[what](path)
        before = sorted(desk.rglob("*"))
        status, said = answered(command.split())
        assert status in {1, 2, 3}, (reader, said)
        assert PLACE.search(said) or reader in _WITHOUT_PLACE, (reader, said)
        assert path.name in said, (reader, said)
        assert sorted(desk.rglob("*")) == before, reader
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
        path.unlink(missing_ok=True)
        if good is not None:
            path.write_bytes(good)


MANY = {
    "keys": "".join(f"k{n}: 1\n" for n in range(11_000)),
    "items": "- a\n" * 30_000,
    "anchors": "".join(f"k{n}: &a{n} 1\n" for n in range(7_000)),
    "braces": "{" * 131_000,
}


@pytest.mark.parametrize(
    ("what", "reader"),
    [
        ("keys", "an owner's file"),
        ("anchors", "rules to import"),
        ("braces", "an owner's file"),
        ("items", "the rules of a test"),
    ],
)
def test_a_file_full_of_small_things_is_refused_in_time(what: str, reader: str, desk: Path) -> None:
    name, command = READERS[reader]
    (desk / name).write_text(MANY[what])
    status, said = answered(command.split())
    assert status == 1
    assert PLACE.search(said), said


def test_a_file_name_moves_no_cursor(desk: Path) -> None:
    for name in ("a\nproduction: 6 rules", "\x1b[2J\x1b[31m", "\u202eabc", "\udcff", "x" * 250):
        (desk / "rules/redemption-team" / f"{name}.yaml").write_bytes(b"\0")
        status, said = answered(["check", "rules"])
        assert status == 1
        assert "\nproduction: 6 rules" not in said
        (desk / "rules/redemption-team" / f"{name}.yaml").unlink()


def test_thousands_of_files_are_refused_by_their_number(desk: Path) -> None:
    for number in range(1100):
        (desk / "rules/redemption-team" / f"r{number}.yaml").touch()
        (desk / f"t{number}.test.yaml").touch()
    for command, says in (("check rules", "more than 500"), ("test .", "more than 1000")):
        status, said = answered(command.split())
        assert (status, says in said) == (1 if "check" in command else 2, True), said[:500]


def test_line_one_hundred_is_a_line(desk: Path) -> None:
    """A console of the library takes `:100:` for an emoji."""
    rules = desk / "rules/redemption-team/rules.yaml"
    rules.write_text("\n" * 99 + "version: 7\nrules: {}\n")
    assert "rules.yaml:100:10: " in answered(["check", "rules"])[1]


def test_a_history_in_milliseconds_is_asked_about(desk: Path) -> None:
    for at in ("1790006000000", "-5", "1e300"):
        (desk / "ms.om").write_text(f"redemption_requests_total 1 {at}\n# EOF\n")
        status, said = answered(f"{_BACKTEST} ms.om".split())
        assert status == 1
        assert "milliseconds" in said


WORDS = [
    "", "banana", "-1", "nan", "1e999", "9" * 400, "x" * 100_000, "\x1b[31mred\x1b[0m", "a\nb",
    "\udcff\udcfe", "99999999999999999999d", "0001-01-01T00:00+14:00",
]  # fmt: skip
TYPED = [
    f"{_BACKTEST} past.om --from=@", f"{_BACKTEST} past.om --every=@",
    f"{_BACKTEST} past.om --against=@", "explain x --traffic=@",
    "explain --environment sandbox -- @",
    "check rules --environment=@", "check rules --var=@", "check -- @", "import -- @",
    "test -- @.yaml", "schema -- @", "schema --write=@/x", "replay --journal state -- @",
    "replay --all --journal=@/x", "status --state-dir=@/x", "status --socket=@/x",
    "why --socket no.sock -- @", "hold --all --yes --socket no.sock --reason r --for=@",
    "mark --socket no.sock E1 -- @", "tune redemption-error-rate --incidents=@",
    "demo --once --port=@", "demo --once --rules=@/x", "run --config=@/x", "--@", "-- @",
]  # fmt: skip


@pytest.mark.parametrize("command", TYPED)
def test_whatever_is_typed_is_answered(command: str, desk: Path) -> None:
    del desk
    for word in WORDS:
        status, said = answered([one.replace("@", word) for one in command.split()])
        assert status or "banana" not in word, said


def _little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


@pytest.mark.parametrize("command", ["check rules", f"{_BACKTEST} big"])
def test_a_gigabyte_is_enough_for_a_hundred_megabytes(command: str, desk: Path) -> None:
    """In a process of its own, from its start: within two seconds of the processor's time."""
    _huge(desk / "big")
    if "big" not in command:
        _huge(desk / "rules/platform.yaml")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [PROGRAM, *command.split()],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=_little_memory,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ended.returncode == 1, ended.stderr
    assert PLACE.search(ended.stdout + ended.stderr)
    assert "Traceback" not in ended.stderr
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 2


def test_a_reader_that_goes_away_and_a_full_disk_end_it_quietly(desk: Path) -> None:
    del desk
    for shell in ("schema | head -c 1", "explain --help | true"):
        ended = subprocess.run(
            ["/bin/sh", "-c", f"{PROGRAM} {shell}"], capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        assert ended.stderr == "", shell
    full = subprocess.run(
        ["/bin/sh", "-c", f"{PROGRAM} schema > /dev/full"], capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert full.returncode == 1
    assert full.stderr == "The output could not be written: No space left on device\n"
