"""Actions that deploy a version again, from their shapes: laws of what versions may enter."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from watchdog.core.filling_in import Lacking, asked_for, filled
from watchdog.core.releases import (
    VERSION,
    DeployRelease,
    FieldOf,
    LineOf,
    PrintedBy,
    Stated,
    Telling,
    back,
    facts_of,
)
from watchdog.core.spec import ActionSpec, Check, Command, HttpCall, Step
from watchdog.policy.canon import sha256
from watchdog.policy.expressions import Spot, check_expectation, check_jmespath
from watchdog.policy.http import endpoint
from watchdog.policy.problem import Entry, Findings, Path
from watchdog.policy.releases_models import (
    AskedShape,
    DeployableShape,
    DeployShape,
    PresentShape,
    ReleaseActionShape,
    ReleaseAnchorShape,
)
from watchdog.policy.scalars import shown
from watchdog.policy.shape import shape_of
from watchdog.policy.steps import checks_of, command_of, way_of

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}?")
_KNOWN = frozenset({"${anchor.version}", "${present.version}"})
_ONE = facts_of("", "1", "2")
"""Some version in each place, to check what is made of it; a number is right in any quotes."""


def release_action(entry: Entry, findings: Findings) -> ActionSpec | None:
    """The action, or None with what is wrong with it among the findings."""
    shape = shape_of(ReleaseActionShape, entry, findings)
    if shape is None:
        return None
    _check_places(entry, findings)
    target = f"release:{shape.release}"
    present = _telling(entry, "present", shape.present, findings)
    anchor = _telling(entry, "anchor", shape.anchor, findings)
    deployable = _deployable(entry, shape.deployable, findings)
    do = _deploying(entry, "do", shape.do, "${anchor.version}", findings)
    undo = _deploying(entry, "undo", shape.undo, "${present.version}", findings)
    contained = checks_of(entry, "contained_when", shape.contained_when, findings)
    if not contained:
        findings.advise(
            entry.key,
            f"{entry.name} has no contained_when",
            "Without it only a healthy rule can prove that the rollback helped.",
        )
    _check_read_back(entry, shape, findings)
    if present is None or anchor is None or deployable is None or do is None:
        return None
    forth = DeployRelease(do, target, present, anchor, deployable, shape.do.idempotent)
    way_back = back(forth)
    if shape.undo is not None and undo is not None:
        way_back = replace(way_back, by=undo, idempotent=shape.undo.idempotent)
    served = shape.read_back
    spec = ActionSpec(
        name=entry.name,
        target=target,
        read_back=endpoint(entry, ("read_back",), served.get, served.headers, served.ca, findings),
        do=Step(forth, served.expect),
        undo=Step(way_back, served.expect),
        contained_when=contained,
        resume_when=checks_of(entry, "resume_when", shape.resume_when, findings),
        deadline_seconds=shape.deadline,
        sla_seconds=shape.sla or shape.deadline,
        drilled_within_seconds=shape.drilled_within,
        host=shape.host,
        sha256="",
        anchor_margin_seconds=shape.anchor.margin,
    )
    return replace(spec, sha256=sha256(spec, frozenset({"sha256"})))


# -- how versions are told -------------------------------------------------------------------------


def _telling(
    entry: Entry, key: str, shape: PresentShape | ReleaseAnchorShape, findings: Findings
) -> Telling | None:
    version = shape.version if isinstance(shape, ReleaseAnchorShape) else None
    since = shape.released_at if isinstance(shape, ReleaseAnchorShape) else None
    ways = {"get": shape.get, "run": shape.run, "file": shape.file, "version": version}
    kind = _one_of(entry, key, ways, findings)
    if kind is None:
        return None
    belonging = {"value": shape.value, "released_at": since}
    _check_belonging(entry, key, shape, kind, belonging, findings)
    if shape.get is not None and kind == "get":
        if shape.value is None:
            findings.refuse(
                entry.key_at(key, "get"),
                f"{key}.get does not say where in the document the version stands",
                "Add its JMESPath, like `value: build`.",
            )
            return None
        for word, path in belonging.items():
            if path is not None:
                check_jmespath(Spot(entry, (key, word), path), findings)
        asked = endpoint(entry, (key,), shape.get, shape.headers, shape.ca, findings)
        return FieldOf(asked, shape.value, since)
    if shape.run is not None:
        return PrintedBy(command_of(entry, (key, "run"), shape.run, shape, findings))
    return LineOf(shape.file) if shape.file is not None else Stated(version or "")


def _deployable(entry: Entry, shape: DeployableShape, findings: Findings) -> Command | Check | None:
    kind = _one_of(entry, "deployable", {"run": shape.run, "get": shape.get}, findings)
    if kind is None:
        return None
    _check_belonging(entry, "deployable", shape, kind, {"expect": shape.expect}, findings)
    if shape.run is not None and kind == "run":
        _check_named(entry, ("deployable", "run"), shape.run, "${anchor.version}", findings)
        return command_of(entry, ("deployable", "run"), shape.run, shape, findings)
    if shape.expect is None:
        findings.refuse(
            entry.key_at("deployable", "get"),
            "deployable.get does not say what must be true of its answer",
            "Add it, like expect: \"state == 'available'\".",
        )
        return None
    address, expect = shape.get or "", shape.expect
    _check_named(entry, ("deployable", "get"), [address, expect], "${anchor.version}", findings)
    _check_filled(entry, ("deployable", "expect"), expect, findings)
    here = ("deployable",)
    return Check(endpoint(entry, here, address, shape.headers, shape.ca, findings), expect)


def _deploying(
    entry: Entry, key: str, shape: DeployShape | None, version: str, findings: Findings
) -> Command | HttpCall | None:
    made = way_of(entry, key, shape, findings) if shape is not None else None
    if isinstance(made, Command):
        _check_named(entry, (key, "run"), made.argv, version, findings)
    elif made is not None:
        _check_named(entry, (key, "call"), [made.endpoint.url, made.body or ""], version, findings)
        if made.body is not None and _in_keys(json.loads(made.body)):
            findings.refuse(
                entry.key_at(key, "call", "json"), "a version as a key", "Write it as a value."
            )
    return made


def _in_keys(body: object) -> bool:
    if isinstance(body, dict):
        return any(_PLACEHOLDER.search(name) or _in_keys(one) for name, one in body.items())
    return isinstance(body, list) and any(_in_keys(one) for one in body)


def _one_of(
    entry: Entry, key: str, ways: Mapping[str, object | None], findings: Findings
) -> str | None:
    given = [word for word, value in ways.items() if value is not None]
    if len(given) != 1:
        findings.refuse(
            entry.key_at(key, given[1]) if given else entry.key_at(key),
            f"{key} is {' and '.join(given) or 'of no kind'}",
            f"Write exactly one of {', '.join(list(ways)[:-1])} and {list(ways)[-1]}.",
        )
        return None
    return given[0]


def _check_belonging(
    entry: Entry,
    key: str,
    shape: AskedShape,
    kind: str,
    of_get: Mapping[str, object | None],
    findings: Findings,
) -> None:
    """Words that mean something beside another kind only."""
    written = {"cwd": shape.cwd, "env": shape.env, "headers": shape.headers, "ca": shape.ca}
    for word, value in (*written.items(), *of_get.items()):
        whose = "run" if word in {"cwd", "env"} else "get"
        if value and kind != whose:
            findings.refuse(
                entry.key_at(key, word), f"`{word}` is for {whose}, not {kind}", "Remove it."
            )


# -- where versions may stand ----------------------------------------------------------------------


def _check_places(entry: Entry, findings: Findings) -> None:
    """A version stands in arguments, in paths of addresses, in bodies and in expectations."""
    for path, text in _texts(entry):
        for found in _PLACEHOLDER.findall(text):
            where = _not_here(path, text, found)
            if found not in _KNOWN:
                findings.refuse(
                    entry.at(*path),
                    f"{shown(found)} is nothing that is known of a release",
                    "Write ${anchor.version}, or ${present.version} for what runs until then.",
                )
            elif where:
                findings.refuse(
                    entry.at(*path),
                    f"{found} {where}",
                    "It may stand in arguments, in the path or query of an address, in a body, "
                    "and in `expect`.",
                )


def _texts(entry: Entry) -> Iterator[tuple[Path, str]]:
    waiting: list[tuple[Path, object]] = [((), entry.node.plain())]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*path, str(key)), one) for key, one in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), one) for index, one in enumerate(value)]
        elif isinstance(value, str):
            yield path, value


def _not_here(path: Path, text: str, found: str) -> str:
    """Why a version has no business there; "" where it may stand."""
    match path:
        case ("do" | "undo" | "deployable", "run", 0):
            return "would choose the program that is run"
        case ("do" | "undo" | "deployable", "run", _) | ("do" | "undo", "call", "json", *_):
            return ""
        case ("deployable", "get") | ("do" | "undo", "call", "url"):
            parts = urlsplit(text)
            in_path = found in parts.path or found in parts.query
            outside = found in parts.netloc or found in parts.scheme
            return "" if in_path and not outside else "would choose the host that is asked"
        case ("deployable" | "read_back", "expect"):
            return ""
    return "is not filled in here"


def _check_named(
    entry: Entry, path: Path, texts: list[str] | tuple[str, ...], version: str, findings: Findings
) -> None:
    if not any(version in text for text in texts):
        findings.refuse(
            entry.key_at(*path),
            f"{'.'.join(map(str, path))} does not say which version: {version} is nowhere in it",
            f"Pass {version} on, so that the version that was proven is the one that is meant.",
        )


def _check_read_back(entry: Entry, shape: ReleaseActionShape, findings: Findings) -> None:
    path: Path = ("read_back", "expect")
    if VERSION not in asked_for(shape.read_back.expect):
        findings.refuse(
            entry.at(*path),
            "the read-back would show the same before and after",
            "Let it name what is served then: \"build == '${anchor.version}'\".",
        )
    _check_filled(entry, path, shape.read_back.expect, findings)
    calls = [step.call.url for step in (shape.do, shape.undo) if step and step.call is not None]
    if shape.read_back.get in calls:
        findings.advise(
            entry.at("read_back", "get"),
            f"{entry.name} is read back at the very address that deploys it",
            "Ask the service itself: what a deployer says of itself is no proof.",
        )


def _check_filled(entry: Entry, path: Path, text: str, findings: Findings) -> None:
    made = filled(text, _ONE)
    if not isinstance(made, Lacking):
        check_expectation(Spot(entry, path, made), findings)
