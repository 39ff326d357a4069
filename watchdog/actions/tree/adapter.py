"""Implements `ports.Actuator` for `SwapTree`: every look and every swap is a process of its own.

What an attempt's end means:

    the process was never started                               NOT_DONE, or REFUSED for good
    it answered                                                 as it says: see `swap`
    it ended without an answer, or was ended at its deadline    UNKNOWN; a repeat finds out

A preflight may take longer than anybody waits: it goes on between calls, and until it is done
the answer is UNKNOWN, with how far it is. An attempt ends a preflight of the same folder first.
Such a process ends with the event loop, with `aclose`, and with this process however that ends.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import watchdog
from watchdog.actions.tree.worker import PROGRESS_BYTES
from watchdog.core.spec import How
from watchdog.core.trees import Anchor, Facts, SwapTree
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.ports import Attempt, Attempted, Readiness
from watchdog.wire.process import Ended, Exited, NotStarted, run
from watchdog.wire.scrub import scrubbed, shortened

_MODULE = "watchdog.actions.tree"
_BESIDE = str(Path(watchdog.__file__).parents[1])
"""Where the package lies: the process finds the very same one there."""

_LONGEST_LOOK_SECONDS = 3600.0
_MOST_ANSWER_BYTES = 1 << 17
_MOST_REASON = 300
_RESERVE_SECONDS = 1.0
"""Of an attempt's time, the most that is kept for the process to start and to answer."""

_NO_TIME = Instant(0.0, 0.0)


@dataclass(slots=True)
class _Look:
    """Any number may wait for it: its memory is closed once, whoever comes first."""

    at: Instant
    memory: int
    task: asyncio.Task[Ended]
    closed: bool = False

    def close(self) -> None:
        """A number that was closed may be another file's by now."""
        if not self.closed:
            self.closed = True
            os.close(self.memory)


class TreeActuator:
    """`stages` False looks only: for whoever is not the daemon, and must not work in its place."""

    def __init__(
        self, *, stages: bool = True, python: Sequence[str] = (sys.executable, "-B", "-S")
    ) -> None:
        """The process needs the standard library and this package alone; so it starts faster."""
        self._stages = stages
        self._argv = (*python, "-m", _MODULE)
        self._looks: dict[SwapTree, _Look] = {}

    async def attempt(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts = ()
    ) -> Attempt:
        if not isinstance(how, SwapTree):
            return Attempt(Attempted.REFUSED, _not_ours(how))
        return _attempt(await self._work(_way(how), how, key, deadline_seconds, facts))

    async def stands(
        self, how: How, *, key: str, deadline_seconds: float, facts: Facts
    ) -> CheckReading:
        if not isinstance(how, SwapTree):
            return CheckReading(Truth.UNKNOWN, _not_ours(how), _NO_TIME)
        ended = await self._work("stands", how, key, deadline_seconds, facts)
        return _readiness(ended, _NO_TIME).reading

    async def settle(self, how: How, *, key: str, deadline_seconds: float, facts: Facts) -> Attempt:
        if not isinstance(how, SwapTree):
            return Attempt(Attempted.REFUSED, _not_ours(how))
        if how.displaced:
            return Attempt(Attempted.CLAIMED, "swapping back leaves nothing behind")
        return _attempt(await self._work("settle", how, key, deadline_seconds, facts))

    async def preflight(self, how: How, *, at: Instant, deadline_seconds: float) -> Readiness:
        if not isinstance(how, SwapTree):
            return Readiness(CheckReading(Truth.FALSE, _not_ours(how), at))
        if how.displaced or not self._stages:
            request = _look_request(how, "back" if how.displaced else "only", deadline_seconds)
            memory = _memory(request)
            try:
                return _readiness(await self._run(memory, deadline_seconds), at)
            finally:
                os.close(memory)
        return await self._look_on(how, at, deadline_seconds)

    async def aclose(self) -> None:
        """End what still goes on."""
        await self._end_looks(list(self._looks))

    async def _look_on(self, how: SwapTree, at: Instant, deadline_seconds: float) -> Readiness:
        """Begin to look, or go on, for as long as there is time."""
        look = self._looks.get(how)
        if look is None:
            memory = _memory(_look_request(how, "stage", _LONGEST_LOOK_SECONDS))
            task = asyncio.create_task(self._run(memory, _LONGEST_LOOK_SECONDS))
            look = self._looks[how] = _Look(at, memory, task)
        await asyncio.wait({look.task}, timeout=deadline_seconds * 0.9)
        if not look.task.done():
            doing = f"not ready yet: {_progress(look.memory)}"
            return Readiness(CheckReading(Truth.UNKNOWN, doing, at))
        if self._looks.get(how) is look:
            del self._looks[how]
        look.close()
        if look.task.cancelled():
            return Readiness(CheckReading(Truth.UNKNOWN, "a swap came before it could end", at))
        return _readiness(look.task.result(), look.at)

    async def _end_looks(self, hows: Sequence[SwapTree]) -> None:
        for how in hows:
            look = self._looks.pop(how, None)
            if look is not None:
                look.task.cancel()
                await asyncio.gather(look.task, return_exceptions=True)
                look.close()

    async def _work(
        self, what: str, how: SwapTree, key: str, deadline_seconds: float, facts: Facts
    ) -> Ended:
        ends = time.monotonic() + deadline_seconds
        await self._end_looks([one for one in self._looks if one.current == how.current])
        left = ends - time.monotonic()
        request = {
            **_request(how, what, left - min(_RESERVE_SECONDS, left / 3)),
            "how": _way(how),
            "keep_backups": how.keep_backups,
            "key": key,
            "facts": facts,
            "named": how.facts,
        }
        memory = _memory(request)
        try:
            return await self._run(memory, left)
        finally:
            os.close(memory)

    async def _run(self, memory: int, deadline_seconds: float) -> Ended:
        return await run(
            self._argv,
            deadline_seconds=deadline_seconds,
            cwd=_BESIDE,
            max_bytes=_MOST_ANSWER_BYTES,
            stdin=memory,
        )


def _way(how: SwapTree) -> str:
    return "back" if how.displaced else "forward"


def _request(how: SwapTree, what: str, seconds: float) -> dict[str, Any]:
    return {
        "what": what,
        "parent": os.getpid(),
        "current": how.current,
        "previous": how.previous,
        "mutable": how.mutable,
        "until": time.monotonic() + seconds,
    }


def _look_request(how: SwapTree, kind: str, seconds: float) -> dict[str, Any]:
    return {**_request(how, "look", seconds), "how": kind, "named": how.facts}


def _memory(request: Mapping[str, Any]) -> int:
    """A file without a name: what is asked is in it, and how far it is will be."""
    memory = os.memfd_create("slo-watchdog-tree", os.MFD_CLOEXEC)
    os.write(memory, json.dumps(request).encode())
    os.lseek(memory, 0, os.SEEK_SET)
    return memory


def _progress(memory: int) -> str:
    try:
        told = json.loads(os.pread(memory, PROGRESS_BYTES, 0))
        return scrubbed(str(told["doing"]), most=_MOST_REASON)
    except (ValueError, KeyError, TypeError):
        return "it has only begun"


def _readiness(ended: Ended, at: Instant) -> Readiness:
    told = _told(ended)
    if isinstance(told, str):
        return Readiness(CheckReading(Truth.UNKNOWN, shortened(told, _MOST_REASON), at))
    reason = scrubbed(str(told["reason"]), most=_MOST_REASON)
    found = told.get("anchor")
    anchor = None
    if found is not None:
        anchor = Anchor(found["digest"], found["written_at"], _facts(found["facts"]))
    return Readiness(CheckReading(Truth(told["truth"]), reason, at), anchor)


def _attempt(ended: Ended) -> Attempt:
    if isinstance(ended, NotStarted):
        result = Attempted.NOT_DONE if ended.passing else Attempted.REFUSED
        return Attempt(result, ended.reason)
    told = _told(ended)
    if isinstance(told, str):
        return Attempt(Attempted.UNKNOWN, shortened(told, _MOST_REASON))
    reason = scrubbed(str(told["reason"]), most=_MOST_REASON)
    return Attempt(Attempted(told["result"]), reason, facts=_facts(told["facts"]))


def _told(ended: Ended) -> dict[str, Any] | str:
    """What the process answered, or why there is no answer."""
    if isinstance(ended, NotStarted):
        return ended.reason
    said = scrubbed(ended.stderr.text, most=_MOST_REASON).strip().rpartition("\n")[2]
    if isinstance(ended, Exited) and ended.status == 0:
        try:
            told = json.loads(ended.stdout.text)
        except ValueError:
            told = None
        if isinstance(told, dict):
            return told
    return f"the work on the folder did not end well: {ended.reason}{said and f': {said}'}"


def _facts(pairs: Sequence[Sequence[str]]) -> Facts:
    return tuple((str(name), str(value)) for name, value in pairs)


def _not_ours(how: How) -> str:
    return f"a {type(how).__name__} is nothing that swaps a folder"
