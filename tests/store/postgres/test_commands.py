"""The commands that read a journal without a daemon read a server's like a file's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Ended, here
from tests.core.decisions.watch import HEALTHY, Watch, a_policy
from tests.real_parts.postgres import RealPostgres
from tests.store.postgres.conftest import Home
from watchdog.core.words import Instant, Truth
from watchdog.store import SqliteJournal, Where
from watchdog.store.schema import base_digest, genesis


@pytest.fixture
def file(shared: Home, tmp_path: Path) -> Path:
    """A rollback and a refusal, recorded on the server and, the very same, in this folder."""
    watch = Watch(a_policy())
    watch.break_it()
    watch.end()
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.undo(watch.episode)
    watch.run(30, HEALTHY)
    watch.break_it()
    folder = tmp_path / "file"
    SqliteJournal.create(folder)
    with SqliteJournal.open(folder) as journal:
        take_for(journal.identity, shared)
        store = shared.start()
        for at, entry in watch.journal:
            journal.append([entry], at)
            store.journal.append([entry], at)
    return folder


def take_for(identity: str, home: Home) -> None:
    """Make the empty journal on the server the one of this identity."""
    first = genesis(identity)
    digest = base_digest(0, first.hash, Instant(0.0, 0.0), b"")
    home.edit(
        f"UPDATE about SET identity = '{identity}'",  # noqa: S608 - our own hexadecimals
        f"UPDATE head SET hash = '{first.hash}'",  # noqa: S608 - our own hexadecimals
        f"UPDATE base SET hash = '{first.hash}', digest = '{digest}'",  # noqa: S608 - our own hexadecimals
    )


def read(*arguments: str) -> Ended:
    ended = here(*arguments, socket=Path("/nonexistent/socket"))
    assert ended.status == 0, ended.err
    return ended


def test_what_a_server_holds_is_shown_as_what_a_file_holds_hash_by_hash(
    shared: Home, file: Path
) -> None:
    for arguments in (
        ["replay", "--all", "--json", "--journal"],
        ["decisions", "--json", "--state-dir"],
        ["status", "--state-dir"],
        ["why", "errors", "--state-dir"],
    ):
        shown = read(*arguments, shared.url).out
        assert shown == read(*arguments, str(file)).out
        assert shown.strip()
    decisions = read("decisions", "--json", "--state-dir", shared.url).out.splitlines()
    assert {json.loads(line)["ruling"] for line in decisions} > {"allowed"}


def test_init_by_the_settings_makes_the_schema_and_the_folder(
    server: RealPostgres, empty: str, tmp_path: Path
) -> None:
    config = tmp_path / "watchdog.toml"
    config.write_text(f'environment = "test"\nstate_dir = "state"\nstore = "{server.url(empty)}"\n')
    assert (
        f"Created the journal on {server.url(empty)}" in read("init", "--config", str(config)).out
    )
    assert "nothing was changed" in read("init", "--config", str(config)).out
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    with Home(tmp_path, server.url(empty)).look() as reader:
        assert reader.verify() == 0


def test_a_folder_whose_daemon_records_on_a_server_says_where_to_look(shared: Home) -> None:
    shared.start()
    where: Where = shared.where()
    ended = here("status", "--state-dir", str(where.state_dir), socket=Path("/nonexistent"))
    assert ended.status == 1
    assert "keeps its journal on a server" in ended.err


def test_a_server_that_cannot_be_asked_is_an_exit_status_and_who_tries_again(
    tmp_path: Path,
) -> None:
    store = "postgresql://u@127.0.0.1:1/d"
    config = tmp_path / "watchdog.toml"
    config.write_text(f'environment = "test"\nstate_dir = "state"\nstore = "{store}"\n')
    says = {
        "Run it again": ("decisions", "--state-dir", store),
        "run init again when it answers": ("init", "--config", str(config)),
        "the service manager starts it again every few seconds": ("run", "--config", str(config)),
    }
    for again, command in says.items():
        ended = here(*command, socket=Path("/nonexistent"))
        assert ended.status == 1
        said = " ".join(ended.err.split())
        assert "Connection refused." in said
        assert again in said
        assert "nothing acts" in said.lower()
        assert "Traceback" not in said
