"""JSON that strict parsers accept: NaN and infinities are text, as in Prometheus's own API.

A large answer is written in pieces, between which the loop goes on: no reader holds it for long.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self

from pydantic_core import PydanticSerializationError, to_json
from starlette.responses import Response

_AT_ONCE = 25
_DEPTH = 3
_NOT_OURS = b'Infinity"'
"""How pydantic writes what Prometheus writes as +Inf and -Inf; also a text that ends so."""


class Json(Response):
    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        return content if isinstance(content, bytes) else written(content)

    @classmethod
    async def in_pieces(cls, content: Any, **more: Any) -> Self:
        """The same, for what may be large."""
        return cls(b"".join([piece async for piece in _pieces(content, _DEPTH)]), **more)


def written(content: Any) -> bytes:
    """As JSON, at once."""
    try:
        text = to_json(content, inf_nan_mode="strings")
    except PydanticSerializationError:  # a text that UTF-8 cannot write, which JSON can
        text = _NOT_OURS
    if _NOT_OURS in text:
        return json.dumps(plain(content), allow_nan=False, separators=(",", ":")).encode()
    return text


async def _pieces(content: Any, depth: int) -> AsyncIterator[bytes]:
    """Lists in slices, down to the depth at which the long ones of the API stand."""
    if depth and isinstance(content, Mapping):
        for number, (key, value) in enumerate(content.items()):
            yield (b"," if number else b"{") + written(key) + b":"
            async for piece in _pieces(value, depth - 1):
                yield piece
        yield b"}" if content else b"{}"
    elif isinstance(content, list) and len(content) > _AT_ONCE:
        for start in range(0, len(content), _AT_ONCE):
            yield (b"," if start else b"[") + written(content[start : start + _AT_ONCE])[1:-1]
            await asyncio.sleep(0)
        yield b"]"
    elif depth and isinstance(content, list) and content:
        for number, value in enumerate(content):
            yield b"," if number else b"["
            async for piece in _pieces(value, depth - 1):
                yield piece
        yield b"]"
    else:
        yield written(content)


def plain(value: Any) -> Any:
    """The same value with every number that JSON lacks as text."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value
