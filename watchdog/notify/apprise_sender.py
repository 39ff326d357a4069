"""Sends one letter through Apprise. Run as a program of its own, which may be killed at any time.

It imports nothing of ours, and reads a JSON document from its standard input: url, subject, body,
urgent. It answers on its standard output: {"sent": bool, "reason": text}. Apprise's own retries are
left at none: whoever started this tries again. With "look" in what it is asked nothing is sent, and
it answers {"known": bool, "service": text}.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import apprise
from apprise.manager_plugins import NotificationManager

LARGEST_INPUT = 1 << 20


class _Heard(logging.Handler):
    """What Apprise complains of, since it answers with yes or no alone."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def main() -> None:
    asked: dict[str, Any] = json.loads(sys.stdin.read(LARGEST_INPUT))
    heard = _Heard()
    logging.getLogger("apprise").addHandler(heard)
    service = apprise.Apprise.instantiate(asked["url"], suppress_exceptions=True)
    if asked.get("look"):
        answer = {"known": service is not None, "service": _service(asked["url"])}
    elif service is None:
        answer = {"sent": False, "known": False, "reason": "; ".join(heard.said)}
    else:
        sent = service.notify(
            body=asked["body"],
            title=asked["subject"],
            notify_type=_kind(asked),
            body_format=apprise.NotifyFormat.TEXT,
        )
        answer = {"sent": bool(sent), "known": True, "reason": "; ".join(heard.said)}
    sys.stdout.write(json.dumps(answer))


def _service(url: str) -> str:
    """The word that the URL begins with, where it is one of Apprise's own; else nothing of it."""
    word = url.partition("://")[0].lower()
    known: Any = NotificationManager  # which has no types
    return word if word in known().schemas() else ""


def _kind(asked: dict[str, Any]) -> apprise.NotifyType:
    if asked.get("phase") == "ended":
        return apprise.NotifyType.SUCCESS
    return apprise.NotifyType.FAILURE if asked.get("urgent") else apprise.NotifyType.INFO


if __name__ == "__main__":
    main()
