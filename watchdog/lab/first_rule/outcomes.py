"""Which label of a counter tells failures from successes, and which bucket the slow from the rest.

Only what is known by convention is taken: HTTP status codes and their classes, gRPC codes, and
words for success and failure. A label whose values say neither is left alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

STATUS_LABELS = (
    "code",
    "status",
    "status_code",
    "http_status",
    "http_status_code",
    "http_code",
    "response_code",
    "http_response_status_code",
    "grpc_code",
    "grpc_status",
    "rpc_grpc_status_code",
    "result",
    "outcome",
    "success",
)
"""In the order in which they are preferred."""

_HTTP = re.compile(r"[1-5][0-9]{2}\Z", re.ASCII)
_CLASS = re.compile(r"[1-5][xX]{2}\Z", re.ASCII)
_GRPC_BAD = (
    "Unknown",
    "DeadlineExceeded",
    "Unimplemented",
    "Internal",
    "Unavailable",
    "DataLoss",
)
_GRPC = frozenset({
    "OK", "Canceled", "InvalidArgument", "NotFound", "AlreadyExists", "PermissionDenied",
    "ResourceExhausted", "FailedPrecondition", "Aborted", "OutOfRange", "Unauthenticated",
    *_GRPC_BAD,
})  # fmt: skip
_FAILURE = frozenset({
    "error", "errors", "err", "fail", "failed", "failure", "exception", "timeout", "server_error",
    "unavailable", "crash", "false",
})  # fmt: skip
_SUCCESS = frozenset({"ok", "success", "succeeded", "successful", "pass", "passed", "true"})

_GOOD_ENOUGH = (0.01, 0.05)  # shares of events beyond a bucket
_LONGEST_BOUND = 20


@dataclass(frozen=True, slots=True)
class Telling:
    """How a label tells failures. `good` and `bad` are values of it, for the unit test."""

    label: str
    operator: str  # = or =~ or !=
    value: str
    good: str
    bad: str
    why: str

    def is_bad(self, value: str) -> bool:
        if self.operator == "=~":
            return re.fullmatch(self.value, value) is not None
        return (value == self.value) is (self.operator == "=")


def telling_of(values: Mapping[str, Iterable[str]]) -> Telling | None:
    """The first label, in order of preference, whose values say what failed."""
    for label in STATUS_LABELS:
        found = {value for value in values.get(label, ()) if value}
        told = _telling(label, found) if found else None
        if told is not None:
            return told
    return None


def _telling(label: str, values: set[str]) -> Telling | None:
    if all(_HTTP.match(value) for value in values):
        good = _first(values, lambda value: value < "400", "200")
        bad = _first(values, lambda value: value.startswith("5"), "500")
        return Telling(label, "=~", "5..", good, bad, "HTTP status codes: 5xx is a failure")
    if all(_CLASS.match(value) for value in values):
        bad = "5XX" if any(value.endswith("XX") for value in values) else "5xx"
        good = _first(values, lambda value: value < "4", bad.replace("5", "2"))
        return Telling(label, "=", bad, good, bad, "classes of HTTP status codes: 5xx is a failure")
    if values <= _GRPC:
        bad = _first(values, lambda value: value in _GRPC_BAD, "Internal")
        return Telling(label, "=~", "|".join(_GRPC_BAD), "OK", bad, "gRPC codes")
    return _in_words(label, values)


def _in_words(label: str, values: set[str]) -> Telling | None:
    failing = sorted(value for value in values if value.lower() in _FAILURE)
    working = sorted(value for value in values if value.lower() in _SUCCESS)
    if failing and len(failing) < len(values):
        good = (working or sorted(values - set(failing)))[0]
        operator = "=" if len(failing) == 1 else "=~"
        return Telling(
            label, operator, "|".join(failing), good, failing[0], "its words name the failures"
        )
    if len(working) == 1 and len(values) == 1:
        why = "it names successes, and nothing has failed yet: all else counts as failed"
        return Telling(label, "!=", working[0], working[0], "error", why)
    return None


def _first(values: set[str], wanted: Callable[[str], bool], usual: str) -> str:
    return next((value for value in sorted(values) if wanted(value)), usual)


def nearly_all(rows: Iterable[tuple[Mapping[str, str], float]]) -> tuple[str, float, float] | None:
    """Of buckets (which are cumulative) the narrowest that nearly all events are in.

    Its `le`, the share of events beyond it, and the rate of all; None where there is none.
    """
    told = [(labels.get("le", ""), value) for labels, value in rows]
    rate = max((value for _, value in told), default=0.0)
    steps = sorted((_bound(le), le, value) for le, value in told)
    for share in _GOOD_ENOUGH:
        for bound, le, value in steps:
            beyond = 1 - value / rate if rate > 0 else 1.0
            if beyond <= share and math.isfinite(bound) and len(le) < _LONGEST_BOUND:
                return le, max(0.0, beyond), rate
    return None


def _bound(le: str) -> float:
    try:
        found = float(le)
    except ValueError:
        return math.inf
    return math.inf if math.isnan(found) else found
