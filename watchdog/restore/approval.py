"""Who has approved: SSH signatures over the plan's text, verified against root's own file.

One signature is one person: the principal of its key in the allowed signers. A key that stands
there for several people, or for a pattern of them, proves nobody. Two keys of one person are one
person. The requester's own signature does not count, whether written `ada` or `ada@example.org`.
"""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from watchdog.restore.child import run
from watchdog.restore.places import Places
from watchdog.restore.plan import NAMESPACE, Plan
from watchdog.restore.refused import Refused, shown
from watchdog.restore.trust import open_folder, read_anybodys, why_not_roots

_MOST_SIGNATURES = 32
_SECONDS = 20.0
_KEYGEN = "/usr/bin/ssh-keygen"
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]{0,99}", re.ASCII)
REVOKED = "revoked_signers"


@dataclass(frozen=True, slots=True)
class Approvals:
    """People in the order of their names, and why other signatures do not count."""

    people: tuple[str, ...]
    not_counted: tuple[str, ...]

    def missing(self, needed: int) -> str:
        """Why these do not suffice; empty where they do."""
        if len(self.people) >= needed:
            return ""
        given = f"{len(self.people)} of {needed} approvals"
        named = f" ({', '.join(self.people)})" if self.people else ""
        return "; ".join((f"{given}{named}", *self.not_counted))


def approvals_of(plan: Plan, folder: int, places: Places) -> Approvals:
    """The people whose signatures lie in the `approvals` of an open request folder.

    Raises Refused where root's file is not root's.
    """
    reason = why_not_roots(places.signers)
    if reason:
        raise Refused(reason)
    people: set[str] = set()
    not_counted: list[str] = []
    for name, signature in _signatures(folder):
        try:
            person = _person(plan, signature, places)
        except Refused as refused:
            not_counted.append(f"{shown(name)}: {refused}")
            continue
        if _same(person, plan.requester):
            not_counted.append(f"{shown(name)}: {person} asked for it and cannot approve it")
        else:
            people.add(person)
    return Approvals(tuple(sorted(people)), tuple(not_counted))


def _signatures(folder: int) -> list[tuple[str, bytes]]:
    try:
        handle = open_folder("approvals", folder)
    except OSError:
        return []
    try:
        names = sorted(name for name in os.listdir(handle) if name.endswith(".sig"))  # noqa: PTH208  # a handle
        return [(name, read_anybodys(name, handle)) for name in names[:_MOST_SIGNATURES]]
    finally:
        os.close(handle)


def _same(person: str, requester: str) -> bool:
    return person.partition("@")[0].casefold() == requester.partition("@")[0].casefold()


def _person(plan: Plan, signature: bytes, places: Places) -> str:
    with tempfile.TemporaryDirectory(prefix="slo-watchdog-restore-") as folder:
        file = Path(folder, "signature")
        file.write_bytes(signature)  # a copy of our own, that nobody changes between two looks
        signers = ("-f", str(places.signers), "-n", NAMESPACE, "-s", str(file))
        text = plan.text.encode()
        find = (_KEYGEN, "-Y", "find-principals", *signers)
        found = run(find, stdin=text, seconds=_SECONDS)
        if found.status != 0:
            raise Refused(f"its key is not among the allowed signers ({found.said})")
        names = found.output.split("\n")[0].split(",") if found.output.count("\n") == 1 else []
        if len(names) != 1 or not _PERSON.fullmatch(names[0]):
            raise Refused(f"its key stands for no one person: {shown(found.output.strip())}")
        revoked = places.etc / REVOKED
        more = ("-r", str(revoked)) if revoked.exists() else ()
        if more and (reason := why_not_roots(revoked)):
            raise Refused(reason)
        verify = (_KEYGEN, "-Y", "verify", *signers, "-I", names[0], *more)
        verified = run(verify, stdin=text, seconds=_SECONDS)
        if verified.status != 0:
            raise Refused(f"it is no signature of {names[0]} over this request ({verified.said})")
        return names[0]
