"""The scalar words of the rule language: durations, ratios, bounds, names, addresses.

Each is a pydantic type whose refusal says what is wrong and what to write instead. Nothing is
guessed: a duration has a unit, a ratio is written 5% or 0.05, and a bare 5 is neither.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from watchdog.core.spec import Bound
from watchdog.core.text import seconds_of

OURS = "rule_language"
"""The error type of every refusal below; its context carries `what` and `remedy`."""

MAX_DURATION_SECONDS = 366 * 86_400.0
_NUMBER = r"\d{1,15}(?:\.\d{1,15})?|\.\d{1,15}"
_RATIO = re.compile(rf"({_NUMBER})\s*(%)?\Z", re.ASCII)
_BOUND = re.compile(rf"(>=|<=|==|!=|>|<)\s*(-?)({_NUMBER})\s*(%)?\Z", re.ASCII)
_SIZE = re.compile(r"(\d{1,9})\s*(KiB|MiB)\Z", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}\Z", re.ASCII)


def refused(what: str, remedy: str) -> PydanticCustomError:
    return PydanticCustomError(OURS, "{what}. {remedy}", {"what": what, "remedy": remedy})


def shown(value: object) -> str:
    """A value as it may stand in a message: short, on one line."""
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "..."


def duration(value: Any) -> float:
    """Seconds of 10s, 5m, 1h30m, 30d, 250ms."""
    how = "Write it like 250ms, 10s, 5m, 1h30m or 30d."
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise refused(f"{value} has no unit", how)
    found = seconds_of(value) if isinstance(value, str) else None
    if found is None:
        if isinstance(value, str) and value.startswith("-"):
            raise refused(f"a negative duration, {shown(value)}", how)
        raise refused(f"{shown(value)} is no duration", how)
    if found == 0:
        raise refused(
            f"{shown(value)} is no time at all", "Write a longer one, or leave the key out."
        )
    if found > MAX_DURATION_SECONDS:
        raise refused(f"{shown(value)} is longer than a year", "Write a shorter one.")
    return found


def fraction(number: str, percent: str | None) -> float:
    """Exactly rounded: 99.9 % is 0.999 and not a bit more."""
    return float(Decimal(number) / 100) if percent else float(Decimal(number))


def ratio(value: Any) -> float:
    """A number from 0 to 1, written 5% or 0.05."""
    how = "Write it as 5% or 0.05."
    text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
    match = _RATIO.match(text) if isinstance(text, str) else None
    if match is None:
        raise refused(f"{shown(value)} is no ratio", how)
    number = fraction(match[1], match[2])
    if number > 1 and not match[2]:
        raise refused(
            f"{shown(value)} as a ratio would be {number * 100:g} %",
            f"If you mean per cent, write {shown(value)}%.",
        )
    if number > 1:
        raise refused(f"{shown(value)} is more than everything", how)
    return number


def bound(value: Any) -> Bound:
    """`> 5%`, `< 1`: what breaches. A bound is not negative (turn the expression round).

    `present`: whatever the expression returns.
    """
    how = 'Write it like "> 5%" or "< 1", in quotes, or `present`.'
    if value == "present":
        return Bound("present", 0.0, "present")
    match = _BOUND.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise refused(f"{shown(value)} is no bound", how)
    op, sign, number, percent = match.groups()
    if sign:
        raise refused(
            f"a negative bound, {shown(value)}",
            "Turn the expression round, so that the bound is zero or above.",
        )
    return Bound(op, fraction(number, percent), f"{op} {number}{percent or ''}")


def size(value: Any) -> int:
    match = _SIZE.match(value) if isinstance(value, str) else None
    if match is None:
        raise refused(f"{shown(value)} is no size", "Write it like 512KiB or 16MiB.")
    count = int(match[1]) * {"KiB": 1024, "MiB": 1024 * 1024}[match[2]]
    if not 1024 <= count <= 256 * 1024 * 1024:
        raise refused(f"{shown(value)} is out of range", "Sizes go from 1KiB to 256MiB.")
    return count


def is_name(text: str) -> bool:
    return _NAME.match(text) is not None


def name(value: str) -> str:
    if not is_name(value):
        raise refused(
            f"{shown(value)!r} is no name",
            "Names are small letters, digits and hyphens, and begin with a letter: peg-broken.",
        )
    return value


def address(value: str) -> str:
    """An http(s) URL without a user, a password, a fragment or blanks."""
    how = "Write it like http://localhost:3000/health."
    if len(value) > 2000 or any(c.isspace() or ord(c) < 33 or c == "\\" for c in value):
        raise refused("an address with blanks, or too long", how)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise refused(f"{shown(value)} is no address: {error}", how) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise refused(f"{shown(value)} is no http(s) address", how)
    if parts.username is not None or parts.password is not None:
        raise refused(
            "a user or password in an address",
            "Name a credential instead: headers: {Authorization: {secret: NAME}}.",
        )
    if parts.fragment:
        raise refused("an address with a #fragment, which is never sent", "Remove it.")
    return value


def absolute(value: str) -> str:
    if not value.startswith("/") or "\0" in value or len(value) > 4096:
        raise refused(
            f"{shown(value)} is no absolute path",
            "Begin it with /: the daemon's own folder is nobody's business.",
        )
    return value


def words(value: str) -> str:
    """Text for people: one that says something, of at most 2000 characters."""
    if not value.strip():
        raise refused("an empty text", "Say why, or leave the key out.")
    if len(value) > 2000:
        raise refused("a text of more than 2000 characters", "Shorten it, or link a runbook.")
    return " ".join(value.split())


def expression(value: str) -> str:
    """Text for a parser; its length is bounded because parsers recurse."""
    if not value.strip():
        raise refused("an empty expression", "Write one.")
    if len(value) > 2000:
        raise refused("an expression of more than 2000 characters", "Split it.")
    return value.strip()


def matching(pattern: str, what: str, how: str) -> AfterValidator:
    """A validator of one whole-text pattern."""
    compiled = re.compile(pattern + r"\Z", re.ASCII)

    def check(value: str) -> str:
        if not compiled.match(value):
            raise refused(f"{shown(value)!r} is no {what}", how)
        return value

    return AfterValidator(check)


Duration = Annotated[float, BeforeValidator(duration, json_schema_input_type=str)]
Ratio = Annotated[float, BeforeValidator(ratio, json_schema_input_type=str | float)]
BoundText = Annotated[Any, BeforeValidator(bound, json_schema_input_type=str)]
Size = Annotated[int, BeforeValidator(size, json_schema_input_type=str)]
Name = Annotated[str, AfterValidator(name)]
Address = Annotated[str, AfterValidator(address)]
AbsolutePath = Annotated[str, AfterValidator(absolute)]
Words = Annotated[str, AfterValidator(words)]
Expression = Annotated[str, AfterValidator(expression)]
