"""The command `restore`: what approvers and root do with a system restore that was asked for.

Nothing here is trusted by the helper: it reads the request and the signatures by itself.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from watchdog.cli.exits import NOT_SO, WRONG_USAGE
from watchdog.cli.restore_page import told
from watchdog.cli.shared import AsJson, Yes, confirm, errors, fail, show
from watchdog.restore.places import Places
from watchdog.restore.plan import NAMESPACE, Plan, is_id, read_plan
from watchdog.restore.refused import Refused, shown
from watchdog.restore.state import ask
from watchdog.restore.trust import open_folder

DEFAULT = Places()
_UNIT = "slo-watchdog-restore@{}.service"
_SIGNING_SECONDS = 300  # a person may have to touch a key
_MOST_BYTES = 1 << 20


class Deed(StrEnum):
    SHOW = "show"
    SIGN = "sign"
    STATUS = "status"
    RESUME = "resume"
    UNDO = "undo"


def restore(
    deed: Annotated[Deed, typer.Argument(help="`show`, `sign`, `status`, `resume` or `undo`.")],
    request: Annotated[
        str,
        typer.Argument(
            help="The request's id, or a copy of its `request.json`. Left out, `show` lists them."
        ),
    ] = "",
    key: Annotated[
        Path | None, typer.Option(help="For `sign`: your SSH key; the public part of an agent's.")
    ] = None,
    signature: Annotated[
        Path | None, typer.Option(help="For `sign`: a signature made elsewhere, to be handed in.")
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
    requests: Annotated[
        Path, typer.Option(help="The daemon's folder of requests.")
    ] = DEFAULT.requests,
    restores: Annotated[
        Path, typer.Option(help="Root's folder of restores; the helper's own.")
    ] = DEFAULT.state,
) -> None:
    """See, approve, follow, resume or undo one system restore. `show` says what would run, against
    what, and what would be lost; `sign` makes the approval, on any machine, with a copy of the
    request; `resume` and `undo` are root's.
    """
    places = replace(DEFAULT, requests=requests, state=restores)
    try:
        if deed is Deed.SHOW and not request:
            _list(places, as_json=as_json)
        elif deed is Deed.SHOW:
            document, text = told(_plan(request, places), places, time.time())
            show(document, as_json=as_json, text=text)
        elif deed is Deed.SIGN:
            _sign(_plan(request, places), places, key, signature, yes=yes)
        elif deed is Deed.STATUS:
            _status(_id(request), places, as_json=as_json)
        else:
            _as_root(_id(request), deed, places, yes=yes)
    except Refused as refused:
        fail(f"{request}: {refused}", NOT_SO)


def _list(places: Places, *, as_json: bool) -> None:
    """What lies in the daemon's folder and has not expired."""
    now, none = time.time(), "No request waits here."
    try:
        names = sorted(one.name for one in places.requests.iterdir() if is_id(one.name))
    except FileNotFoundError:
        gone = f"{places.requests} does not exist"
        if places.requests != DEFAULT.requests:
            fail(f"{gone}. Name the daemon's folder of requests, or leave --requests out", NOT_SO)
        names, none = [], f"{none} {gone}: nothing was ever asked for on this host."
    except OSError as error:
        fail(f"{places.requests} cannot be read: {error.strerror}", NOT_SO)
    plans = [_plan(name, places) for name in names]
    waiting = [plan for plan in plans if plan.expires_at > now]
    lines = [
        f"{plan.id}  {plan.act}  {shown(plan.decision)}  asked by {shown(plan.requester)}, "
        f"expires in {plan.expires_at - now:.0f} s"
        for plan in waiting
    ]
    text = "\n".join(lines) or none
    show([json.loads(plan.text) for plan in waiting], as_json=as_json, text=text)


def _id(request: str) -> str:
    if not is_id(request):
        fail(f"{request} is no id: 32 hexadecimal digits, as the page says", WRONG_USAGE)
    return request


def _plan(request: str, places: Places) -> Plan:
    file = places.requests / request / "request.json" if is_id(request) else Path(request)
    if not file.is_file():
        fail(f"{file} is no file. Is the id right, and may you read there?", NOT_SO)
    with file.open("rb") as opened:
        return read_plan(opened.read(_MOST_BYTES))


def _sign(
    plan: Plan, places: Places, key: Path | None, signature: Path | None, *, yes: bool
) -> None:
    if (key is None) == (signature is None):
        fail("Name your --key, or a --signature that was made with it elsewhere", WRONG_USAGE)
    if signature is not None:
        with signature.open("rb") as opened:
            made = opened.read(_MOST_BYTES)
    else:
        assert key is not None  # noqa: S101  # exactly one of them is given
        if not yes:
            confirm(told(plan, places, time.time())[1], plan.id)
        made = _made(plan, key)
    name = f"{hashlib.sha256(made).hexdigest()[:16]}.sig"
    try:
        _hand_in(places.requests, plan.id, name, made)
    except OSError:
        # Another machine, or not ours to write: the signature goes where it is sent on from.
        sys.stdout.write(made.decode("utf-8", "replace"))
        errors.print(f"Hand it in: slo-watchdog restore sign {plan.id} --signature FILE")
    else:
        errors.print(f"Handed in as {name}. It counts when the helper has verified it.")


def _hand_in(requests: Path, request: str, name: str, made: bytes) -> None:
    """Write into the daemon's folder, following no link: we may be root, and it may be hostile."""
    with ExitStack() as stack:

        def within(folder: Path | str, above: int | None) -> int:
            handle = open_folder(folder, above)
            stack.callback(os.close, handle)
            return handle

        above = within(request, within(requests, None))
        owner = os.fstat(above)
        try:
            os.mkdir("approvals", 0o700, dir_fd=above)
        except FileExistsError:
            folder = within("approvals", above)
        else:
            folder = within("approvals", above)
            os.fchown(folder, owner.st_uid, owner.st_gid)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            file = os.open(name, flags, 0o600, dir_fd=folder)
        except FileExistsError:
            os.utime(name, dir_fd=folder, follow_symlinks=False)  # said once more
            return
        with os.fdopen(file, "wb") as opened:
            opened.write(made)
            os.fchown(file, owner.st_uid, owner.st_gid)


def _made(plan: Plan, key: Path) -> bytes:
    argv = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)]
    try:
        ended = subprocess.run(  # noqa: S603  # no shell, and a key that the user named
            argv, input=plan.text.encode(), stdout=subprocess.PIPE, check=False,
            timeout=_SIGNING_SECONDS,
        )  # fmt: skip
    except FileNotFoundError:
        fail("ssh-keygen is not on this machine (Debian: openssh-client)", NOT_SO)
    except subprocess.TimeoutExpired:
        fail(f"ssh-keygen did not sign within {_SIGNING_SECONDS} s", NOT_SO)
    if ended.returncode != 0:
        fail(f"{' '.join(argv)} ended with {ended.returncode}", NOT_SO)
    return ended.stdout


def _status(name: str, places: Places, *, as_json: bool) -> None:
    """The newest of what the helper says: how it ended, why it refused, or how far it is."""
    files = {
        "ended": places.of(name) / "result.json",
        "refused": places.state / "refused" / f"{name}.json",
        "progress": places.of(name) / "progress.json",
    }
    found: dict[str, Any] = {}
    for what, file in files.items():
        if file.is_file():
            found[what] = json.loads(file.read_bytes())
    if not found:
        fail(f"The helper has said nothing of {name}: it was not started yet", NOT_SO)
    newest = max(found, key=lambda what: float(found[what]["at"]))
    show({"state": newest, **found}, as_json=as_json, text=_SENTENCES[newest](found[newest]))


def _ended(document: dict[str, Any]) -> str:
    seconds = ", ".join(f"{step} {took:.1f} s" for step, took in document["seconds"].items())
    lines = [
        f"{document['outcome']}" + (f": {document['reason']}" if document["reason"] else ""),
        f"approved by {', '.join(document['people'])}",
        f"units started again: {', '.join(document['units']) or 'none'}",
        f"steps: {seconds}",
    ]
    if document["outcome"] in {"done", "unverified", "stuck"} and document["saved"]:
        lines.append(f"undo: slo-watchdog restore undo {document['id']}   (from what was saved)")
    return "\n".join(lines)


def _progress(document: dict[str, Any]) -> str:
    of = f": {document['done']} of {document['total']}" if document["total"] else ""
    return f"{document['step']}{of}, {time.time() - document['at']:.0f} s ago"


_SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "ended": _ended,
    "refused": lambda document: f"refused: {document['reason']}",
    "progress": _progress,
}


def _as_root(name: str, deed: Deed, places: Places, *, yes: bool) -> None:
    if os.geteuid() != 0:
        fail(f"`restore {deed}` is root's: it needs no new approval", NOT_SO)
    text = "It goes on where it was interrupted." if deed is Deed.RESUME else (
        "What that restore overwrote is put back, what it added is removed, and what was written "
        "to these files since is lost."
    )  # fmt: skip
    if not yes:
        confirm(text, name)
    ask(places, name, str(deed))
    unit = _UNIT.format(name)
    argv = ["systemctl", "start", "--no-block", unit]
    ended = subprocess.run(argv, check=False, timeout=60)  # noqa: S603  # root's own; an id of hex
    if ended.returncode != 0:
        fail(f"{unit} could not be started; it will do so at its next start", NOT_SO)
    errors.print(f"Begun. Follow it: slo-watchdog restore status {name}")
