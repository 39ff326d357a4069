"""Why a request got no answer, told apart as far as sockets let one tell.

The kinds say what was seen; whose fault that is, is for those who know what was asked.
"""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import Iterator
from enum import StrEnum

import httpcore

from watchdog.wire.body import TooLargeError, UndecodableError
from watchdog.wire.pulse import Pulse
from watchdog.wire.transport import Progress, Stage, UnresolvedError

_NO_ROUTE = frozenset({errno.EHOSTUNREACH, errno.EHOSTDOWN})
# No network at all, no local port, no descriptor left: nothing of that is the server's doing.
_OUR_LIMITS = frozenset(
    {
        errno.ENETUNREACH,
        errno.ENETDOWN,
        errno.EADDRNOTAVAIL,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.ENOBUFS,
    }
)


class Trouble(StrEnum):
    """Why there is no answer."""

    UNRESOLVED = "unresolved"  # the name has no address, or the name server does not answer
    UNREACHABLE = "unreachable"  # the network says that this host cannot be reached
    REFUSED = "refused"  # nobody listens
    RESET = "reset"  # the server closed or reset the connection before its answer was whole
    TLS = "tls"  # certificate or handshake, or our CA file
    TIMED_OUT = "timed_out"  # the server had the whole deadline
    LATE = "late"  # the deadline passed while our own loop stood still
    TOO_LARGE = "too_large"
    REDIRECTED = "redirected"
    BROKEN = "broken"  # what came is not HTTP, or not in the encoding that it names
    SECRET_MISSING = "secret_missing"  # noqa: S105  # a kind of trouble, not a password
    OURS = "ours"  # a bug or a limit of ours, or an endpoint that cannot be asked


class Refusal(Exception):
    """Ends a request from within the wire; never reaches its caller."""

    def __init__(self, kind: Trouble, reason: str) -> None:
        super().__init__(reason)
        self.kind = kind
        self.reason = reason


_NOT_WITHIN = {
    Stage.WAITING: "no free connection",
    Stage.RESOLVING: "the name lookup did not end",
    Stage.CONNECTING: "no connection",
    Stage.SECURING: "no end of the TLS handshake",
    Stage.SENDING: "no answer",
    Stage.ANSWERED: "the body did not end",
}


def overdue(progress: Progress, deadline_seconds: float, pulse: Pulse) -> tuple[Trouble, str]:
    what = f"{_NOT_WITHIN[progress.stage]} within {deadline_seconds:g} s"
    if pulse.ours:
        return Trouble.LATE, f"{what}, but our own loop stood still for {pulse.late_seconds:.2f} s"
    if progress.stage is Stage.WAITING:
        return Trouble.OURS, what
    if progress.stage is Stage.RESOLVING:
        return Trouble.UNRESOLVED, what
    return Trouble.TIMED_OUT, what


def judged(error: Exception) -> tuple[Trouble, str]:  # noqa: C901, PLR0911  # a table
    """The kind of an error, from its whole chain. Texts are shown only where they hold no input."""
    if isinstance(error, UnresolvedError):
        return Trouble.UNRESOLVED, str(error)
    if isinstance(error, httpcore.PoolTimeout):
        return Trouble.OURS, "every connection was busy for half of the time"
    if isinstance(error, TooLargeError):
        return Trouble.TOO_LARGE, str(error)
    if isinstance(error, UndecodableError):
        return Trouble.BROKEN, str(error)
    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLError):
            verify = getattr(cause, "verify_message", "")
            return Trouble.TLS, verify or cause.reason or "TLS error"
    for cause in causes:
        if isinstance(cause, OSError) and cause.errno is not None:
            return _of_errno(cause.errno)
    if isinstance(error, httpcore.RemoteProtocolError):
        text = str(error)
        if text.startswith(("Server disconnected", "peer closed")):
            return Trouble.RESET, "the connection was closed before the answer was whole"
        return Trouble.BROKEN, f"not HTTP: {text[:120]}"
    if isinstance(error, httpcore.NetworkError):
        return Trouble.RESET, "the connection was closed"
    if isinstance(error, httpcore.TimeoutException):
        return Trouble.TIMED_OUT, "no connection in its share of the time"
    # Not the text: it might quote what was sent.
    return Trouble.OURS, f"{type(error).__name__} in our own request"


def _of_errno(number: int) -> tuple[Trouble, str]:
    text = os.strerror(number).lower()
    if number == errno.ECONNREFUSED:
        return Trouble.REFUSED, text
    if number in _NO_ROUTE:
        return Trouble.UNREACHABLE, text
    if number == errno.ETIMEDOUT:
        return Trouble.TIMED_OUT, text
    if number in _OUR_LIMITS:
        return Trouble.OURS, text
    return Trouble.RESET, text


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 10:  # chains can be circular
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _chain(inner)
        error = error.__cause__ or error.__context__
        seen += 1
