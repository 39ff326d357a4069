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


class JournalMoved(JournalError): ...


class JournalDeposed(JournalError): ...


class SecretMissing(PortError): ...
