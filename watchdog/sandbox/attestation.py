"""The proof-of-reserves attestation: what exactly is signed, byte by byte.

The signer is a JavaScript program, so the message is what `JSON.stringify` writes: compact, keys in
the order below, and numbers as JavaScript prints them.
"""

from __future__ import annotations

import json
from typing import Any

from watchdog.sandbox import ed25519

SIGNED_KEYS = (
    "timestamp",
    "lockedSats",
    "outstandingBloom",
    "collateralizationRatio",
    "headerHash",
    "merkleRoot",
    "utxoCount",
)


def javascript_number(number: float) -> str:
    """A finite number as JavaScript prints it: 1.0 is `1`, 1e-7 is `1e-7`, 1e21 is `1e+21`."""
    if number == 0:
        return "0"  # also for -0
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = f"{float(abs(number))!r}e0".partition("e")
    whole, _, fraction = mantissa.partition(".")
    # repr gives the shortest digits that read back as the same number, as JavaScript does.
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent.partition("e")[0])
    point -= len(whole + fraction) - len(digits) if whole.strip("0") == "" else 0
    digits = digits.rstrip("0")
    return sign + _placed(digits, point)


def _placed(digits: str, point: int) -> str:
    """0.DIGITS times ten to the power of `point`, by the rules of Number::toString."""
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    exponent = f"e{point - 1:+d}"
    return digits + exponent if count == 1 else f"{digits[0]}.{digits[1:]}{exponent}"


def signed_message(snapshot: dict[str, Any]) -> bytes:
    """The bytes that the signature covers. Raises KeyError when the snapshot lacks a key."""
    members = (f'"{key}":{_javascript(snapshot[key])}' for key in SIGNED_KEYS)
    return ("{" + ",".join(members) + "}").encode()


def _javascript(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return javascript_number(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def attestation(secret: bytes, snapshot: dict[str, Any]) -> str:
    """The text of a `por.json`, signed with the secret key."""
    signature = ed25519.sign(secret, signed_message(snapshot))
    ordered = {key: snapshot[key] for key in SIGNED_KEYS}
    return json.dumps(
        {
            "snapshot": ordered,
            "signature": signature.hex(),
            "publicKey": ed25519.public_key(secret).hex(),
        },
        indent=2,
    )


def is_genuine(document: dict[str, Any]) -> bool:
    """Whether the signature fits the key inside the file. Who owns that key is another question."""
    try:
        message = signed_message(document["snapshot"])
        public = bytes.fromhex(document["publicKey"])
        signature = bytes.fromhex(document["signature"])
    except (KeyError, TypeError, ValueError):
        return False
    return ed25519.verifies(public, message, signature)
