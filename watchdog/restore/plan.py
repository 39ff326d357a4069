"""What people sign: one text that says everything, and of which there is only one form.

The request file *is* that text. It is read, written anew, and must come out the same to the byte:
so nothing can stand in it that was signed and is not followed, or the other way round.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

from watchdog.restore.refused import Refused

NAMESPACE = "slo-watchdog-restore"
"""What the signatures are for (`ssh-keygen -Y sign -n`); one made for anything else is refused."""

_ID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST_CHARACTERS = 1000
_MOST_ITEMS = 50


@dataclass(frozen=True, slots=True)
class Plan:
    """One request. `act` is "restore", or "undo" of the restore `of`."""

    version: int
    id: str
    act: str
    of: str
    archive: str
    sha256: str
    root: str
    services: tuple[str, ...]
    verify: tuple[tuple[str, ...], ...]
    verify_in: str
    host: str
    decision: str
    requester: str
    approvals: int
    expires_at: int  # seconds since the epoch
    nonce: str

    @property
    def text(self) -> str:
        """The canonical text: what is signed."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def is_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def read_plan(content: bytes) -> Plan:
    """The plan of a request file. Raises Refused where it is anything but its canonical text."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise Refused("the request is no JSON") from None
    names = {field.name for field in fields(Plan)}
    if not isinstance(found, dict) or set(found) != names:
        raise Refused(f"the request must have exactly these fields: {', '.join(sorted(names))}")
    plan = Plan(
        **{
            **found,
            "services": _texts(found["services"], "services"),
            "verify": tuple(_texts(one, "verify") for one in _list(found["verify"], "verify")),
        }
    )
    _check(plan)
    if plan.text.encode() != content:
        raise Refused("the request is not in its canonical form")
    return plan


def _check(plan: Plan) -> None:
    for name in ("archive", "root", "verify_in", "host", "decision", "requester"):
        _text(getattr(plan, name), name)
    for name in ("version", "approvals", "expires_at"):
        if type(getattr(plan, name)) is not int:
            raise Refused(f"{name} must be a whole number")
    if plan.version != 1:
        raise Refused(f"version {plan.version} of requests is not known")
    if plan.act not in {"restore", "undo"}:
        raise Refused("act must be restore or undo")
    for name, form in (("id", _ID), ("nonce", _ID), ("sha256", _DIGEST)):
        value = getattr(plan, name)
        if not isinstance(value, str) or not form.fullmatch(value):
            raise Refused(f"{name} has not its form")
    _check_paths(plan)


def _check_paths(plan: Plan) -> None:
    if not isinstance(plan.of, str) or is_id(plan.of) != (plan.act == "undo"):
        raise Refused("of must name a restore for an undo, and be empty for a restore")
    for name in ("archive", "root", "verify_in"):
        path = getattr(plan, name)
        if not path.startswith("/") or ".." in path.split("/"):
            raise Refused(f"{name} must be an absolute path")
    if any(not one for one in plan.verify):
        raise Refused("a verify command is empty")


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_CHARACTERS:
        raise Refused(f"{name} must be a text of at most {_MOST_CHARACTERS} characters")
    if not value.isprintable():
        raise Refused(f"{name} holds characters that cannot be printed")
    return value


def _texts(value: Any, name: str) -> tuple[str, ...]:
    return tuple(_text(one, name) for one in _list(value, name))


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise Refused(f"{name} must be a list of at most {_MOST_ITEMS}")
    return value
