"""What an action's steps are written with: a command or a call, and the checks around them."""

from __future__ import annotations

import json
from typing import Protocol

from watchdog.core.spec import Check, Command, HttpCall, Step
from watchdog.policy.expressions import Spot, check_expectation
from watchdog.policy.http import endpoint, served
from watchdog.policy.platform_models import CallShape, CheckShape, StepShape
from watchdog.policy.problem import Entry, Findings, Path
from watchdog.policy.scalars import shown


class Runs(Protocol):
    """What a model has that runs a command."""

    @property
    def cwd(self) -> str | None: ...
    @property
    def env(self) -> list[str]: ...


class Acts(Runs, Protocol):
    """What a model has that runs a command or makes a call."""

    @property
    def run(self) -> list[str] | None: ...
    @property
    def call(self) -> CallShape | None: ...


def step_of(entry: Entry, key: str, shape: StepShape, findings: Findings) -> Step | None:
    check_expectation(Spot(entry, (key, "expect"), shape.expect), findings)
    way = way_of(entry, key, shape, findings)
    return Step(way, shape.expect) if way is not None else None


def way_of(entry: Entry, key: str, shape: Acts, findings: Findings) -> Command | HttpCall | None:
    """Exactly one of a command and a call."""
    if (shape.run is None) == (shape.call is None):
        findings.refuse(
            entry.key_at(key),
            f"{entry.name}.{key} has {'both `run` and `call`' if shape.run else 'no way to act'}",
            "Write exactly one of run: [COMMAND, ARGUMENT] and call: {method, url}.",
        )
        return None
    if shape.run is not None:
        return command_of(entry, (key, "run"), shape.run, shape, findings)
    for word in ("cwd", "env"):
        if getattr(shape, word):
            findings.refuse(entry.key_at(key, word), f"`{word}` is for run, not call", "Remove it.")
    call = shape.call
    if call is None:
        return None
    where = (key, "call")
    headers = endpoint(entry, where, call.url, call.headers, call.ca, findings)
    body = None
    if "json_" in call.model_fields_set:  # an explicit null is a body too
        body = json.dumps(call.json_, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return HttpCall(call.method, headers, body)


def command_of(
    entry: Entry, path: Path, argv: list[str], shape: Runs, findings: Findings
) -> Command:
    """An argument list; what looks like a shell line is refused."""
    if "/" in argv[0] and not argv[0].startswith("/"):
        findings.refuse(
            entry.at(*path, 0),
            f"{shown(argv[0])} depends on the folder it is run in",
            "Write the program's whole path, or its bare name.",
        )
    if len(argv) == 1 and " " in argv[0]:
        findings.refuse(
            entry.at(*path, 0),
            f"{shown(argv[0])} looks like a shell line, and there is no shell",
            "Write each argument by itself: [mycelia-launchctl, pause, redemption].",
        )
    return Command(tuple(argv), shape.cwd, tuple(sorted(set(shape.env))))


def checks_of(
    entry: Entry, key: str, shapes: list[CheckShape], findings: Findings
) -> tuple[Check, ...]:
    made = []
    for index, shape in enumerate(shapes):
        here: Path = (key, index)
        check_expectation(Spot(entry, (*here, "expect"), shape.expect), findings)
        made.append(Check(served(entry, here, shape, findings), shape.expect))
    return tuple(made)
