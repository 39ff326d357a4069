"""Talks to the daemon over its control socket, with a deadline, and says what is wrong in words.

The deadline is total, from before the connection to the last byte: a daemon that hangs, drips or
answers nonsense ends the command with a sentence. Where an order was sent and no answer came,
the sentence says that it may have been carried out.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from watchdog.core.text import shortened

ORDER_SECONDS = 600.0
"""An order answers when it is carried out and read back, within its action's own deadline."""

READ_SECONDS = 15.0
_MOST_BYTES = 64 * 1024 * 1024
_SEE = "See: systemctl status slo-watchdog"


class Unreachable(Exception):
    """The daemon does not answer, or not so that it can be understood; the message says which."""


class Refused(Exception):
    """The daemon refuses the order; the message is its own."""


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    is_json: bool
    body: bytes


class Client:
    """One command's way to the daemon."""

    def __init__(self, socket: Path, read_seconds: float = READ_SECONDS) -> None:
        self._socket = socket
        self._read_seconds = read_seconds

    def read(self, path: str, **params: str | int) -> Any:
        """The daemon's present. Raises Unreachable, or Refused where there is no such thing."""
        return self._asked("GET", path, self._read_seconds, params=params)

    def order(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Give an order, or, with `dry`, ask what it would do."""
        seconds = self._read_seconds if body.get("dry") else ORDER_SECONDS
        found = self._asked("POST", path, seconds, json=body)
        if not isinstance(found, dict):
            raise self._strange("no object")
        return found

    def _asked(self, method: str, path: str, seconds: float, **how: Any) -> Any:
        changes = method == "POST" and not how["json"].get("dry")
        try:
            answer = asyncio.run(self._ask(method, path, seconds, how))
        except httpx.ConnectError as error:
            raise Unreachable(f"{self._socket}: {_why_not_connected(error)}") from None
        except httpx.InvalidURL:
            raise Refused(f"there is nothing by the name {shortened(path)}") from None
        except TimeoutError:
            raise self._silent(f"no whole answer within {seconds:g} s", changes=changes) from None
        except httpx.HTTPError as error:
            what = str(error) or type(error).__name__
            raise self._silent(what, changes=changes) from None
        return self._judged(answer)

    async def _ask(self, method: str, path: str, seconds: float, how: dict[str, Any]) -> _Answer:
        transport = httpx.AsyncHTTPTransport(uds=str(self._socket))
        async with (
            asyncio.timeout(seconds),
            httpx.AsyncClient(
                transport=transport,
                base_url="http://slo-watchdog",
                trust_env=False,
                timeout=seconds,
            ) as client,
            client.stream(method, path, **how) as answer,
        ):
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > _MOST_BYTES:
                    raise self._strange(f"more than {_MOST_BYTES} bytes")
            is_json = answer.headers.get("content-type") == "application/json"
            return _Answer(answer.status_code, is_json, body)

    def _judged(self, answer: _Answer) -> Any:
        if not answer.is_json:
            raise self._strange(f"status {answer.status} without JSON")
        try:
            told = json.loads(answer.body)
        except (ValueError, RecursionError):
            raise self._strange("broken JSON") from None
        if 200 <= answer.status < 300:
            return told
        if isinstance(told, dict) and ("refused" in told or "wrong" in told):
            raise Refused(str(told.get("refused") or told.get("wrong")))
        raise self._strange(f"status {answer.status}")

    def _silent(self, what: str, *, changes: bool) -> Unreachable:
        after = (
            " It is not known whether the order was carried out: look at slo-watchdog status."
            if changes
            else ""
        )
        return Unreachable(f"{self._socket}: the daemon did not answer: {what}.{after}")

    def _strange(self, what: str) -> Unreachable:
        return Unreachable(
            f"{self._socket}: what answers there is not understood: {what}. "
            "Are daemon and command of one version?"
        )


def _why_not_connected(error: httpx.ConnectError) -> str:
    causes: BaseException | None = error
    while causes is not None and not isinstance(causes, OSError):
        causes = causes.__cause__ or causes.__context__
    number = causes.errno if isinstance(causes, OSError) else None
    match number:
        case errno.ENOENT:
            return f"there is no such socket: the daemon does not run. {_SEE}"
        case errno.ECONNREFUSED:
            return f"nobody listens there: the daemon has ended. {_SEE}"
        case errno.EACCES | errno.EPERM:
            return "you may not reach it. Join its group: adduser NAME slo-watchdog"
        case None:
            return str(error)
        case _:
            return os.strerror(number)
