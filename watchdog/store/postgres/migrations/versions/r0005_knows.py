"""What each daemon's program knows of actions: none is started that another could not finish; and
the settings that are to be the same on all.

NULL is a daemon that does not say it, of a program that was older than this step.
"""

from watchdog.store.postgres.migrations import here

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nobody has said it yet."""
    here().run("ALTER TABLE slo_watchdog.daemons ADD knows text, ADD settings text")
