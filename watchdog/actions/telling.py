"""Asks which version runs, or which one would be restored: by a document, a command, a file.

Law: a version is told only by a whole, plain answer. One that hangs, drips, is huge, is no document
or says anything but one short plain text tells nothing, and the reason says why.
"""

from __future__ import annotations

import asyncio
import math
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from watchdog.actions.command import last_line
from watchdog.actions.probe import FRESH, NoDocument, document_of
from watchdog.core.filling_in import is_version
from watchdog.core.releases import FieldOf, LineOf, PrintedBy, Stated, Telling
from watchdog.core.spec import Command
from watchdog.wire.environment import cleared_environment, secrets_in
from watchdog.wire.http import HttpProblem, Wire
from watchdog.wire.known import known_secrets
from watchdog.wire.process import Ended, Exited, NotStarted, run
from watchdog.wire.redact import shown_url
from watchdog.wire.scrub import scrubbed

_MAX_BYTES = 1024 * 1024
_MOST_LINE_BYTES = 4096
_MOST_REASON = 300
_MOST_SHOWN = 60
_MOST_DIGITS = 15
_LONG_SECRET = 12  # a shorter one may be the name of a stage, which many versions hold
_FIRST_PLAUSIBLE_MS = 10_000_000_000  # below, it is most likely seconds


@dataclass(frozen=True, slots=True)
class Told:
    """A version, plain enough to be passed on; `since` is the wall time that goes with it."""

    version: str
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Untold:
    """Why it is not known."""

    reason: str


class Teller:
    """Asks; changes nothing. `ours` is the environment that commands are let through of."""

    def __init__(self, wire: Wire, ours: Mapping[str, str] | None = None) -> None:
        self._wire = wire
        self._ours = os.environ if ours is None else ours

    async def ask(self, how: Telling, deadline_seconds: float) -> Told | Untold:
        match how:
            case FieldOf():
                return await self._field(how, deadline_seconds)
            case PrintedBy(command):
                return await self._line_of(command, deadline_seconds)
            case LineOf(path):
                return await _first_line(path, deadline_seconds)
            case Stated(text):
                return _version(text, "the policy")

    async def _field(self, how: FieldOf, deadline_seconds: float) -> Told | Untold:
        hidden = known_secrets(how.endpoint, self._wire.secrets)
        answer = await self._wire.ask(
            how.endpoint, headers=FRESH, deadline_seconds=deadline_seconds, max_bytes=_MAX_BYTES
        )
        hidden |= known_secrets(how.endpoint, self._wire.secrets)
        url = shown_url(how.endpoint.url)
        if isinstance(answer, HttpProblem):
            found: Told | Untold = Untold(answer.reason)
        elif not 200 <= answer.status < 300:
            found = Untold(f"{url}: answered {answer.status}")
        elif isinstance(document := document_of(answer.body), NoDocument):
            kind = answer.headers.get("content-type", "no content type").partition(";")[0]
            found = Untold(f"{url}: {kind}, not a JSON document: {document.reason}")
        else:
            found = _read(how, document, url)
        return _without(hidden, found)

    async def _line_of(self, command: Command, deadline_seconds: float) -> Told | Untold:
        environment = cleared_environment(command.env, self._ours)
        said = command.argv[0]
        if environment.missing:
            missing = ", ".join(environment.missing)
            return Untold(f"{said}: environment variable {missing} is not set for the watchdog")
        ended = await run(
            command.argv,
            cwd=command.cwd,
            env=environment.variables,
            deadline_seconds=deadline_seconds,
            max_bytes=_MOST_LINE_BYTES,
        )
        found = _of_command(ended, said)
        return _without(secrets_in(environment), found)


def _without(hidden: frozenset[str], found: Told | Untold) -> Told | Untold:
    """A version stands in the record: one that is a credential is none."""
    if isinstance(found, Untold):
        return Untold(scrubbed(found.reason, known=hidden, most=_MOST_REASON, cut_off=True))
    whole, inside = found.version, [one for one in hidden if len(one) >= _LONG_SECRET]
    if whole in hidden or any(secret in whole for secret in inside):
        return Untold("what was told for a version holds a credential that was sent")
    return found


def _of_command(ended: Ended, said: str) -> Told | Untold:
    if isinstance(ended, NotStarted):
        return Untold(ended.reason)
    if not isinstance(ended, Exited) or ended.status != 0:
        why = last_line(ended.stderr.text) or last_line(ended.stdout.text)
        return Untold(f"{said}: {ended.reason}{': ' + why if why else ''}")
    if ended.stdout.cut_bytes:
        return Untold(f"{said} printed {ended.stdout.total_bytes} bytes, and not one line")
    return _line(ended.stdout.text, said)


async def _first_line(path: str, deadline_seconds: float) -> Told | Untold:
    try:
        async with asyncio.timeout(deadline_seconds):
            # In a thread: a file on a dead network drive answers never.
            text = await asyncio.to_thread(_content, path)
    except TimeoutError:
        return Untold(f"{path} could not be read within {deadline_seconds:g} s")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        return Untold(f"{path} cannot be read: {why or error}")
    return _line(text, path)


def _content(path: str) -> str:
    """Bounded, of a regular file alone: a pipe would wait for who writes into it."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(0, "it is no regular file")
        return os.read(opened, _MOST_LINE_BYTES + 1).decode("utf-8")
    finally:
        os.close(opened)


def _line(text: str, where: str) -> Told | Untold:
    line = text.removesuffix("\n").removesuffix("\r")
    if "\n" in line:
        return Untold(f"{where} says more than one line")
    return _version(line, where)


def _read(how: FieldOf, document: object, url: str) -> Told | Untold:
    """The version, and since when that is so, of a whole document."""
    value = _found(how.value, document)
    if value is None:
        return Untold(f"{url}: {how.value} is not there")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_MOST_DIGITS:
        value = str(value)
    if not isinstance(value, str):
        return Untold(f"{url}: {how.value} is {_kind(value)}, and no text or whole number")
    told = _version(value, f"{url}: {how.value}")
    if isinstance(told, Untold) or how.released_at is None:
        return told
    since = _time(_found(how.released_at, document))
    if isinstance(since, str):
        return Untold(f"{url}: {how.released_at} {since}")
    return Told(told.version, since)


def _version(text: str, where: str) -> Told | Untold:
    if not is_version(text):
        shown = repr(text[:_MOST_SHOWN]) + ("..." if len(text) > _MOST_SHOWN else "")
        return Untold(_short(f"{where} says {shown}, which is no plain version"))
    return Told(text)


def _found(path: str, document: object) -> Any:
    try:
        return jmespath.search(path, document)
    except JMESPathError:
        return None  # a function was given another type than it takes: there is no such value


def _time(value: object) -> float | str:
    """Seconds since the epoch, of ISO 8601 with its offset or of milliseconds; or what is wrong."""
    if isinstance(value, str):
        try:
            time = datetime.fromisoformat(value)
        except ValueError:
            return f"is {value[:_MOST_SHOWN]!r}, and not ISO 8601"
        return time.timestamp() if time.tzinfo is not None else "has no offset from UTC"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "is no time" if value is not None else "is not there"
    plausible = _FIRST_PLAUSIBLE_MS <= value < 1e15 and math.isfinite(value)
    return value / 1000 if plausible else f"is {value!r:.40}, and no time in milliseconds"


def _kind(value: object) -> str:
    kinds = {bool: "true or false", dict: "an object", list: "a list", float: "a fraction"}
    return kinds.get(type(value), "a number of too many digits")


def _short(reason: str) -> str:
    return scrubbed(reason, known=frozenset(), most=_MOST_REASON)
