"""What root allows, whoever approves: /etc/slo-watchdog/restore.toml.

approvals = 2                                   # at least so many people, whatever a request says
roots = ["/"]
archives = ["/srv/backups/system-backup-*.tar.gz"]   # a pattern in the last part alone
services = ["mycelia-*"]
verify_user = "mycelia"                         # as whom verify commands run
host = "mainnet-1"                              # left out: the system's host name
most_gigabytes = 500                            # unpacked; more is refused
"""

from __future__ import annotations

import pwd
import socket
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from watchdog.restore.plan import Plan
from watchdog.restore.refused import Refused, shown
from watchdog.restore.trust import read_roots

_KEYS = {
    "approvals": int,
    "roots": list,
    "archives": list,
    "services": list,
    "verify_user": str,
    "host": str,
    "most_gigabytes": int,
}


@dataclass(frozen=True, slots=True)
class Rules:
    approvals: int
    roots: tuple[str, ...]
    archives: tuple[str, ...]
    services: tuple[str, ...]
    verify_user: str
    host: str
    most_bytes: int

    def refusal(self, plan: Plan) -> str:
        """Why this plan is not allowed here; empty where it is."""
        folder, _, name = plan.archive.rpartition("/")
        for reason, refused in (
            (f"host is {shown(plan.host)}, and this is {self.host}", plan.host != self.host),
            (f"root {shown(plan.root)} is not allowed", plan.root not in self.roots),
            (
                f"archive {shown(plan.archive)} is not allowed",
                not any(
                    folder == allowed.rpartition("/")[0]
                    and fnmatchcase(name, allowed.rpartition("/")[2])
                    for allowed in self.archives
                ),
            ),
            (
                f"services {shown(', '.join(plan.services))} are not all allowed",
                not set(plan.services) <= set(self.services),
            ),
            ("verify commands want a verify_user", bool(plan.verify) and not self.verify_user),
            (
                f"there is no user {shown(self.verify_user)}, who is named verify_user",
                bool(self.verify_user) and not _is_known(self.verify_user),
            ),
        ):
            if refused:
                return f"{reason} by restore.toml"
        return ""


def _is_known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def read_rules(path: Path) -> Rules:
    """Raises Refused."""
    content = read_roots(path)
    try:
        found = tomllib.loads(content.decode())
    except ValueError as error:
        raise Refused(f"{path}: {shown(str(error))}") from None
    for key, value in found.items():
        if key not in _KEYS or type(value) is not _KEYS[key]:
            raise Refused(f"{path}: {shown(key)} is not known, or of the wrong type")
        if isinstance(value, list) and not all(isinstance(one, str) for one in value):
            raise Refused(f"{path}: {key} must be a list of texts")
    missing = [key for key in ("approvals", "roots", "archives", "services") if key not in found]
    if missing:
        raise Refused(f"{path}: {missing[0]} is missing")
    if found["approvals"] < 1:
        raise Refused(f"{path}: approvals must be at least 1")
    return _rules(found)


def _rules(found: dict[str, Any]) -> Rules:
    return Rules(
        found["approvals"],
        tuple(found["roots"]),
        tuple(found["archives"]),
        tuple(found["services"]),
        found.get("verify_user", ""),
        found.get("host", "") or socket.gethostname(),
        found.get("most_gigabytes", 1000) * 10**9,
    )
