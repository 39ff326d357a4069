"""JSON bodies, read strictly: of the right content type, and without NaN or Infinity."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from watchdog.wire.http import HttpAnswer


class NotJsonError(Exception):
    """The body is no JSON; the message says what it is instead."""


def json_of(answer: HttpAnswer) -> Any:
    """Raises NotJsonError."""
    content_type = str(answer.headers.get("content-type", ""))
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {"application/json", "text/json"} and not kind.endswith("+json"):
        raise NotJsonError(f"{content_type[:80] or 'no content type'} instead of JSON")
    try:
        return json.loads(answer.body, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise NotJsonError(f"not JSON: {str(error)[:120]}") from None


def _refused(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON value")
