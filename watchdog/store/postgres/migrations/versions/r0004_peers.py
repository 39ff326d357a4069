"""What daemons tell one another: how far the leader's clock is, who is there, and what one asks of
the daemon of another host.

An errand is done by whoever it is for, once, and only under the epoch in which it was sent.
"""

from watchdog.store.postgres.migrations import here

revision = "0004"
down_revision = "0003"

_CLOCK = """
ALTER TABLE slo_watchdog.lease ADD steady float8, ADD asked_at timestamptz;
DROP FUNCTION slo_watchdog.ask_lease(text, text, float8);

CREATE FUNCTION slo_watchdog.ask_lease(
    _holder text, _session text, _seconds float8, _steady float8
) RETURNS SETOF slo_watchdog.lease LANGUAGE plpgsql AS $$
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
           SET expires_at = _until, granted_seconds = extract(epoch FROM _until - _now),
               steady = _steady, asked_at = _now;
    ELSIF _lease.expires_at <= _now THEN
        -- Whoever takes it over is told how far the one before was, and when that was heard last.
        -- Where there was none, all count by the clock of the first, from this moment on.
        UPDATE slo_watchdog.lease
           SET holder = _holder, session = _session, epoch = epoch + 1,
               expires_at = _until, granted_seconds = _seconds,
               steady = coalesce(steady, _steady), asked_at = coalesce(asked_at, _now);
    END IF;
    RETURN QUERY SELECT * FROM slo_watchdog.lease;
END $$;
"""

_PEERS = """
CREATE TABLE slo_watchdog.daemons (
    name text PRIMARY KEY,
    session text NOT NULL,
    host text NOT NULL,
    version text NOT NULL,
    sees boolean NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE TABLE slo_watchdog.errands (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    receiver text NOT NULL,
    epoch bigint NOT NULL,
    body text NOT NULL,
    until timestamptz NOT NULL,
    taken_by text,
    answer text
);
CREATE INDEX errands_waiting ON slo_watchdog.errands (receiver) WHERE taken_by IS NULL;
"""


def upgrade() -> None:
    """Nobody has told anything yet."""
    here().run(_CLOCK)
    here().run(_PEERS)
