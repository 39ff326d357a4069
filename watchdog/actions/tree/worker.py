"""The process that works on one live folder: asked by one JSON document, answers with one line.

The law: it dies with its parent, holds the lock of the work area while it works, so that two can
never work at once, and says nothing that it does not know: whatever it did not expect is UNKNOWN.
It is asked on standard input, and writes how far it is into the same memory, for the one who
asked to look at.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import json
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from watchdog.actions.tree.ground import make_work
from watchdog.actions.tree.layout import Place, TroubleError, place_of, shown
from watchdog.actions.tree.readiness import Wish, look, look_back, look_only
from watchdog.actions.tree.settle import settle
from watchdog.actions.tree.standing import STANDS
from watchdog.actions.tree.swap import Answer, Order, Result, back, forward

PROGRESS_BYTES = 512
_PROGRESS_SECONDS = 0.2
_PR_SET_PDEATHSIG = 1
_LOCK_SECONDS = 0.02
_MOST_REQUEST_BYTES = 1 << 20
_NOT_READY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT})


_Found = TypeVar("_Found")


class _BusyError(Exception):
    """Another process works on the folder, and goes on doing so."""


def main() -> int:
    """Exit status 0 whenever an answer was given."""
    asked = json.loads(os.read(0, _MOST_REQUEST_BYTES))
    _die_with(asked["parent"])
    answer = _answered(asked)
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return 0


def _die_with(parent: int) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we could ask to die with it
        os.kill(os.getpid(), signal.SIGKILL)


def _answered(asked: dict[str, Any]) -> dict[str, Any]:
    if asked["what"] == "look":
        return _looked(asked)
    if asked["what"] == "stands":
        return _stood(asked)
    work: Callable[[Order], Answer] = {"forward": forward, "back": back, "settle": settle}[
        asked["what"]
    ]
    try:
        answer = _worked(asked, work)
    except TroubleError as trouble:
        answer = Answer(Result.REFUSED, str(trouble))
    except _BusyError:
        answer = Answer(Result.UNKNOWN, "another process works on the folder")
    except OSError as error:
        # `forward` and `back` raise before the exchange alone; a disk that fails proves nothing.
        sure = asked["what"] != "settle" and error.errno != errno.EIO
        answer = Answer(Result.NOT_DONE if sure else Result.UNKNOWN, _text(error))
    return {"result": answer.result.value, "reason": answer.reason, "facts": answer.facts}


def _stood(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        truth, reason = _worked(asked, STANDS[asked["how"]])
    except TroubleError as trouble:
        truth, reason = "unknown", str(trouble)
    except _BusyError:
        truth, reason = "unknown", "another process works on the folder"
    except OSError as error:
        truth, reason = "unknown", _text(error)
    return {"truth": truth, "reason": reason}


def _worked(asked: dict[str, Any], work: Callable[[Order], _Found]) -> _Found:
    place = place_of(asked["current"])
    order = Order(
        place=place,
        mutable=tuple(asked["mutable"]),
        keep_backups=asked["keep_backups"],
        key=asked["key"],
        facts=dict(asked["facts"]),
        until=asked["until"],
        previous=asked["previous"],
        named=dict(asked["named"]),
    )
    if not os.path.isdir(place.work):
        raise TroubleError(f"{shown(place.work)} is missing: nothing was staged")
    with _alone(place, asked["until"]):
        return work(order)


def _looked(asked: dict[str, Any]) -> dict[str, Any]:
    try:
        place = place_of(asked["current"])
        wish = Wish(place, asked["previous"], tuple(asked["mutable"]), dict(asked["named"]))
        if asked["how"] == "back":
            return {"truth": "true", "reason": look_back(wish)}
        if asked["how"] == "only":
            said = look_only(wish)
            missing = "nothing is staged yet: the daemon's preflight does that"
            return {"truth": "true" if said else "unknown", "reason": said or missing}
        make_work(place)
        with _alone(place, asked["until"]):
            ready = look(wish, _Progress().tell)
    except TroubleError as trouble:
        return {"truth": "false", "reason": str(trouble)}
    except _BusyError:
        return {"truth": "unknown", "reason": "another process works on the folder"}
    except OSError as error:
        return {
            "truth": "false" if error.errno in _NOT_READY else "unknown",
            "reason": f"it could not be made ready: {_text(error)}",
        }
    anchor = {"digest": ready.digest, "written_at": ready.written_at, "facts": ready.facts}
    return {"truth": "true", "reason": ready.reason, "anchor": anchor}


@contextmanager
def _alone(place: Place, until: float) -> Iterator[None]:
    """Hold the lock, which ends with the process however it ends. Raises _BusyError and OSError."""
    path = place.own("lock")
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise _BusyError from None
                time.sleep(_LOCK_SECONDS)
        yield
    finally:
        os.close(handle)


class _Progress:
    """Told into the memory that standard input is, now and then; nowhere else."""

    def __init__(self) -> None:
        self._told_at = 0.0
        self._is_memory = stat.S_ISREG(os.fstat(0).st_mode)

    def tell(self, doing: str, done: int, of: int) -> None:
        now = time.monotonic()
        if not self._is_memory or now - self._told_at < _PROGRESS_SECONDS:
            return
        self._told_at = now
        share = f"{done * 100 // of} % of {of >> 20} MiB" if of else ""
        text = json.dumps({"doing": f"{shown(doing)}: {share}"[: PROGRESS_BYTES // 8]})
        os.pwrite(0, text.encode().ljust(PROGRESS_BYTES)[:PROGRESS_BYTES], 0)


def _text(error: OSError) -> str:
    name = error.filename
    where = f" ({shown(name)})" if isinstance(name, str | bytes) else ""
    return f"{error.strerror or error}{where}"
