"""Numbers, shares and durations as people read them in reasons and pages.

Rounding is for the eye only: nothing is compared after it. Two numbers whose difference decided
something are never printed alike; `apart` gives as many digits as it takes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache

_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_REMEMBERED = 4096  # a thousand rules say much the same, again and again
_MOST_DIGITS = 17  # tells any two doubles apart


@lru_cache(maxsize=_REMEMBERED)
def duration(seconds: float) -> str:
    """90.0 is "1m30s", 0.25 is "250ms", 5.5 is "5.5s", 2592000 is "30d"."""
    if not math.isfinite(seconds):
        return number(seconds)
    if seconds < 0:
        return "-" + duration(-seconds)
    if seconds == 0:
        return "0s"
    if seconds < 0.9995:
        return number(seconds * 1000) + "ms"
    if seconds < 59.95:
        return number(seconds) + "s"
    rest = round(seconds)
    parts = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def number(value: float, digits: int = 3) -> str:
    """Whole numbers in full, others to `digits` significant digits but never less than whole."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= 15 or size < -6:
        return f"{value:.{digits}g}"
    text = f"{value:.{max(0, digits - 1 - size)}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


@lru_cache(maxsize=_REMEMBERED)
def percent(ratio: float, digits: int = 3) -> str:
    """0.542 is "54.2%". What is not all of it never reads 100%."""
    text = number(ratio * 100, digits)
    if text == "100" and ratio < 1 and digits < _MOST_DIGITS:
        return percent(ratio, digits + 1)
    return text + "%"


def apart(
    value: float, other: float, form: Callable[[float, int], str] = number
) -> tuple[str, str]:
    """Both numbers, with enough digits to see which is the larger."""
    for digits in range(3, _MOST_DIGITS + 1):
        one, two = form(value, digits), form(other, digits)
        if one != two or value == other:
            break
    return one, two


def shortened(text: str, most: int = 80) -> str:
    """At most `most` characters on one line; what is cut shows as dots."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def printable(text: str) -> str:
    r"""Text from outside on one line of a terminal: what would move its cursor, change its colour
    or turn its direction stands escaped (`\x1b`, `\n`, `\u202e`).
    """
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def both_ends(text: str, most: int = 8000) -> str:
    """Of a text that somebody made endless, its beginning and its end; any other as it is."""
    if len(text) <= most:
        return text
    left_out = len(text) - most
    return f"{text[: most // 2]} [... {left_out} characters ...] {text[-most // 2 :]}"


_MILLIS = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION = re.compile(
    r"(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?\Z",
    re.ASCII,
)


def seconds_of(text: str) -> float | None:
    """Seconds of a duration as people write it: 250ms, 10s, 5m, 1h30m, 30d. None if it is none."""
    match = _DURATION.match(text) if text else None
    if match is None:
        return None
    millis = sum(
        int(count) * unit
        for count, unit in zip(match.groups(), _MILLIS.values(), strict=True)
        if count is not None
    )
    return millis / 1000
