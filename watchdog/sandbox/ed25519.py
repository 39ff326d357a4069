"""Ed25519 (RFC 8032) in plain Python, so that the sandbox can sign and check without a dependency.

For the stand-in only: it is not constant-time, and its key is a toy that each sandbox makes for
itself. Whatever trusts a signature for real must use a reviewed library. The tests hold it to the
vectors of the RFC.
"""

from __future__ import annotations

import hashlib

_PRIME = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _PRIME) % _PRIME
_SQRT_MINUS_1 = pow(2, (_PRIME - 1) // 4, _PRIME)

_Point = tuple[
    int, int, int, int
]  # extended coordinates X, Y, Z, T with x = X/Z, y = Y/Z, xy = T/Z
_NEUTRAL: _Point = (0, 1, 1, 0)


def _x_of(y: int, sign: int) -> int | None:
    """The x with this lowest bit on the curve at y, or None when there is none."""
    if y >= _PRIME:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    root = pow(square, (_PRIME + 3) // 8, _PRIME)
    if (root * root - square) % _PRIME:
        root = root * _SQRT_MINUS_1 % _PRIME
    if (root * root - square) % _PRIME or (root == 0 and sign):
        return None
    return _PRIME - root if root & 1 != sign else root


def _add(p: _Point, q: _Point) -> _Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % _PRIME
    b = (p[1] + p[0]) * (q[1] + q[0]) % _PRIME
    c = 2 * p[3] * q[3] * _D % _PRIME
    d = 2 * p[2] * q[2] % _PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _PRIME, g * h % _PRIME, f * g % _PRIME, e * h % _PRIME


def _times(scalar: int, point: _Point) -> _Point:
    result = _NEUTRAL
    while scalar:
        if scalar & 1:
            result = _add(result, point)
        point = _add(point, point)
        scalar >>= 1
    return result


def _same(p: _Point, q: _Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % _PRIME == 0 and (p[1] * q[2] - q[1] * p[2]) % _PRIME == 0


def _base() -> _Point:
    y = 4 * pow(5, -1, _PRIME) % _PRIME
    x = _x_of(y, 0)
    if x is None:
        raise AssertionError("the base point lies on the curve")
    return x, y, 1, x * y % _PRIME


_BASE = _base()


def _packed(point: _Point) -> bytes:
    inverse = pow(point[2], -1, _PRIME)
    x, y = point[0] * inverse % _PRIME, point[1] * inverse % _PRIME
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _unpacked(packed: bytes) -> _Point | None:
    number = int.from_bytes(packed, "little")
    y = number & (1 << 255) - 1
    x = _x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % _PRIME)


def _digest(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % _ORDER


def _expanded(secret: bytes) -> tuple[int, bytes]:
    wide = hashlib.sha512(secret).digest()
    scalar = int.from_bytes(wide[:32], "little")
    scalar = scalar & (1 << 254) - 8 | 1 << 254
    return scalar, wide[32:]


def public_key(secret: bytes) -> bytes:
    """The 32 bytes that belong to a secret of 32 bytes."""
    return _packed(_times(_expanded(secret)[0], _BASE))


def sign(secret: bytes, message: bytes) -> bytes:
    """The 64 bytes of signature over a message."""
    scalar, prefix = _expanded(secret)
    public = _packed(_times(scalar, _BASE))
    nonce = _digest(prefix, message)
    commitment = _packed(_times(nonce, _BASE))
    response = (nonce + _digest(commitment, public, message) * scalar) % _ORDER
    return commitment + response.to_bytes(32, "little")


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature over the message was made with the secret behind this public key."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, commitment = _unpacked(public), _unpacked(signature[:32])
    response = int.from_bytes(signature[32:], "little")
    if key is None or commitment is None or response >= _ORDER:
        return False
    challenge = _digest(signature[:32], public, message)
    return _same(_times(response, _BASE), _add(commitment, _times(challenge, key)))
