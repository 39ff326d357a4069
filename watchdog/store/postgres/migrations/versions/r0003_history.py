"""Each daemon's windows and clocks, under its name: what may be lost."""

from watchdog.store.postgres.migrations import here

revision = "0003"
down_revision = "0002"

_TABLES = """
CREATE TABLE slo_watchdog.checkpoints (
    daemon text NOT NULL,
    key text NOT NULL,
    pieces int NOT NULL,
    digest bytea NOT NULL,
    saved_at timestamptz NOT NULL,
    PRIMARY KEY (daemon, key)
);
CREATE TABLE slo_watchdog.pieces (
    daemon text NOT NULL,
    key text NOT NULL,
    piece int NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (daemon, key, piece)
);
"""


def upgrade() -> None:
    """No history: windows warm up."""
    here().run(_TABLES)
