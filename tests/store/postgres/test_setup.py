"""What a server must be, how its schema gets there, and what is said where it is not so."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from tests.cli.conftest import here
from tests.real_parts.postgres import RealPostgres
from tests.store.postgres.conftest import Home
from tests.store.stories import NOON, trouble
from watchdog.ports import (
    JournalBroken,
    JournalError,
    JournalFull,
    JournalLost,
    JournalMissing,
    JournalTooNew,
)
from watchdog.store import Where, create, open_reader
from watchdog.store.postgres import Address
from watchdog.store.postgres.line import Line, Session
from watchdog.store.postgres.server import REVISIONS, Facts, greet
from watchdog.store.postgres.setup import upgrade
from watchdog.store.postgres.trouble import CutOff, judged
from watchdog.wire.secrets import FileSecrets

SECRET = "correct-horse-battery"


def at(server: RealPostgres, database: str, folder: Path, user: str = "postgres") -> Home:
    return Home(folder, server.url(database, user))


def test_init_makes_a_journal_once_and_joins_it_from_another_host(
    server: RealPostgres, empty: str, tmp_path: Path
) -> None:
    home = at(server, empty, tmp_path)
    with pytest.raises(JournalMissing, match="slo-watchdog init"):
        home.start()
    assert create(home.where("one")) == f"Created the journal on {home.url}"
    store = home.start("one")
    store.journal.append(trouble(), NOON)
    assert "nothing was changed there" in create(home.where("two"))
    assert home.start("two", leads_for=None).journal.newest() == 3
    home.close()


def test_where_there_is_no_database_the_remedy_is_named(
    server: RealPostgres, tmp_path: Path
) -> None:
    home = at(server, "nowhere", tmp_path)
    for call in (home.start, home.look, lambda: create(home.where())):
        with pytest.raises(JournalMissing, match="createdb"):
            call()


def test_an_older_schema_is_refused_and_brought_up_to_date_by_init_with_all_that_is_in_it(
    server: RealPostgres, empty: str, tmp_path: Path
) -> None:
    home = at(server, empty, tmp_path)
    with Line(home.where().address, "old", lambda _: None) as line:
        line.ask(lambda session: upgrade(session, line.place, to="0001"), 30.0)
    identity = server.run("SELECT identity FROM slo_watchdog.about", database=empty)
    with pytest.raises(JournalMissing, match=r"schema is 0001 .* needs 0005.*slo-watchdog init"):
        home.start()
    assert "from schema 0001 to 0005" in create(home.where())
    assert server.run("SELECT identity FROM slo_watchdog.about", database=empty) == identity
    home.start().journal.append(trouble(), NOON)
    home.close()


def test_two_hosts_may_be_told_to_make_it_at_once(
    server: RealPostgres, empty: str, tmp_path: Path
) -> None:
    home = at(server, empty, tmp_path)
    with ThreadPoolExecutor(3) as hosts:
        told = list(hosts.map(lambda name: create(home.where(name)), "abc"))
    assert sorted(one.split()[0] for one in told) == ["Created", "There", "There"]
    home.start("a").journal.append(trouble(), NOON)
    home.close()


def test_a_newer_schema_is_refused_by_all(shared: Home) -> None:
    shared.edit("UPDATE alembic_version SET version_num = '0099'")
    for call in (shared.start, shared.look, lambda: create(shared.where())):
        with pytest.raises(JournalTooNew, match="schema 0099"):
            call()


def test_the_steps_that_are_known_are_the_steps_that_there_are() -> None:
    config = Config()
    config.set_main_option("script_location", "watchdog.store.postgres:migrations")
    config.set_main_option("path_separator", "os")
    found = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == REVISIONS


def test_an_init_that_fails_leaves_nothing(
    server: RealPostgres, empty: str, tmp_path: Path
) -> None:
    server.run("CREATE ROLE guest LOGIN")
    home = at(server, empty, tmp_path, "guest")
    with pytest.raises(JournalError, match="permission denied"):
        create(home.where())
    assert server.run("SELECT to_regnamespace('slo_watchdog')::text", database=empty) == [(None,)]


def test_a_server_that_does_not_wait_for_its_disk_is_refused(
    server: RealPostgres, shared: Home
) -> None:
    try:
        server.run("ALTER SYSTEM SET fsync = off")
        server.run("SELECT pg_reload_conf()")
        _until(server, "fsync", "off")
        with pytest.raises(JournalBroken, match="fsync off"):
            shared.start()
    finally:
        server.run("ALTER SYSTEM RESET fsync")
        server.run("SELECT pg_reload_conf()")
        _until(server, "fsync", "on")
    shared.start()


def _until(server: RealPostgres, setting: str, value: str) -> None:
    for _ in range(500):
        if server.run("SELECT current_setting(%s)", [setting]) == [(value,)]:
            return
    raise AssertionError(f"{setting} did not become {value}")


def test_a_commit_waits_for_the_disk_whatever_the_role_was_given(
    server: RealPostgres, shared: Home, database: str
) -> None:
    server.run(f"ALTER DATABASE {database} SET synchronous_commit = off")
    server.run(f"ALTER DATABASE {database} SET default_transaction_isolation = serializable")
    with Line(shared.where().address, "look", _greeted(shared)) as line:
        assert line.ask(lambda session: session.one("SHOW synchronous_commit")) == ("on",)
        assert line.ask(lambda session: session.one("SHOW transaction_isolation")) == (
            "read committed",
        )
    shared.start()


def _greeted(home: Home) -> Callable[[Session], None]:
    return lambda session: greet(session, home.where().address.place, writes=True)


def test_a_database_in_another_encoding_is_refused(server: RealPostgres, tmp_path: Path) -> None:
    server.database("latin", "TEMPLATE template0", "ENCODING 'SQL_ASCII'")
    with pytest.raises(JournalBroken, match=r"SQL_ASCII.*createdb -E UTF8"):
        create(at(server, "latin", tmp_path).where())


def test_a_database_that_may_only_be_read_is_lost_for_writing_and_still_read(
    server: RealPostgres, shared: Home, database: str
) -> None:
    server.run(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    with pytest.raises(JournalLost, match="read-only"):
        shared.start()
    with shared.look() as reader:
        assert reader.verify() == 0


@pytest.fixture
def standby(tmp_path: Path) -> Iterator[RealPostgres]:
    with RealPostgres() as running:
        create(Where(tmp_path / "one", running.url("postgres"), "one"))
        running.become_standby()
        yield running


def test_a_standby_is_refused_and_may_be_looked_into(standby: RealPostgres, tmp_path: Path) -> None:
    home = at(standby, "postgres", tmp_path)
    with pytest.raises(JournalLost, match=r"is a standby.*Name the primary"):
        home.start()
    with home.look() as reader:
        assert reader.verify() == 0


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        (Facts(13, "UTF8", "on", "on", False, "off"), "14 or newer"),  # noqa: FBT003  # a row of facts
        (Facts(15, "UTF8", "on", "remote_write", False, "off"), "synchronous_commit"),  # noqa: FBT003  # as above
    ],
)
def test_what_else_would_not_do_is_named(facts: Facts, says: str) -> None:
    assert says in facts.unfit()


def test_a_full_disk_of_the_server_is_told_from_all_else() -> None:
    full = psycopg.errors.lookup("53100")("could not extend file: No space left on device")
    place = Address("postgresql://h/d", "a").place
    assert isinstance(judged(full, place), JournalFull)
    assert isinstance(judged(psycopg.errors.lookup("57P01")("shutting down"), place), CutOff)
    assert not isinstance(judged(psycopg.errors.lookup("55P03")("lock"), place), CutOff)


def test_the_password_comes_from_its_file_and_is_said_nowhere(
    server: RealPostgres, shared: Home, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _guarded(server)
    (tmp_path / "store-password").write_text(f"{SECRET}\n")
    secrets = FileSecrets([tmp_path])
    url = shared.url.replace("postgres@", "guarded@")
    where = Where(tmp_path, url, "a", lambda: secrets.read("store-password"))
    with open_reader(where) as reader:
        assert reader.verify() == 0
    (tmp_path / "store-password").write_text(f"wrong-{SECRET}")
    with pytest.raises(JournalLost, match="password authentication failed") as refused:
        open_reader(where)
    (tmp_path / "store-password").unlink()
    with pytest.raises(JournalLost, match="store-password does not exist"):
        open_reader(where)
    for told in (str(refused.value), repr(refused.value.__cause__), repr(where), caplog.text):
        assert SECRET not in told


def test_no_password_is_taken_from_the_environment_or_from_a_file_of_the_users(
    server: RealPostgres, shared: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _guarded(server)
    monkeypatch.setenv("PGPASSWORD", SECRET)
    monkeypatch.setenv("PGOPTIONS", "-c fsync=off -c statement_timeout=1")
    (tmp_path / "pgpass").write_text(f"*:*:*:*:{SECRET}\n")
    (tmp_path / "pgpass").chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    with pytest.raises(JournalLost, match="password"):
        open_reader(Where(tmp_path, shared.url.replace("postgres@", "guarded@")))
    shared.start()


def test_who_is_not_let_in_is_told_where_the_password_is_from(
    server: RealPostgres, shared: Home, tmp_path: Path
) -> None:
    _guarded(server)
    locked = shared.url.replace("postgres@", "guarded@")
    config = tmp_path / "watchdog.toml"
    settings = f'environment = "test"\nstate_dir = "state"\nstore = "{locked}"\n'
    secrets = tmp_path / "secrets"
    secrets.mkdir(mode=0o700)
    named = f'{settings}store_password = "key"\nsecrets_dir = "{secrets}"\n'
    (secrets / "key").write_text("wrong")
    told = {
        settings: "no password was given: setting `store_password`",
        named: "its password is the credential `key`: setting `store_password`",
    }
    for text, says in told.items():
        config.write_text(text)
        ended = here("init", "--config", str(config), socket=Path("/nonexistent"))
        assert says in " ".join(ended.err.split())
    ended = here("decisions", "--state-dir", locked, socket=Path("/nonexistent"))
    assert "WATCHDOG_STORE_PASSWORD and WATCHDOG_SECRETS_DIR" in " ".join(ended.err.split())


def _guarded(server: RealPostgres) -> None:
    """A role that the server asks for its password."""
    if not server.run("SELECT 1 FROM pg_roles WHERE rolname = 'guarded'"):
        server.run(f"CREATE ROLE guarded LOGIN SUPERUSER PASSWORD '{SECRET}'")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://u:hunter2@h/d", "holds a password"),
        ("postgresql://u@h/d?password=hunter2", "holds a password"),
        ("postgresql://u@h/d?options=-c%20fsync%3Doff", "options is not for the address to say"),
        ("postgresql://u@h", "names no database"),
        ("mysql://u@h/d", "write postgresql://"),
        ("/var/lib/x", "write postgresql://"),
        ("postgresql://[u@h/d", "is no URL"),
    ],
)
def test_an_address_that_will_not_do_is_refused_without_its_password(
    tmp_path: Path, url: str, says: str
) -> None:
    with pytest.raises(JournalError, match=says) as refused:
        open_reader(Where(tmp_path, url))
    assert "hunter2" not in str(refused.value)


OFFENCES = (
    ("UPDATE entries SET body = '{}' WHERE seq = 2", "append-only"),
    ("DELETE FROM entries WHERE seq = 3", "append-only"),
    ("TRUNCATE entries", "append-only"),
    ("INSERT INTO entries VALUES (9, 1, 1, 'k', '{}', '', '')", "follows"),
    ("INSERT INTO entries VALUES (4, 1, 1, 'k', '{}', 'x', 'y')", "follows"),
    ("UPDATE base SET seq = 9, hash = 'x'", "moves on"),
    ("DELETE FROM base", "stays"),
    ("DELETE FROM head", "stays"),
)


def test_the_database_itself_refuses_what_breaks_the_law(shared: Home) -> None:
    shared.start().journal.append(trouble(), NOON)
    with psycopg.connect(shared.url, autocommit=True) as session:
        session.execute("SET search_path = slo_watchdog")
        for statement, law in OFFENCES:
            with pytest.raises(psycopg.Error, match=law):
                session.execute(statement.encode())


def test_a_program_error_drops_the_session_and_is_told_as_it_is(shared: Home) -> None:
    def fails(_: Session) -> None:
        raise ZeroDivisionError

    with Line(shared.where().address, "x", _greeted(shared)) as line:
        with pytest.raises(ZeroDivisionError):
            line.ask(fails)
        assert line.ask(lambda session: session.one("SELECT 1")) == (1,)
    with closing(line), pytest.raises(JournalBroken, match="has been closed"):
        line.ask(lambda session: session.one("SELECT 1"))
