"""Looks for the tools of actions on this host, as the commands themselves would find them.

Reads the file system and nothing else. Whoever runs this has another PATH than the daemon may
have; what was looked for is told, so that the difference shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from watchdog.core.naming import family_of
from watchdog.core.probes import CommandProbe
from watchdog.core.releases import DeployRelease, PrintedBy
from watchdog.core.spec import ActionSpec, Command, How, Policy
from watchdog.core.trees import RestoreSystem
from watchdog.policy.lint.here import Unfound
from watchdog.policy.verification import KEY as VERIFICATION
from watchdog.wire.environment import cleared_environment, find_program, missing_interpreter


def unfound(policy: Policy, host: str, ours: Mapping[str, str]) -> tuple[Unfound, ...]:
    """Of the actions that `host` executes. `ours` is the environment that is let through."""
    found = {
        Unfound(family_of(action.name), words, looked_for): None
        for action in policy.actions.values()
        if action.host in {"any", host}
        for words, command in _commands(action)
        for looked_for in _missing(command, ours)
    }
    for name, checks in policy.verification.items():
        if policy.actions[name].host in {"any", host}:
            for check in checks:
                if isinstance(check.how, CommandProbe):
                    words = (VERIFICATION, check.name)
                    for looked_for in _missing(check.how.command, ours):
                        found[Unfound(family_of(name), words, looked_for)] = None
    return tuple(found)


def _commands(action: ActionSpec) -> Iterator[tuple[tuple[str | int, ...], Command]]:
    """Each with the words under which it is written. A system's are run by root's helper."""
    for word, step in action.written_steps:
        yield from (((at,), command) for at, command in _run_by(word, step.how))
    if not isinstance(action.do.how, RestoreSystem):
        yield from ((("verify", n), command) for n, command in enumerate(action.verify))
    if action.publish is not None:
        yield ("publish",), action.publish.command


def _run_by(word: str, how: How) -> Iterator[tuple[str, Command]]:
    match how:
        case Command():
            yield word, how
        case DeployRelease(by=by, displaced=displaced):
            if isinstance(by, Command):
                yield word, by
            if displaced:
                return  # what is asked is written once
            for key, telling in (("present", how.present), ("anchor", how.anchor)):
                if isinstance(telling, PrintedBy):
                    yield key, telling.command
            if isinstance(how.deployable, Command):
                yield "deployable", how.deployable
        case _:
            pass


def _missing(how: Command, ours: Mapping[str, str]) -> Iterator[str]:
    path = cleared_environment(how.env, ours).variables["PATH"]
    program = how.argv[0]
    file = find_program(program, path=path, cwd=how.cwd)
    if file is None:
        where = f" in {how.cwd or 'the present folder'}" if "/" in program else f" on PATH {path}"
        yield f"no executable {program}{'' if program.startswith('/') else where}"
        return
    interpreter = missing_interpreter(file, path=path, cwd=how.cwd)
    if interpreter is not None:
        yield f"{file} needs {interpreter}, which is not on PATH {path}"
