"""Is a signed attestation by a signer that we trust, fresh, and does it say enough?

Proven wrong, by what a pinned signer's own document shows: a signature that does not fit, an age
by its own time above the rule's, a collateralisation below the rule's. Everything else proves
nothing about the reserves: a file that is missing or unreadable, something that is no attestation,
a time ahead of our clock, and a signer whom the rule does not name. The key inside a document
says only whose signature it claims to carry; whether that counts is for the rule alone.
"""

from __future__ import annotations

import asyncio
import errno
import threading

from nacl.exceptions import CryptoError
from nacl.signing import VerifyKey

from watchdog.core.probes import AttestationProbe
from watchdog.core.samples import Failure, Fault, Look
from watchdog.core.spec import SourceSpec
from watchdog.core.text import apart, duration, number
from watchdog.core.words import Blind, Instant
from watchdog.sources.attestation_format import Attestation, NoAttestationError, attestation_of
from watchdog.sources.faults import failure_of, odd
from watchdog.sources.looks import ours, told
from watchdog.wire.beside import Beside, StillBusyError
from watchdog.wire.files import NotPlainError, plain_file, read_all
from watchdog.wire.http import HttpAnswer, Wire
from watchdog.wire.redact import shown_url

_MOST_BYTES = 64 * 1024
_SKEW_SECONDS = 60.0  # how far the signer's clock may run ahead of ours
_GONE = frozenset({errno.ENOENT, errno.ENOTDIR})


class AttestationLook:
    def __init__(self, spec: SourceSpec, how: AttestationProbe, wire: Wire) -> None:
        self._spec, self._how, self._wire = spec, how, wire
        self._where = shown_url(how.served.url) if how.served is not None else how.path
        self._beside: Beside[bytes | None] = Beside(spec.name)

    async def look(self, at: Instant) -> Look | Failure:
        loop = asyncio.get_running_loop()
        began = loop.time()
        body = await (self._fetched() if self._how.served is not None else self._read())
        if isinstance(body, Failure):
            return body
        try:
            found = attestation_of(body)
        except NoAttestationError as error:
            return odd(told(f"{self._where}: {error}"))
        return judged(found, self._how, self._where, at.wall + loop.time() - began)

    async def _fetched(self) -> bytes | Failure:
        assert self._how.served is not None  # noqa: S101  # the caller has looked
        outcome = await self._wire.ask(
            self._how.served,
            headers={"accept": "application/json", "cache-control": "no-cache"},
            deadline_seconds=self._spec.deadline_seconds,
            max_bytes=_MOST_BYTES,
        )
        # A host that does not answer is a matter of liveness, and blind here.
        failure = failure_of(outcome, asked=Fault.PROVIDER)
        if failure is not None:
            return failure
        assert isinstance(outcome, HttpAnswer)  # noqa: S101  # what failure_of accepted
        return outcome.body

    async def _read(self) -> bytes | Failure:
        seconds = self._spec.deadline_seconds
        try:
            body = await self._beside.run(self._bytes, seconds)
        except TimeoutError:
            return ours(f"{self._where}: it could not be read within {seconds:g} s")
        except StillBusyError:
            return ours(f"{self._where}: the look before still hangs in the file system")
        except NotPlainError as other:
            return odd(told(f"{self._where} is {other}"))
        except OSError as error:
            blind = Blind.NO_DATA if error.errno in _GONE else Blind.OURS
            return Failure(Fault.PROVIDER, blind, told(f"{self._where}: {error.strerror}"))
        if body is None:
            return odd(f"{self._where} has more than {_MOST_BYTES} bytes")
        return body

    def _bytes(self, stop: threading.Event) -> bytes | None:  # noqa: ARG002  # it is short
        with plain_file(self._how.path) as fd:
            return read_all(fd, _MOST_BYTES)


def judged(found: Attestation, how: AttestationProbe, where: str, now: float) -> Look | Failure:
    """What the document shows at `now`, seconds since the epoch."""
    signer = f"{found.signer[:8]}..."
    if found.signer not in how.signers:
        return odd(f"{where}: signed by {signer}, which is none of the rule's signers")
    if not _is_signed(found):
        return _failed(f"{where}: the signature of {signer} does not fit what it says")
    age = now - found.at
    if age < -_SKEW_SECONDS:
        reason = f"{where}: its time is {duration(-age)} ahead of our clock"
        return Failure(Fault.PROVIDER, Blind.FUTURE, reason)
    if age > how.max_age_seconds:
        shown, most = apart(age, how.max_age_seconds, number)
        reason = f"{where}: {duration(age)} old, more than {duration(how.max_age_seconds)}"
        return _failed(reason, age, f"> {most}s") if shown else _failed(reason)
    least = how.min_collateralization
    if least is not None and found.ratio < least:
        shown, bound = apart(found.ratio, least, number)
        return _failed(f"{where}: collateralised {shown}, below {bound}", found.ratio, f"< {bound}")
    reason = f"{where}: signed by {signer}, {duration(max(0.0, age))} old, collateralised "
    bound = "" if least is None else f"< {number(least)}"
    return Look(True, reason + number(found.ratio), found.ratio, bound)  # noqa: FBT003  # it holds


def _failed(reason: str, value: float | None = None, bound: str = "") -> Look:
    return Look(holds=False, reason=told(reason), value=value, bound=bound)


def _is_signed(found: Attestation) -> bool:
    try:
        VerifyKey(bytes.fromhex(found.signer)).verify(found.message, found.signature)
    except CryptoError:
        return False
    return True
