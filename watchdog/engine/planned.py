"""What an action would do, in plain words and plain data: for `plan`, and for who approves it.

Reads only. Credentials are named, never shown.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

from watchdog.core.book import Book
from watchdog.core.filling_in import PRESENT, Lacking, filled
from watchdog.core.releases import (
    VERSION,
    DeployRelease,
    FieldOf,
    LineOf,
    PrintedBy,
    Stated,
    Telling,
    proof_of,
    way_of,
)
from watchdog.core.spec import ActionSpec, Check, Command, Endpoint, How, HttpCall, Step
from watchdog.core.text import duration
from watchdog.core.trees import Facts, RestoreSystem, SwapTree
from watchdog.core.words import Instant
from watchdog.engine.verdict_view import utc

View = dict[str, Any]


def action_view(action: ActionSpec, book: Book, now: Instant) -> View:
    """Everything that would be run or called, and what it rests on."""
    found = book.readiness.get(action.name)
    facts = _facts(action, book)
    return {
        "name": action.name,
        "target": action.target,
        "host": action.host,
        "sha256": action.sha256,
        "do": step_view(action.do, facts),
        "verify": [how_view(one) for one in action.verify],
        "publish": how_view(action.publish.command) | {"idempotent": action.publish.idempotent}
        if action.publish is not None
        else None,
        "undo": step_view(action.undo, facts, back=True) if action.undo is not None else None,
        "read_back": _asked(action.read_back),
        "contained_when": [_check(one) for one in action.contained_when],
        "resume_when": [_check(one) for one in action.resume_when],
        "ready_when": [_check(one) for one in action.ready_when],
        "deadline_seconds": action.deadline_seconds,
        "sla_seconds": action.sla_seconds,
        "ready": found[0].value if found else "unknown",
        "ready_reason": found[1] if found else "no preflight has run yet",
        "anchor": anchor_view(action, book, now),
        "loses": loses(action, book),
    }


def step_view(step: Step, facts: Facts = (), *, back: bool = False) -> View:
    """`back` for the way back, whose text speaks of what is restored as of what stands now."""
    shown = filled(step.expect, facts, back=back)
    expect = step.expect if isinstance(shown, Lacking) else shown
    return how_view(step.how, facts) | {"expect": expect}


def how_view(how: How, facts: Facts = ()) -> View:
    """With `facts`, what is put in by them is shown in its place."""
    match how:
        case DeployRelease():
            return _deploy_view(how, facts)
        case Command():
            return {"how": "run", "argv": list(how.argv), "cwd": how.cwd, "env": list(how.env)}
        case HttpCall():
            return {"how": "call", "method": how.method, "body": how.body} | _asked(how.endpoint)
        case SwapTree():
            return {
                "how": "swap",
                "current": how.current,
                "previous": how.previous,
                "mutable": list(how.mutable),
                "keep_backups": how.keep_backups,
                "displaced": how.displaced,
            }
        case RestoreSystem():
            return {
                "how": "restore",
                "archive": how.archive,
                "root": how.root,
                "services": list(how.services),
                "verify": [list(one) for one in how.verify],
                "undo": how.undo,
            }


def _deploy_view(how: DeployRelease, facts: Facts) -> View:
    way, proof = way_of(how, facts), proof_of(how, facts)
    proof = how.deployable if isinstance(proof, Lacking) else proof
    return {
        "how": "deploy",
        "by": how_view(how.by if isinstance(way, Lacking) else way),
        "deployable": how_view(proof) if isinstance(proof, Command) else _check(proof),
        "present": told_telling(how.present),
        "anchor": told_telling(how.anchor),
        "idempotent": how.idempotent,
        "displaced": how.displaced,
    }


def told_telling(how: Telling) -> str:
    """Where a version is told."""
    match how:
        case FieldOf(endpoint, value):
            return f"{value} of {endpoint.url}"
        case PrintedBy(command):
            return told_how(command)
        case LineOf(path):
            return path
        case Stated(text):
            return text


def _facts(action: ActionSpec, book: Book) -> Facts:
    found = book.anchors.now.get(action.name)
    return found.facts if found is not None else ()


def _asked(endpoint: Endpoint) -> View:
    headers = [
        f"{one.name}: {one.value}{f'<{one.secret}>' if one.secret else ''}"
        for one in endpoint.headers
    ]
    given = {"given": endpoint.given} if endpoint.given else {}
    return {"url": endpoint.url, "headers": headers} | given


def _check(check: Check) -> View:
    return {"url": check.endpoint.url, "expect": check.expect}


def anchor_view(action: ActionSpec, book: Book, now: Instant) -> View | None:
    """What it would restore, as its last preflight proved it; None where it restores nothing or
    nothing is proven.
    """
    found = book.anchors.now.get(action.name)
    if found is None:
        return None
    known_by = book.anchors.known_by(found)
    bad = book.anchors.bad.get(found.digest)
    return {
        "digest": found.digest,
        "known_by": _utc(known_by),
        "age_seconds": max(0.0, now.wall - known_by),
        "written_at": _utc(found.written_at),
        "margin_seconds": action.anchor_margin_seconds,
        "facts": dict(found.facts),
        "quarantined_by": bad.episode if bad is not None else None,
    }


def loses(action: ActionSpec, book: Book) -> str:
    """What was written since and would be gone, as far as it is known; "" where nothing would."""
    how, anchor = action.do.how, book.anchors.now.get(action.name)
    since = f"since {_utc(anchor.written_at)}" if anchor is not None else "since then"
    match how:
        case SwapTree():
            stays = f", but for {', '.join(how.mutable)}" if how.mutable else ""
            return (
                f"what was written into {how.current} {since} is served no more{stays}; the whole "
                f"folder is kept beside it as a backup ({how.keep_backups} are kept)"
            )
        case RestoreSystem():
            return (
                f"what was written {since} into the files of the archive is overwritten below "
                f"{how.root}; all of it is saved before, so that the restore can be undone"
            )
        case DeployRelease():
            known = dict(_facts(action, book))
            now = known.get(PRESENT + VERSION, "the version that runs now")
            return f"what {now} does, and {known.get(VERSION, 'the one before it')} does not"
        case Command() | HttpCall():
            return ""


def told_plan(action: ActionSpec, book: Book, now: Instant) -> Iterator[str]:
    """The plan in a few lines, for who is about to say yes."""
    does = told_how(action.do.how, _facts(action, book))
    yield f"on {'any host' if action.host == 'any' else action.host}: {does}"
    for command in action.verify:
        yield f"then verified by: {told_how(command)}"
    if action.publish is not None:
        yield f"then published by: {told_how(action.publish.command)}"
    anchor = anchor_view(action, book, now)
    if anchor is not None:
        age = duration(round(anchor["age_seconds"]))
        yield f"it restores {anchor['digest'][:12]}, known for {age} ({anchor['known_by']})"
    lost = loses(action, book)
    if lost:
        yield f"LOST: {lost}"


def told_how(how: How, facts: Facts = ()) -> str:
    """One line, as it could be typed or read aloud."""
    match how:
        case DeployRelease():
            way = way_of(how, facts)
            return told_how(how.by if isinstance(way, Lacking) else way)
        case Command():
            inside = f" (in {how.cwd})" if how.cwd else ""
            return shlex.join(how.argv) + inside
        case HttpCall():
            body = f" {how.body}" if how.body is not None else ""
            return f"{how.method} {how.endpoint.url}{body}"
        case SwapTree():
            return f"puts a copy of {how.previous} in the place of {how.current}, at once"
        case RestoreSystem():
            services = ", ".join(how.services)
            return f"stops {services}, puts {how.archive} back over {how.root}, starts them again"


def _utc(wall: float) -> str:
    return utc(Instant(wall, 0.0))
