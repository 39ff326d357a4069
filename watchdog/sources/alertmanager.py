"""The silences of an Alertmanager, read strictly from its `/api/v2/silences`.

Every replica is asked at once. The first good answer is waited for, the others a moment longer,
and what any of them knows counts: a silence that has not reached all replicas yet is somebody's
word all the same. An answer of another form than the API's is no answer at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.asking import Endpoint
from watchdog.core.samples import Fault
from watchdog.core.silences import MOST_STATES, Matching, Silence
from watchdog.core.words import Instant
from watchdog.ports import SilencesLook
from watchdog.sources.faults import failure_of
from watchdog.sources.json_text import NotJsonError, json_of
from watchdog.wire.http import HttpAnswer, Wire

PATH = "/api/v2/silences"
OTHERS_SECONDS = 0.5
"""How long the other replicas may take after the first has answered."""

LATE = f"no answer {OTHERS_SECONDS:g} s after that of another replica"
LONG_BYTES = 1_000
MOST_SILENCES = 10_000
MOST_MATCHERS = 100
LONGEST_MATCHER = 65_536
LONGEST_TEXT = 300
SKEW_SECONDS = 2.0
"""A `Date` header has whole seconds: below this the two clocks count as one."""

_STANDING = frozenset({"active", "pending"})

Heard = tuple[Silence, ...] | str
"""What one replica says, or why it says nothing."""


class _OddError(Exception):
    """The answer has another form than the API's documentation says."""


class AlertmanagerSilences:
    """Implements `ports.SilenceSource`."""

    def __init__(self, spec: AlertmanagerSpec, wire: Wire) -> None:
        self._spec = spec
        self._wire = wire
        self._replicas = spec.replicas(PATH)

    async def look(self, at: Instant) -> SilencesLook:
        asked = {
            name: asyncio.ensure_future(self._ask(endpoint, at))
            for name, endpoint in self._replicas.items()
        }
        try:
            await _first_and_others(list(asked.values()))
        finally:
            for task in asked.values():
                task.cancel()
        heard = {
            name: task.result() if task.done() and not task.cancelled() else LATE
            for name, task in asked.items()
        }
        said = [one for one in heard.values() if not isinstance(one, str)]
        replicas = {name: one if isinstance(one, str) else "" for name, one in heard.items()}
        return SilencesLook(_together(said) if said else None, replicas)

    async def _ask(self, endpoint: Endpoint, at: Instant) -> Heard:
        try:
            outcome = await self._wire.ask(
                endpoint,
                headers={"accept": "application/json"},
                deadline_seconds=self._spec.deadline_seconds,
                max_bytes=self._spec.max_bytes,
            )
            failure = failure_of(outcome, asked=Fault.PROVIDER)
            if failure is not None or not isinstance(outcome, HttpAnswer):
                return failure.reason if failure is not None else "no answer"
            heard_at = at.plus(outcome.took_seconds)
            # Read beside the loop, which has rules to judge: a few lines may take long.
            if len(outcome.body) > LONG_BYTES:
                return await asyncio.to_thread(_silences, outcome, heard_at)
            return _silences(outcome, heard_at)
        except (_OddError, NotJsonError) as error:
            return str(error)
        except Exception as error:  # noqa: BLE001  # a failed look is a value, never raised
            return f"{type(error).__name__} while reading its silences"


async def _first_and_others(tasks: list[asyncio.Future[Heard]]) -> None:
    """Until one has answered well, and a moment longer; or until all have ended."""
    waiting: set[asyncio.Future[Heard]] = set(tasks)
    while waiting:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if waiting and any(not isinstance(task.result(), str) for task in done):
            await asyncio.wait(waiting, timeout=OTHERS_SECONDS)
            return


def _together(said: Iterable[tuple[Silence, ...]]) -> tuple[Silence, ...]:
    """Each silence once: as the replica says that lets it stand longest."""
    found: dict[str, Silence] = {}
    for silence in (one for silences in said for one in silences):
        known = found.get(silence.id)
        if known is None or known.ends.steady < silence.ends.steady:
            found[silence.id] = silence
    return tuple(sorted(found.values(), key=lambda one: one.id))


# -- one answer ------------------------------------------------------------------------------------


def _silences(answer: HttpAnswer, now: Instant) -> tuple[Silence, ...]:
    """Those that stand or will. Their times come from that host's clock."""
    rows = json_of(answer)
    if not isinstance(rows, list):
        raise _OddError("no list of silences")
    ahead = _ahead(answer, now)
    standing = [row for row in rows if _state(row) in _STANDING]
    if len(standing) > MOST_SILENCES:
        raise _OddError(f"{len(standing)} silences, more than {MOST_SILENCES}")
    silences, size = [], 0
    for row in standing:
        silence = _silence(row, now, ahead)
        size += sum(one.size for one in silence.matchers)
        if size > MOST_STATES:
            raise _OddError(f"more than {MOST_STATES} states in its silences' regular expressions")
        if not silence.is_over(now):
            silences.append(silence)
    return tuple(silences)


def _ahead(answer: HttpAnswer, now: Instant) -> float:
    """By how many seconds that host's clock is ahead of ours, as far as a header tells."""
    try:
        told = parsedate_to_datetime(str(answer.headers.get("date", ""))).timestamp() - now.wall
    except (ValueError, OverflowError):
        return 0.0
    return told if abs(told) > SKEW_SECONDS else 0.0


def _state(row: Any) -> str:
    status = row.get("status") if isinstance(row, dict) else None
    state = status.get("state") if isinstance(status, dict) else None
    if state not in {"active", "pending", "expired"}:
        raise _OddError(f"a silence whose state is {str(state)[:40]!r}")
    return str(state)


def _silence(row: dict[str, Any], now: Instant, ahead: float) -> Silence:
    matchers = row.get("matchers")
    if not isinstance(matchers, list) or not 1 <= len(matchers) <= MOST_MATCHERS:
        raise _OddError(f"a silence without matchers, or with more than {MOST_MATCHERS}")
    name = _text(row, "id")
    if not name or len(name) > 100 or not name.isprintable():
        raise _OddError("a silence whose id is no name")
    starts = _moment(row, "startsAt", now, ahead)
    if _state(row) == "active":
        starts = min(starts, Instant(starts.wall, now.steady))
    return Silence(
        id=name,
        matchers=tuple(_matching(one) for one in matchers),
        starts=starts,
        ends=_moment(row, "endsAt", now, ahead),
        author=_line(_text(row, "createdBy")) or "nobody named",
        comment=_line(_text(row, "comment")),
    )


def _matching(one: Any) -> Matching:
    if not isinstance(one, dict):
        raise _OddError("a matcher that is no mapping")
    label, value = _text(one, "name"), _text(one, "value")
    if len(label) + len(value) > LONGEST_MATCHER:
        raise _OddError(f"a matcher of more than {LONGEST_MATCHER} characters")
    regex, equal = one.get("isRegex", False), one.get("isEqual", True)
    if not isinstance(regex, bool) or not isinstance(equal, bool):
        raise _OddError("a matcher whose isRegex or isEqual is neither true nor false")
    return Matching(label, value, regex, equal)


def _moment(row: dict[str, Any], key: str, now: Instant, ahead: float) -> Instant:
    """That host's time on our clocks; for people it stays as it is written there."""
    written = _text(row, key)
    try:
        wall = datetime.fromisoformat(written).timestamp()
    except (ValueError, OverflowError):
        raise _OddError(f"{key}: {written[:40]!r} is no time") from None
    return Instant(wall, now.steady + (wall - ahead - now.wall))


def _text(row: dict[str, Any], key: str) -> str:
    found = row.get(key, "")
    if not isinstance(found, str):
        raise _OddError(f"{key} is no text")
    return found


def _line(text: str) -> str:
    """What a stranger wrote, as it may stand in a reason: one short line."""
    whole = "".join(c if c.isprintable() else " " for c in text)
    short = " ".join(whole.split())
    return short if len(short) <= LONGEST_TEXT else short[: LONGEST_TEXT - 3] + "..."
