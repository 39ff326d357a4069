"""The words that only probes are written with: addresses of doors, keys, counts of looks."""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Field

from watchdog.policy.scalars import absolute, address, matching, refused, shown

MOST_LOOKS = 60
_OF = re.compile(r"(\d{1,3}) of (\d{1,3})\Z", re.ASCII)
_DOOR = re.compile(
    r"(?P<host>\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252})):(?P<port>\d{1,5})\Z",
    re.ASCII,
)


class Count(NamedTuple):
    """So many failures of so many looks."""

    fails: int
    looks: int


class Door(NamedTuple):
    """A host, without the brackets of an IPv6 address, and a port."""

    host: str
    port: int


def count(value: Any) -> Count:
    how = "Write it like 3 of 5."
    match = _OF.match(value) if isinstance(value, str) else None
    if match is None:
        raise refused(f"{shown(value)} is no count of looks", how)
    found = Count(int(match[1]), int(match[2]))
    if not 1 <= found.fails <= found.looks <= MOST_LOOKS:
        raise refused(
            f"{shown(value)} can never be counted",
            f"Both are at least 1 and at most {MOST_LOOKS}, and the first is not the larger.",
        )
    return found


def door(value: Any) -> Door:
    match = _DOOR.match(value) if isinstance(value, str) else None
    if match is None or not 1 <= int(match["port"]) <= 65535:
        raise refused(f"{shown(value)} is no HOST:PORT", "Write it like db.example:5432.")
    return Door(match["host"].strip("[]"), int(match["port"]))


def file_or_address(value: str) -> str:
    return absolute(value) if not value.startswith(("http:", "https:")) else address(value)


KofN = Annotated[Any, BeforeValidator(count, json_schema_input_type=str)]
HostPort = Annotated[Any, BeforeValidator(door, json_schema_input_type=str)]
FileOrAddress = Annotated[str, AfterValidator(file_or_address)]
SignerKey = Annotated[
    str,
    matching(
        r"[0-9a-fA-F]{64}", "Ed25519 public key", "Write its 32 bytes as 64 hex digits, in quotes."
    ),
]
Argument = Annotated[
    str, matching(r"[^\x00]{1,4096}", "argument", "It may be neither empty nor hold a zero byte.")
]
ExitStatus = Annotated[int, Field(ge=1, le=125)]
