"""The journal: entries that follow one another, their end, and what stands for retired ones.

`head` is the end of the chain and the one lock that serialises all appends. An insert moves it
on, or is refused: no entry can be filed that does not follow, by whatever hand.
"""

import secrets

from watchdog.core.words import Instant
from watchdog.store import schema
from watchdog.store.postgres.migrations import here

revision = "0001"
down_revision = None

_TABLES = """
CREATE TABLE slo_watchdog.about (
    id int PRIMARY KEY CHECK (id = 1),
    identity varchar(32) NOT NULL
);
CREATE TABLE slo_watchdog.entries (
    seq bigint PRIMARY KEY,
    wall float8 NOT NULL,
    steady float8 NOT NULL,
    kind varchar(64) NOT NULL,
    body text NOT NULL,
    prev_hash varchar(64) NOT NULL,
    hash varchar(64) NOT NULL
);
CREATE TABLE slo_watchdog.head (
    id int PRIMARY KEY CHECK (id = 1),
    seq bigint NOT NULL,
    hash varchar(64) NOT NULL
);
CREATE TABLE slo_watchdog.base (
    id int PRIMARY KEY CHECK (id = 1),
    seq bigint NOT NULL,
    hash varchar(64) NOT NULL,
    wall float8 NOT NULL,
    steady float8 NOT NULL,
    snapshot bytea NOT NULL,
    digest varchar(64) NOT NULL
);
"""

_LAWS = """
CREATE FUNCTION slo_watchdog.follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE slo_watchdog.head SET seq = NEW.seq, hash = NEW.hash
     WHERE seq = NEW.seq - 1 AND hash = NEW.prev_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'an entry follows the one before it' USING ERRCODE = 'SW003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entries_follow BEFORE INSERT ON slo_watchdog.entries
    FOR EACH ROW EXECUTE FUNCTION slo_watchdog.follows();

CREATE FUNCTION slo_watchdog.refused() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'SW003';
END $$;
CREATE TRIGGER entries_stay BEFORE UPDATE OR TRUNCATE ON slo_watchdog.entries
    FOR EACH STATEMENT EXECUTE FUNCTION slo_watchdog.refused('the journal is append-only');
CREATE TRIGGER base_stays BEFORE DELETE OR TRUNCATE ON slo_watchdog.base
    FOR EACH STATEMENT EXECUTE FUNCTION slo_watchdog.refused('the base stays');
CREATE TRIGGER head_stays BEFORE DELETE OR TRUNCATE ON slo_watchdog.head
    FOR EACH STATEMENT EXECUTE FUNCTION slo_watchdog.refused('the end stays');

CREATE FUNCTION slo_watchdog.retires() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.seq > (SELECT seq FROM slo_watchdog.base) THEN
        RAISE EXCEPTION 'the journal is append-only' USING ERRCODE = 'SW003';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER entries_retire BEFORE DELETE ON slo_watchdog.entries
    FOR EACH ROW EXECUTE FUNCTION slo_watchdog.retires();

CREATE FUNCTION slo_watchdog.moves_on() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq <= OLD.seq OR NOT EXISTS
       (SELECT 1 FROM slo_watchdog.entries WHERE seq = NEW.seq AND hash = NEW.hash) THEN
        RAISE EXCEPTION 'the base moves on to an entry that stands' USING ERRCODE = 'SW003';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER base_moves_on BEFORE UPDATE ON slo_watchdog.base
    FOR EACH ROW EXECUTE FUNCTION slo_watchdog.moves_on();
"""


def upgrade() -> None:
    """Make an empty journal, with an identity of its own."""
    session = here()
    session.run(_TABLES)
    session.run(_LAWS)
    identity = secrets.token_hex(16)
    first = schema.genesis(identity)
    digest = schema.base_digest(0, first.hash, Instant(0.0, 0.0), b"")
    session.run("INSERT INTO slo_watchdog.about VALUES (1, %s)", [identity])
    session.run("INSERT INTO slo_watchdog.head VALUES (1, 0, %s)", [first.hash])
    session.run(
        "INSERT INTO slo_watchdog.base VALUES (1, 0, %s, 0, 0, '', %s)", [first.hash, digest]
    )
