"""Who leads, and the fence: nothing is appended or retired under an epoch that is over.

The journal's head is locked first and the lease looked at after, and held still until the commit:
so an append is wholly before the next epoch or refused, and never in between. Time is the
server's, read when it is needed and not when the transaction began.
"""

from watchdog.store.postgres.migrations import here

revision = "0002"
down_revision = "0001"

_LEASE = """
CREATE TABLE slo_watchdog.lease (
    id int PRIMARY KEY CHECK (id = 1),
    holder text NOT NULL,
    session text NOT NULL,
    epoch bigint NOT NULL,
    granted_seconds float8 NOT NULL,
    expires_at timestamptz NOT NULL
);
INSERT INTO slo_watchdog.lease VALUES (1, '', '', 0, 0, 'epoch');

CREATE FUNCTION slo_watchdog.ask_lease(_holder text, _session text, _seconds float8)
RETURNS SETOF slo_watchdog.lease LANGUAGE plpgsql AS $$
DECLARE
    _lease slo_watchdog.lease;
    _now timestamptz;
    _until timestamptz;
BEGIN
    SELECT * INTO STRICT _lease FROM slo_watchdog.lease FOR UPDATE;
    _now := clock_timestamp();
    _until := _now + make_interval(secs => _seconds);
    IF _lease.expires_at > _now + make_interval(secs => _lease.granted_seconds) THEN
        -- The server's clock was set back: nobody's lease may last longer for that.
        _lease.expires_at := _now + make_interval(secs => _lease.granted_seconds);
        UPDATE slo_watchdog.lease SET expires_at = _lease.expires_at;
    END IF;
    IF _lease.session = _session THEN
        -- Never shorter than what the holder was promised before.
        _until := greatest(_until, _lease.expires_at);
        UPDATE slo_watchdog.lease
           SET expires_at = _until, granted_seconds = extract(epoch FROM _until - _now);
    ELSIF _lease.expires_at <= _now THEN
        UPDATE slo_watchdog.lease
           SET holder = _holder, session = _session, epoch = epoch + 1,
               expires_at = _until, granted_seconds = _seconds;
    END IF;
    RETURN QUERY SELECT * FROM slo_watchdog.lease;
END $$;

CREATE FUNCTION slo_watchdog.fence(_epoch bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _lease slo_watchdog.lease;
BEGIN
    SELECT * INTO STRICT _lease FROM slo_watchdog.lease FOR SHARE;
    IF _lease.epoch <> _epoch THEN
        RAISE EXCEPTION 'epoch % is over: % leads in epoch %', _epoch,
              coalesce(nullif(_lease.holder, ''), 'nobody'), _lease.epoch
              USING ERRCODE = 'SW001';
    END IF;
    IF _lease.expires_at <= clock_timestamp() THEN
        RAISE EXCEPTION 'the lease of epoch %, held by %, has run out', _epoch, _lease.holder
              USING ERRCODE = 'SW001';
    END IF;
END $$;
"""

_FENCED = """
CREATE FUNCTION slo_watchdog.append(
    _epoch bigint, _after bigint, _after_hash text, _wall float8, _steady float8,
    _kinds text[], _bodies text[], _hashes text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _head slo_watchdog.head;
BEGIN
    SELECT * INTO STRICT _head FROM slo_watchdog.head FOR UPDATE;
    PERFORM slo_watchdog.fence(_epoch);
    IF _head.seq <> _after OR _head.hash <> _after_hash THEN
        RAISE EXCEPTION 'it ends with entry %, not %', _head.seq, _after
              USING ERRCODE = 'SW002';
    END IF;
    FOR _n IN 1 .. array_length(_hashes, 1) LOOP
        INSERT INTO slo_watchdog.entries
        VALUES (_after + _n, _wall, _steady, _kinds[_n], _bodies[_n], _after_hash, _hashes[_n]);
        _after_hash := _hashes[_n];
    END LOOP;
END $$;

CREATE FUNCTION slo_watchdog.retire(
    _epoch bigint, _seq bigint, _hash text, _wall float8, _steady float8,
    _snapshot bytea, _digest text
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM slo_watchdog.head FOR UPDATE;
    PERFORM slo_watchdog.fence(_epoch);
    UPDATE slo_watchdog.base
       SET seq = _seq, hash = _hash, wall = _wall, steady = _steady,
           snapshot = _snapshot, digest = _digest;
    DELETE FROM slo_watchdog.entries WHERE seq <= _seq;
END $$;
"""


def upgrade() -> None:
    """Nobody leads yet; the first to ask begins epoch 1."""
    here().run(_LEASE)
    here().run(_FENCED)
