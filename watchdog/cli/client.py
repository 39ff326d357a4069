"""Talks to the daemon over its control socket, with a deadline, and says what is wrong in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

ORDER_SECONDS = 600.0
"""An order answers when it is carried out and read back, within its action's own deadline."""

READ_SECONDS = 10.0
_MOST_BYTES = 64 * 1024 * 1024


class Unreachable(Exception):
    """The daemon does not answer; the message says what to look at."""


class Refused(Exception):
    """The daemon refuses the order; the message is its own."""


class Client:
    """One command's connection."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(socket)),
            base_url="http://slo-watchdog",
            trust_env=False,
            follow_redirects=False,
        )

    def read(self, path: str, **params: str | int) -> Any:
        """The daemon's present. Raises Unreachable, or Refused where there is no such thing."""
        return self._answer("GET", path, READ_SECONDS, params=params)

    def order(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Give an order, or, with `dry`, ask what it would do."""
        found = self._answer("POST", path, ORDER_SECONDS, json=body)
        return dict(found)

    def _answer(self, method: str, path: str, seconds: float, **how: Any) -> Any:
        try:
            answer = self._http.request(method, path, timeout=seconds, **how)
        except httpx.ConnectError as error:
            raise Unreachable(
                f"{self._socket}: {error}. Is the daemon running, and may you reach its socket? "
                "See: systemctl status slo-watchdog"
            ) from None
        except httpx.HTTPError as error:
            raise Unreachable(f"{self._socket}: {error or type(error).__name__}") from None
        if len(answer.content) > _MOST_BYTES:
            raise Unreachable(f"{self._socket}: answered more than {_MOST_BYTES} bytes")
        if answer.is_success:
            return answer.json()
        if answer.headers.get("content-type") == "application/json":
            told = answer.json()
            raise Refused(str(told.get("refused") or told.get("wrong") or told))
        raise Unreachable(f"{self._socket}: answered {answer.status_code}")
