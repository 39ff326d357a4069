"""The words in which a look is written: in an owner's rule, or as a named check of an action."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from watchdog.policy.base import Shape
from watchdog.policy.probe_words import (
    Argument,
    ExitStatus,
    FileOrAddress,
    HostPort,
    SignerKey,
)
from watchdog.policy.scalars import AbsolutePath, Address, Duration, Expression


class AnsweringShape(Shape):
    """Something answers."""

    http: Address | None = Field(None, description="address that is asked with GET")
    status: Annotated[int, Field(ge=200, le=599)] | None = Field(
        None, description="http: the status that must come; any 2xx when left out"
    )
    expect: Expression | None = Field(
        None, description="http: JMESPath that must be true of the JSON that comes"
    )
    ca: AbsolutePath | None = Field(None, description="http: CA file in place of the system's")
    tcp: HostPort | None = Field(None, description="HOST:PORT that must accept a connection")
    command: Annotated[list[Argument], Field(min_length=1, max_length=100)] | None = Field(
        None, description="arguments of a command, without a shell, that must exit with 0"
    )
    cwd: AbsolutePath | None = Field(None, description="command: folder to run in")
    failing: Annotated[list[ExitStatus], Field(min_length=1, max_length=20)] | None = Field(
        None, description="command: statuses that mean failure ([1, 2]); all others prove nothing"
    )
    inconclusive: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None,
        description="command: a text that, printed at status 0, says that it judged nothing",
    )


class SoundShape(Shape):
    """Something is whole, and by whom it should be."""

    manifest: AbsolutePath | None = Field(
        None, description="a file as `sha256sum` writes it; fails when its folder differs"
    )
    extra: Literal["breach", "ignore"] | None = Field(
        None, description="manifest: files that it does not name; they fail it when left out"
    )
    attestation: FileOrAddress | None = Field(
        None, description="absolute path or http(s) address of a signed attestation"
    )
    signers: Annotated[list[SignerKey], Field(min_length=1, max_length=16)] | None = Field(
        None, description="attestation: Ed25519 public keys that are trusted, in hex, in quotes"
    )
    max_age: Duration | None = Field(
        None, description="attestation: by its own time, older than this fails"
    )
    min_collateralization: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        None, description="attestation: a lower ratio than this fails"
    )
