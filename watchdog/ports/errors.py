"""What adapters may raise; the tree is drawn in the package."""

from __future__ import annotations


class PortError(Exception):
    """An adapter could not do its part; the message says what, where, and what to do."""


class JournalError(PortError): ...


class JournalMissing(JournalError): ...


class JournalBusy(JournalError): ...


class JournalCorrupt(JournalError): ...


class JournalTooNew(JournalError): ...


class JournalFull(JournalError): ...


class JournalBroken(JournalError): ...


class JournalLost(JournalError):
    """What was being written may be there, unless the adapter knows that it sent nothing."""

    sent = True


TRIED_AGAIN = "Nothing acts until it answers; it is tried again"
"""How it is said of a store that is lost, by who goes on and tries again by itself."""


def told_at_the_end(error: Exception, then: str) -> str:
    """What an error says, where whoever says it ends by it: `then` is what becomes of it so."""
    said = str(error)
    if isinstance(error, JournalLost) and said.endswith(TRIED_AGAIN):
        return said.removesuffix(TRIED_AGAIN) + then
    return said


class JournalMoved(JournalError): ...


class JournalDeposed(JournalError): ...


class SecretMissing(PortError): ...
