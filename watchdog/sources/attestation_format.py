"""Signed attestations: from bytes to what was signed, to the letter.

The signature covers the compact JSON of the snapshot as JavaScript writes it, with these keys in
this order. So numbers are read as JavaScript reads them, all as doubles, and written as its
Number::toString does: the shortest digits that read back as the same double.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

_NUMBERS = ("timestamp", "collateralizationRatio", "utxoCount")
_AMOUNTS = ("lockedSats", "outstandingBloom")
_KEYS = (
    "timestamp",
    "lockedSats",
    "outstandingBloom",
    "collateralizationRatio",
    "headerHash",
    "merkleRoot",
    "utxoCount",
)
_DECIMAL = re.compile(r"[0-9]{1,40}(?:\.[0-9]{1,40})?\Z", re.ASCII)
_HEX = re.compile(r"[0-9a-fA-F]*\Z", re.ASCII)
_FIRST_PLAUSIBLE_MS = 1e11  # March 1973 in milliseconds; in seconds the year 5138
_LARGEST_PLAIN, _SMALLEST_PLAIN = 21, -6  # powers of ten between which no exponent is written


class NoAttestationError(Exception):
    """The bytes are no attestation; the message says what is missing or odd."""


@dataclass(frozen=True, slots=True)
class Attestation:
    """What it says, and what was signed. Nothing of it is verified yet."""

    at: float  # its own time, seconds since the epoch
    ratio: float
    signer: str  # the key that it claims, 64 hex digits in small letters
    signature: bytes  # 64 bytes
    message: bytes


def attestation_of(body: bytes) -> Attestation:
    """Raises NoAttestationError."""
    document = _parsed(body)
    snapshot = document.get("snapshot") if isinstance(document, dict) else None
    if not isinstance(snapshot, dict):
        raise NoAttestationError("no attestation: it holds no `snapshot`")
    if set(snapshot) != set(_KEYS):
        odd = min(set(_KEYS).symmetric_difference(snapshot))
        what = f"has no {odd}" if odd in _KEYS else "holds a key that nobody signs"
        raise NoAttestationError(f"no attestation: its snapshot {what}")
    for key in _KEYS:
        _check(key, snapshot[key])
    try:
        message = ("{" + ",".join(f'"{k}":{_written(snapshot[k])}' for k in _KEYS) + "}").encode()
    except UnicodeEncodeError:
        raise NoAttestationError("no attestation: half of a character in its text") from None
    return Attestation(
        at=snapshot["timestamp"] / 1000,
        ratio=snapshot["collateralizationRatio"],
        signer=_hex(document, "publicKey", 32).hex(),
        signature=_hex(document, "signature", 64),
        message=message,
    )


def javascript_number(value: float) -> str:
    """A finite double as JavaScript prints it: 1, 0.1, 1e-7, 1e+21. ECMA-262, Number::toString."""
    if value == 0:
        return "0"  # also for -0
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101  # it is finite
    text = "".join(map(str, digits))
    point = len(text) + exponent  # where the decimal point stands, counted from the first digit
    if len(text) <= point <= _LARGEST_PLAIN:
        plain = text + "0" * (point - len(text))
    elif 0 < point <= _LARGEST_PLAIN:
        plain = f"{text[:point]}.{text[point:]}"
    elif _SMALLEST_PLAIN < point <= 0:
        plain = f"0.{'0' * -point}{text}"
    else:
        rest = f".{text[1:]}" if len(text) > 1 else ""
        plain = f"{text[0]}{rest}e{point - 1:+d}"
    return f"-{plain}" if sign else plain


def _written(value: float | str) -> str:
    if isinstance(value, float):
        return javascript_number(value)
    return json.dumps(value, ensure_ascii=False)


def _check(key: str, value: object) -> None:
    if key in _NUMBERS:
        good = isinstance(value, float) and math.isfinite(value)
        if good and key == "timestamp":
            good = isinstance(value, float) and value >= _FIRST_PLAUSIBLE_MS
    elif key in _AMOUNTS:
        good = isinstance(value, str) and _DECIMAL.match(value) is not None
    else:
        good = isinstance(value, str)
    if not good:
        wanted = "number" if key in _NUMBERS else "decimal text" if key in _AMOUNTS else "text"
        wanted = "time in milliseconds" if key == "timestamp" else wanted
        raise NoAttestationError(f"no attestation: its {key} is no {wanted}")


def _hex(document: dict[str, Any], key: str, size: int) -> bytes:
    value = document.get(key)
    if not isinstance(value, str) or len(value) != 2 * size or not _HEX.match(value):
        raise NoAttestationError(f"no attestation: its {key} is not {size} bytes in hex")
    return bytes.fromhex(value)


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_int=float,
            parse_constant=_refused,
            object_pairs_hook=_once_each,
        )
    except UnicodeDecodeError:
        raise NoAttestationError("no attestation: it is not UTF-8") from None
    except json.JSONDecodeError as error:
        what = f"{error.msg} at character {error.pos}" if body else "it is empty"
        raise NoAttestationError(f"no attestation: {what}") from None
    except RecursionError:
        raise NoAttestationError("no attestation: nested too deeply") from None


def _refused(name: str) -> NoReturn:
    raise NoAttestationError(f"no attestation: {name} is no JSON number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two values under one name: which of them was signed depends on who reads it."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NoAttestationError("no attestation: a name occurs twice in one object")
    return found
