"""What may be asked for in an address: each parameter reads itself, and tells its own schema.

An address reads its parameters through these values alone, and the document of the API lists the
same values, so it cannot promise what is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.exceptions import HTTPException
from starlette.requests import Request

from watchdog.core.naming import values_in

_NAME = r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}"
_NAMED = re.compile(_NAME)
_MOST_IN_NAME = 2000
_MOST_TEXT = 200


class Parameter(Protocol):
    """One of the query."""

    @property
    def name(self) -> str: ...
    @property
    def about(self) -> str: ...
    @property
    def schema(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number. `of` raises HTTPException for anything else."""

    name: str
    about: str
    least: int = 0
    most: int = 10**18 - 1
    usual: int | None = None

    def of(self, request: Request) -> int | None:
        given = request.query_params.get(self.name)
        if given is None:
            return self.usual
        if not re.fullmatch(r"[0-9]{1,19}", given) or not self.least <= int(given) <= self.most:
            raise HTTPException(400)
        return int(given)

    @property
    def schema(self) -> dict[str, Any]:
        usual = {} if self.usual is None else {"default": self.usual}
        return {"type": "integer", "minimum": self.least, "maximum": self.most} | usual


@dataclass(frozen=True, slots=True)
class Text:
    """Words to look for; of longer ones the beginning."""

    name: str
    about: str

    def of(self, request: Request) -> str:
        return request.query_params.get(self.name, "")[:_MOST_TEXT].strip()

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of some words; "" stands for none. What is another is refused, or, where it is `lenient`,
    counts as if it was not there.
    """

    name: str
    about: str
    words: tuple[str, ...]
    lenient: bool = False

    def of(self, request: Request) -> str:
        """Raises HTTPException."""
        given = request.query_params.get(self.name, "").strip()
        if given in self.words or not given:
            return given
        if self.lenient:
            return ""
        raise HTTPException(400)

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string", "enum": [*self.words, ""]}


@dataclass(frozen=True, slots=True)
class RuleNamed:
    """A rule's name, a family's, or a member's."""

    name: str
    about: str
    schema: Mapping[str, Any] = field(default_factory=lambda: NAME_SCHEMA)

    def of(self, request: Request) -> str | None:
        """None where none is asked for. Raises HTTPException."""
        given = request.query_params.get(self.name)
        if given is not None and given.strip() and not is_name(given.strip()):
            raise HTTPException(400)
        return given.strip() if given else None


@dataclass(frozen=True, slots=True)
class Flag:
    """Is there, or not."""

    name: str
    about: str

    def of(self, request: Request) -> bool:
        return self.name in request.query_params

    @property
    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


NAME_SCHEMA: Mapping[str, Any] = {"type": "string", "maxLength": _MOST_IN_NAME}


def name_in(request: Request) -> str:
    """The name in the address. Raises HTTPException for what cannot be one."""
    name = str(request.path_params["name"])
    if not is_name(name):
        raise HTTPException(404)
    return name


def is_name(text: str) -> bool:
    """A name, or one of a family's member: exactly as it is written, and of no great length."""
    family, brace, _ = text.partition("{")
    named = _NAMED.fullmatch(family) is not None
    return named and (not brace or (len(text) <= _MOST_IN_NAME and bool(values_in(text))))


def told(parameters: Iterable[Parameter]) -> list[dict[str, Any]]:
    """As OpenAPI lists them."""
    return [
        {"name": one.name, "in": "query", "description": one.about, "schema": dict(one.schema)}
        for one in parameters
    ]
