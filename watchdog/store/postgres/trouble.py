"""What an error of PostgreSQL, or of the way to it, means for the record.

no code, 08, 57P0x        cut off: what was sent may have been done, or may yet be
SW001, SW002              refused by our own functions: an epoch that is over, a stale end
57014, 55P03, 40, 53, 58  the server could not now: nothing was done, try again
53100                     its disk is full
XX001, XX002              it found damage
the rest                  not foreseen: nothing can be relied on
"""

from __future__ import annotations

import re

import psycopg

from watchdog.ports import (
    TRIED_AGAIN,
    JournalBroken,
    JournalDeposed,
    JournalError,
    JournalFull,
    JournalLost,
    JournalMissing,
    JournalMoved,
)
from watchdog.store.trouble import Place

DISK_FULL = "53100"
READ_ONLY = "25006"


class CutOff(JournalLost):
    """Lost in the middle: what was sent may have been done, or may yet be."""


class NotDone(JournalLost):
    """It could not be asked, or it could not now: it did nothing."""

    sent = False


_ASKS = "Is the server running"
"""How libpq goes on where nobody listens: it asks whoever reads it."""

_INIT = "Run `slo-watchdog init` once, on one host, to create the journal there"


def missing(place: Place, what: str) -> JournalMissing:
    return JournalMissing(
        f"{place}: {what}. {_INIT}. If it had one, find out where it went before: a new one knows "
        "of no open episode and no hold."
    )


def lost(place: Place, why: str) -> NotDone:
    return NotDone(f"{place}: {why}. {TRIED_AGAIN}")


def said(error: psycopg.Error) -> str:
    """The server's words on one line, with the code where it gave one. Holds no password."""
    words = error.diag.message_primary or str(error) or type(error).__name__
    lines = (line.strip() for line in words.splitlines())
    text = "; ".join(line for line in lines if line and not line.startswith(_ASKS))
    return f"{text} ({error.sqlstate})" if error.sqlstate else text


def judged(error: psycopg.Error, place: Place) -> JournalError:
    """The port's own error for one of psycopg's."""
    code, words = error.sqlstate or "", said(error)
    ours = not code and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if ours or code[:2] == "08" or code[:4] == "57P0":
        return CutOff(str(lost(place, words)))
    if code in {"57014", "55P03", READ_ONLY} or (
        code[:2] in {"28", "40", "53", "58"} and code != DISK_FULL
    ):
        return lost(place, words)
    if code == DISK_FULL:
        return JournalFull(
            f"{place}: the server's disk is full. Nothing acts until it can be recorded: make room "
            "there"
        )
    if code[:3] == "XX0" and code != "XX000":
        return place.corrupt(words)
    return _otherwise(code, words, place)


def not_reached(error: psycopg.Error, place: Place, credential: str = "") -> JournalError:
    """Of an attempt to connect: nothing was sent, so nothing can be in doubt.

    libpq hands no code on from a log-in, so two things are known by their words, if they are
    English. `credential` says where the password is from.
    """
    words = said(error)
    if credential and "password" in words:
        words += f" ({credential})"
    if re.search(r'database ".*" does not exist', words):
        return missing(place, "the server has no such database. Make it: createdb -E UTF8")
    return lost(place, words)


def _otherwise(code: str, words: str, place: Place) -> JournalError:
    match code:
        case "SW001":
            return JournalDeposed(f"{place}: {words}. Nothing was written")
        case "SW002":
            return JournalMoved(f"{place}: {words}")
        case "3F000" | "42P01" | "42883":
            return missing(place, "there is no journal in this database")
        case "42501":
            return JournalBroken(
                f"{place}: {words}. The daemons' role must own the schema slo_watchdog"
            )
        case _:
            return JournalBroken(f"{place}: {words}")
