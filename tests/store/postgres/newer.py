"""What a program that is newer than ours writes into a shared journal."""

from __future__ import annotations

import psycopg

from watchdog.core.words import Instant
from watchdog.store.schema import Link, next_row

KIND = "orbit.changed"


def writes_as_a_newer_program(url: str, epoch: int) -> int:
    """An entry that follows, under the epoch that leads, of a kind that only its writer knows."""
    with psycopg.connect(url) as shell:
        end = shell.execute("SELECT seq, hash FROM slo_watchdog.head").fetchone()
        assert end is not None
        at = Instant(1.0, 1.0)
        row = next_row(Link(*end), at, KIND, f'{{"kind":"{KIND}"}}')
        shell.execute(
            "SELECT slo_watchdog.append(%s, %s, %s, %s, %s, %s, %s, %s)",
            [epoch, *end, at.wall, at.steady, [KIND], [row.body], [row.hash]],
        )
        return row.seq
