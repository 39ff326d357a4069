"""Implements `ports.Signing`: requests for a system restore, and the signatures that come back.

What is good here is for people to see and for the daemon to know when to begin. The privileged
helper trusts none of it: it verifies every signature by itself, against the file that root owns.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from watchdog.actions.restore_anchors import RestorePlaces
from watchdog.actions.restore_request import Asking, is_id, write_request
from watchdog.core.approvals import ApprovalAsked
from watchdog.core.trees import RestoreSystem
from watchdog.ports import Signature, Signing
from watchdog.wire.environment import default_environment
from watchdog.wire.files import NotPlainError, plain_file, read_all
from watchdog.wire.process import Exited, run

NAMESPACE = "slo-watchdog-restore"
"""What signatures must be made for; the helper's own word, and a test holds the two together."""

_MOST_SIGNATURES = 32
_MOST_BYTES = 64 * 1024
_SECONDS = 10.0


def open_signing() -> Signing:
    """The folders that the privileged helper looks at."""
    return RequestFolder()


class RequestFolder:
    def __init__(self, places: RestorePlaces | None = None) -> None:
        self._places = places or RestorePlaces()

    async def ask(
        self, request: str, asked: ApprovalAsked, how: RestoreSystem, archive: str, host: str
    ) -> str:
        if not is_id(request):
            return f"{request} is no request's id"
        asking = Asking(
            host=host,
            decision=f"{asked.decision} of {asked.episode}, plan {asked.plan}",
            requester=asked.requester or f"rule:{asked.episode}",
            approvals=asked.needed,
            expires_at=int(asked.expires.wall),
        )
        where = self._places.requests
        try:
            await asyncio.to_thread(
                write_request, where, request, how, asked.anchor, archive, asking
            )
        except OSError as error:
            return f"{where}: {error.strerror or error}"
        return ""

    async def signed(self, request: str) -> tuple[Signature, ...]:
        folder = self._places.requests / request
        found = await asyncio.to_thread(lambda: tuple(_proofs(folder / "approvals")))
        signatures = []
        for name, proof in found:
            person = await self._person(folder / "request.json", folder / "approvals" / name)
            if person:
                signatures.append(Signature(person.partition("@")[0], proof))
        return tuple(signatures)

    async def _person(self, text: Path, signature: Path) -> str:
        """Whose it is, if it is one person's and good; "" where it is not."""
        signers = ("-f", str(self._places.etc / "allowed_signers"), "-s", str(signature))
        found = await self._keygen("find-principals", *signers, "-n", NAMESPACE, stdin=text)
        names = [line for line in found.split("\n") if line]
        if len(names) != 1 or "," in names[0]:
            return ""
        revoked = self._places.etc / "revoked_signers"
        more = ("-r", str(revoked)) if revoked.exists() else ()
        who = ("-I", names[0], "-n", NAMESPACE, *more)
        return names[0] if await self._keygen("verify", *signers, *who, stdin=text) else ""

    async def _keygen(self, verb: str, *arguments: str, stdin: Path) -> str:
        """What it printed; "" where it did not end well."""
        try:
            with plain_file(str(stdin)) as text:
                ended = await run(
                    ("ssh-keygen", "-Y", verb, *arguments),
                    deadline_seconds=_SECONDS,
                    cwd="/",
                    env=default_environment(),
                    max_bytes=_MOST_BYTES,
                    stdin=text,
                )
        except (OSError, NotPlainError):
            return ""
        good = isinstance(ended, Exited) and ended.status == 0
        return ended.stdout.text if good and isinstance(ended, Exited) else ""


def _proofs(folder: Path) -> Iterator[tuple[str, str]]:
    """The files of signatures that lie there, each with its digest."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".sig"))  # noqa: PTH208  # names are all that is wanted
    except OSError:
        return
    for name in names[:_MOST_SIGNATURES]:
        try:
            with plain_file(str(folder / name)) as file:
                content = read_all(file, _MOST_BYTES)
        except (OSError, NotPlainError):
            continue
        if content is not None:
            yield name, hashlib.sha256(content).hexdigest()
