"""Implements `ports.Actuator` for `RestoreSystem`: asks the privileged helper to do it.

All that we may do is to leave a request and to start `slo-watchdog-restore@<id>.service` (a polkit
rule allows that and nothing else). The helper verifies who approved, does it, and says in files of
root's how far it is and how it ended; these are read here. What an attempt's end means:

    no approved request, or the helper refuses it, or it backed out     REFUSED
    the unit could not be started (REFUSED: it may not be)              NOT_DONE
    done, or undone where that was asked for                            CLAIMED
    done, and a service or verify command is not as it should be        UNKNOWN, and no repeat
    stuck half-way, dead, or not ended within the deadline              UNKNOWN; a repeat goes on

A repeat finds the helper's own marks: what has ended is not begun again, what runs is waited for,
what died is resumed. After a day, or once undone, only root's word goes on.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from watchdog.actions.restore_anchors import Found, NotReady, RestorePlaces, look
from watchdog.actions.restore_request import find_request, is_begun, is_id, outcome_of, progress_of
from watchdog.core.spec import How
from watchdog.core.trees import Anchor, Facts, RestoreSystem
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Attempt, Attempted, Readiness
from watchdog.wire.environment import default_environment
from watchdog.wire.process import Ended, Exited, NotStarted, TimedOut, run
from watchdog.wire.scrub import scrubbed, shortened

REQUEST, UNDO, SAVED = "request", "undo_request", "saved"
"""Facts: the ids of the approved requests, and what was saved, from which it can be undone."""

_START = ("systemctl", "--no-ask-password", "start", "--no-block")
_UNIT = "slo-watchdog-restore@{}.service"
_ASKING_SECONDS = 20.0
_LOOK_SECONDS = 0.5
_NEVER_SECONDS = 1e9
_HASHING_SECONDS = 6 * 3600.0
_MOST_BYTES = 65536
_MOST_REASON = 300
_NO_TIME = Instant(0.0, 0.0)
_DENIED = ("Access denied", "authentication", "not authorized", "Permission denied")


@dataclass(slots=True)
class _Hashing:
    task: asyncio.Task[Ended]
    began: float
    mark: tuple[int, ...]


class RestoreActuator:
    """`wall` is the clock that requests expire by; `start` begins the helper's work on an id, and
    need not wait for its end.
    """

    def __init__(
        self,
        places: RestorePlaces | None = None,
        *,
        wall: Callable[[], float] = time.time,
        start: Callable[[str], Sequence[str]] = lambda name: (*_START, _UNIT.format(name)),
    ) -> None:
        self._places = places or RestorePlaces()
        self._wall = wall
        self._start = start
        self._hashing: dict[str, _Hashing] = {}

    async def aclose(self) -> None:
        """End what still goes on."""
        for one in self._hashing.values():
            one.task.cancel()
        await asyncio.gather(*(one.task for one in self._hashing.values()), return_exceptions=True)
        self._hashing.clear()

    # -- would it work ----------------------------------------------------------------------------

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        if not isinstance(how, RestoreSystem):
            return Readiness(CheckReading(Truth.FALSE, _not_ours(how), at))
        try:
            async with asyncio.timeout(deadline_seconds):
                # In a thread: backups often lie on a drive that may answer never.
                found = await asyncio.to_thread(look, how, self._places, self._wall())
                if isinstance(found, NotReady):
                    return Readiness(_reading(Truth.FALSE, found.reason, at))
                return await self._proven(found, at, deadline_seconds)
        except TimeoutError:
            reason = f"could not look at {how.archive} within {deadline_seconds:g} s"
            return Readiness(_reading(Truth.UNKNOWN, reason, at))

    async def _proven(self, found: Found, at: Instant, deadline_seconds: float) -> Readiness:
        """Whether the archive's bytes are still those that root recorded."""
        hashing = self._hashing.get(found.archive)
        if hashing is not None and hashing.mark != found.mark:
            hashing.task.cancel()
            hashing = None
        if hashing is None:
            task = asyncio.create_task(_digest(found.archive))
            hashing = self._hashing[found.archive] = _Hashing(task, self._wall(), found.mark)
        await asyncio.wait({hashing.task}, timeout=deadline_seconds * 0.8)
        if not hashing.task.done():
            took = self._wall() - hashing.began
            reason = f"not ready yet: hashing {found.archive} for {took:.0f} s"
            return Readiness(_reading(Truth.UNKNOWN, reason, at))
        ended = hashing.task.result()
        digest = ended.stdout.text[:64] if isinstance(ended, Exited) and not ended.status else ""
        if not digest:
            del self._hashing[found.archive]  # tried again at the next look
            reason = f"{found.archive} cannot be read by the watchdog's user: {_said(ended)}"
            return Readiness(_reading(Truth.FALSE, reason, at))
        if digest != found.digest:
            reason = f"{found.archive} is not what was recorded: its digest is {digest[:12]}"
            return Readiness(_reading(Truth.FALSE, reason, at))
        anchor = Anchor(found.digest, found.written_at, (("archive", found.archive),))
        return Readiness(_reading(Truth.TRUE, found.reason, at), anchor)

    # -- doing it ---------------------------------------------------------------------------------

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        del key  # the request's id is the same for every attempt of one intent
        if not isinstance(how, RestoreSystem):
            return Attempt(Attempted.REFUSED, _not_ours(how))
        request = self._request(how, facts)
        if not is_id(request):
            return Attempt(Attempted.REFUSED, "there is no request that people have approved")
        learned: Facts = ((UNDO if how.undo else REQUEST, request),)
        before = outcome_of(self._places.state, request)
        if before is not None and before.final:
            return replace(_meaning(before.outcome, before.reason, how), facts=learned)
        until = time.monotonic() + deadline_seconds
        started = await _asked(self._start(request))
        if not (isinstance(started, Exited) and started.status == 0):
            return replace(_not_started(started), facts=learned)
        return await self._followed(how, request, before.at if before else 0.0, until)

    async def _followed(
        self, how: RestoreSystem, request: str, after: float, until: float
    ) -> Attempt:
        """Wait for what the helper says, later than what it had said before."""
        learned: Facts = ((UNDO if how.undo else REQUEST, request),)
        unit, quiet = _UNIT.format(request), 0
        while time.monotonic() < until:
            said = outcome_of(self._places.state, request)
            if said is not None and said.at > after:
                facts = (*learned, *(((SAVED, said.saved),) if said.saved else ()))
                return replace(
                    _meaning(said.outcome, said.reason, how), output=said.told, facts=facts
                )
            active = await _asked(("systemctl", "is-active", unit))
            runs = isinstance(active, Exited) and active.stdout.text.strip() in {
                *("active", "activating", "reloading"),
            }
            quiet = 0 if runs else quiet + 1
            if quiet > 3:  # it writes its last word right before it ends
                reason = f"{unit} ended and said nothing: a repeat resumes it"
                return Attempt(Attempted.UNKNOWN, reason, facts=learned)
            await asyncio.sleep(min(_LOOK_SECONDS, max(0.0, until - time.monotonic())))
        doing = progress_of(self._places.state, request)
        reason = f"not ended within its deadline, and goes on: {doing or 'no progress is told'}"
        return Attempt(Attempted.UNKNOWN, _short(reason), facts=learned)

    def _request(self, how: RestoreSystem, facts: Facts) -> str:
        """The id to ask about: one that is known, or the newest that was left for exactly this."""
        known = dict(facts)
        if found := known.get(UNDO if how.undo else REQUEST, ""):
            return found
        done = known.get(REQUEST, "")
        if how.undo and is_id(done):
            said = outcome_of(self._places.state, done)
            if said is not None and said.outcome == "undone":
                return done  # root has undone it already
        return find_request(self._places.requests, how, facts, self._wall())

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        del key, deadline_seconds  # a look at two small local files
        if not isinstance(how, RestoreSystem):
            return CheckReading(Truth.UNKNOWN, _not_ours(how), _NO_TIME)
        request = self._request(how, facts)
        if not is_id(request):
            return CheckReading(Truth.FALSE, "no request was ever handed to the helper", _NO_TIME)
        said = outcome_of(self._places.state, request)
        if said is not None and said.final:
            undone = said.outcome in {"undone", "backed out"} and not how.undo
            return _reading(Truth.FALSE if undone else Truth.TRUE, said.outcome, _NO_TIME)
        begun = is_begun(self._places.state, request)
        if begun is None:
            return _reading(Truth.UNKNOWN, f"{self._places.state} cannot be read", _NO_TIME)
        word = "begun, and not ended" if begun else "the helper has not begun"
        return CheckReading(Truth.TRUE if begun else Truth.FALSE, word, _NO_TIME)

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        del how, key, deadline_seconds, facts  # the helper has cleared its own staging folder
        return Attempt(Attempted.CLAIMED, "what was saved stays, to undo it by")


def _meaning(outcome: str, reason: str, how: RestoreSystem) -> Attempt:
    wanted = "undone" if how.undo else "done"
    if outcome == wanted:
        return Attempt(Attempted.CLAIMED, f"the helper says: {outcome}")
    if outcome in {"refused", "backed out", "undone"}:
        return Attempt(Attempted.REFUSED, _short(f"the helper says: {outcome}: {reason}"))
    said = _short(f"the helper says: {outcome}: {reason}")
    # That word is its last: a person is needed now, and not when the deadline is over.
    wait = _NEVER_SECONDS if outcome == "unverified" else None
    return Attempt(Attempted.UNKNOWN, said, retry_after_seconds=wait)


def _not_started(ended: Ended) -> Attempt:
    said = _said(ended)
    denied = any(word.casefold() in said.casefold() for word in _DENIED)
    gone = isinstance(ended, NotStarted) and not ended.passing
    reason = _short(f"the helper's unit could not be started: {said}")
    if isinstance(ended, TimedOut):
        return Attempt(Attempted.UNKNOWN, reason)
    return Attempt(Attempted.REFUSED if denied or gone else Attempted.NOT_DONE, reason)


def _said(ended: Ended) -> str:
    if isinstance(ended, NotStarted):
        return ended.reason
    lines = (ended.stderr.text.strip() or ended.stdout.text.strip()).splitlines()
    return f"{ended.reason}: {lines[-1]}" if lines else ended.reason


async def _digest(archive: str) -> Ended:
    return await run(
        ("nice", "-n", "10", "sha256sum", "--", archive),
        cwd="/",
        env=default_environment(),
        deadline_seconds=_HASHING_SECONDS,
        max_bytes=_MOST_BYTES,
    )


async def _asked(argv: Sequence[str]) -> Ended:
    return await run(
        argv,
        cwd="/",
        env=default_environment(),
        deadline_seconds=_ASKING_SECONDS,
        max_bytes=_MOST_BYTES,
    )


def _reading(truth: Truth, reason: str, at: Instant) -> CheckReading:
    return CheckReading(truth, shortened(reason, _MOST_REASON), at)


def _short(reason: str) -> str:
    return scrubbed(reason, known=frozenset(), most=_MOST_REASON)


def _not_ours(how: How) -> str:
    return f"a {type(how).__name__} is no restore"
