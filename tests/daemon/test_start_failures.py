"""What makes a start impossible is said in one message, and nothing is left half open."""

import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.conftest import Home
from watchdog.daemon import StartFailed, run
from watchdog.store import SqliteJournal, open_reader

Wrong = Callable[[Home], None]


def without_state(home: Home) -> None:
    home.changes["state_dir"] = str(home.folder / "none")


def corrupt(home: Home) -> None:
    file = home.state / "journal.db"
    whole = bytearray(file.read_bytes())
    whole[4096:] = b"\xff" * (len(whole) - 4096)
    file.write_bytes(bytes(whole))


def without_platform(home: Home) -> None:
    (home.rules / "platform.yaml").unlink()


def without_rules_folder(home: Home) -> None:
    home.changes["rules_dir"] = str(home.folder / "nowhere")


def without_owners(home: Home) -> None:
    shutil.rmtree(home.rules / "redemption-team")


def all_invalid(home: Home) -> None:
    (home.rules / "redemption-team" / "rules.yaml").write_text("version: 1\nrules: {a: {}}\n")


def another_environment(home: Home) -> None:
    home.changes["environment"] = "staging"


def without_socket_folder(home: Home) -> None:
    home.changes["control_socket"] = str(home.folder / "none" / "control.sock")


def socket_folder_is_no_folder(home: Home) -> None:
    home.changes["control_socket"] = str(home.folder / "watchdog.toml" / "control.sock")


def something_at_the_sockets_place(home: Home) -> None:
    home.socket.write_text("somebody's file")


def without_credential(home: Home) -> None:
    platform = home.rules / "platform.yaml"
    before = 'scrape: "{{ app }}/metrics"\n'
    text = platform.read_text()
    assert before in text
    header = "    headers: {Authorization: {secret: metrics-token}}\n"
    platform.write_text(text.replace(before, before + header))
    home.changes["secrets_dir"] = str(home.folder)


def on_a_shared_store(home: Home) -> None:
    home.changes["store"] = "postgresql://watchdog@127.0.0.1:1/watchdog"


CASES: list[tuple[Wrong, str]] = [
    (on_a_shared_store, r"postgresql://watchdog@127\.0\.0\.1:1/watchdog.*does not answer|refused"),
    (without_state, r"none does not exist\. Run `slo-watchdog init` once"),
    (corrupt, r"journal\.db.*Nothing acts until a person decides"),
    (without_platform, r"platform\.yaml"),
    (without_rules_folder, r"nowhere:1:1: the rules folder cannot be read: No such file"),
    (without_owners, r"there is no rule that could be loaded"),
    (all_invalid, r"redemption-team/rules\.yaml:2:\d+: .*there is no rule that could be loaded"),
    (another_environment, r"staging"),
    (without_socket_folder, r"control_socket = .*: No such file or directory\. Its folder must"),
    (socket_folder_is_no_folder, r"control_socket = .*: Not a directory"),
    (something_at_the_sockets_place, r"control_socket = .*: something else than a socket stands"),
    (without_credential, r"credential metrics-token does not exist in"),
]


@pytest.mark.parametrize(("wrong", "reason"), CASES, ids=lambda case: getattr(case, "__name__", ""))
async def test_what_makes_a_start_impossible_is_said(
    home: Home, wrong: Wrong, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    home.with_journal()
    wrong(home)
    with pytest.raises(StartFailed) as failed:
        await run(home.settings())
    assert re.search(reason, str(failed.value), re.DOTALL), failed.value
    assert "Traceback" not in capfd.readouterr().err


async def test_a_port_that_is_taken_is_named(home: Home) -> None:
    home.with_journal()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        home.changes["listen"] = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(StartFailed, match="Address already in use"):
            await run(home.settings())


async def test_a_state_folder_that_another_process_holds(home: Home) -> None:
    home.with_journal()
    holder = SqliteJournal.open(home.state)
    with pytest.raises(StartFailed, match="another slo-watchdog runs on it"):
        await run(home.settings())
    holder.close()


async def test_a_start_that_failed_holds_nothing_and_records_nothing(home: Home) -> None:
    home.with_journal()
    all_invalid(home)
    with pytest.raises(StartFailed):
        await run(home.settings())
    with open_reader(home.state) as reader:
        assert list(reader.read()) == []
    SqliteJournal.open(home.state).close()  # the lock is free again


def test_somebodys_file_at_the_sockets_place_is_kept(home: Home) -> None:
    home.with_journal()
    something_at_the_sockets_place(home)
    ended = command(home, "run")
    assert ended.returncode == 1
    assert home.socket.read_text() == "somebody's file"
    assert "Traceback" not in ended.stderr


def test_the_command_ends_with_one_message_and_status_1(home: Home) -> None:
    home.settings()
    ended = command(home, "run")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Cannot start:\n")
    assert ended.stderr.count("\n") == 2
    made = command(home, "init")
    assert (made.returncode, made.stdout) == (0, f"Created the journal in {home.state}\n")
    again = command(home, "init")
    assert again.returncode == 1
    assert "Traceback" not in again.stderr


def command(home: Home, name: str) -> subprocess.CompletedProcess[str]:
    home.settings()
    return subprocess.run(
        [Path(sys.executable).with_name("slo-watchdog"), name, "--config", home.file],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
