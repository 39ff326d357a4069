"""Where and how to ask and to change: endpoints, commands and calls, as policy checked them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Header:
    """One HTTP header; `secret` names a credential whose text is put after `value`."""

    name: str
    value: str = ""
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to ask over HTTP. `ca_file` replaces the system's trust store.

    `given` is what its document must show for anything in it to count, if that is said: a token
    of another environment gets an answer as well, and it is not the one that is meant.
    """

    url: str
    headers: tuple[Header, ...] = ()
    ca_file: str | None = None
    given: str = ""  # JMESPath


@dataclass(frozen=True, slots=True)
class Command:
    """An argument list, never a shell line. `env` names the variables that are let through."""

    argv: tuple[str, ...]
    cwd: str | None = None
    env: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpCall:
    method: str
    endpoint: Endpoint
    body: str | None = None  # JSON text


@dataclass(frozen=True, slots=True)
class Check:
    """A JMESPath expectation of a JSON document over HTTP; true, false or unknown."""

    endpoint: Endpoint
    expect: str
