"""The references of settings and commands, written from the code that reads them.

    python -m watchdog.cli.reference settings > docs/settings.md
    python -m watchdog.cli.reference commands > docs/commands.md

Tests say when they are old.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic_core import PydanticUndefined

from watchdog.cli import exits
from watchdog.cli.commands import PLACES, command
from watchdog.settings import DEFAULT_FILE, PREFIX, Settings

_SETTINGS = f"""\
# The process settings

<!-- Written from the code: `python -m watchdog.cli.reference settings > docs/settings.md`. -->

What differs from machine to machine, and never what a rule means. They stand in `{DEFAULT_FILE}` \
(TOML; `--config` names another file) and in environment variables, which win: `max_mode` is \
`{PREFIX}MAX_MODE`, a list is written as JSON, and `app` in `variables` is `{PREFIX}VARIABLES__APP`.

A relative path in the file is taken from the folder in which the file lies, wherever the process \
is started. In a variable it is refused, since a variable lies nowhere: write the whole path.

A misspelt key or variable, a wrong type or an impossible value is refused at the start, all of \
them at once, each with its place.

| key | left out | |
|---|---|---|
"""

_COMMANDS = """\
# The commands

<!-- Written from the code: `python -m watchdog.cli.reference commands > docs/commands.md`. -->

Every command that changes something first shows what it would do, then asks for the name of what \
it changes, or takes `--yes`. Who gave an order is the uid at the other end of the control socket. \
Nothing is answered with a traceback.

| exit status | |
|---|---|
"""

_STATUS = {
    0: "as it should be",
    exits.NOT_SO: "not so: errors in rules, an outcome that was not reached, a daemon that could "
    "not start, a story that failed",
    exits.WRONG_USAGE: "wrong usage",
    exits.NO_DAEMON: "the daemon does not answer, or not so that it is understood",
    exits.REFUSED: "the daemon refuses the order, or nothing has the name that was given: no such "
    "episode, rule, decision or target",
    exits.NOT_CONFIRMED: "not confirmed, so nothing was changed",
}


def settings() -> str:
    """docs/settings.md."""
    return _SETTINGS + "".join(
        f"| `{name}` | {_default(field)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )


def _default(field: Any) -> str:
    if field.is_required():
        return "refused"
    if field.default is PydanticUndefined:
        return {"host": "this machine's name", "variables": "none"}[_name_of(field)]
    value = field.default
    if isinstance(value, Enum):
        value = value.name.lower()
    if value is None or value == ():
        return "none"
    return f"`{json.dumps(str(value) if isinstance(value, Path) else value)}`"


def _name_of(field: Any) -> str:
    return next(name for name, one in Settings.model_fields.items() if one is field)


def commands() -> str:
    """docs/commands.md."""
    table = "".join(f"| {status} | {meaning} |\n" for status, meaning in _STATUS.items())
    parts = [line for name in PLACES for line in _command(command(name))]
    return _COMMANDS + table + "\n" + "\n".join(parts).rstrip() + "\n"


def _command(one: Any) -> Iterator[str]:
    arguments = [param for param in one.params if param.param_type_name == "argument"]
    options = [param for param in one.params if param.param_type_name == "option"]
    usage = [one.name, *(_metavar(a) + "..." * (a.nargs == -1) for a in arguments)]
    yield f"## `slo-watchdog {' '.join(usage)}`\n"
    yield inspect.cleandoc(one.help or "") + "\n"
    rows = [*map(_argument, arguments), *map(_option, options)]
    if rows:
        yield "| | | |\n|---|---|---|"
        yield from rows
        yield ""


def _metavar(argument: Any) -> str:
    return str(argument.metavar)


def _argument(one: Any) -> str:
    required = "required" if one.required else ""
    return f"| `{_metavar(one)}` | {required} | {one.help or ''} |"


def _option(one: Any) -> str:
    names = ", ".join(f"`{name}`" for name in (*one.opts, *one.secondary_opts))
    takes = one.type_descriptor.annotation
    if isinstance(takes, type) and issubclass(takes, Enum):
        names += " " + " or ".join(f"`{choice.value}`" for choice in takes)
    default = "" if one.default in {None, "", False} or callable(one.default) else str(one.default)
    left_out = "required" if one.required else f"`{default}`" if default else ""
    variable = f" Also `{one.envvar}`." if one.envvar else ""
    return f"| {names} | {left_out} | {one.help or ''}{variable} |"


if __name__ == "__main__":
    sys.stdout.write({"settings": settings, "commands": commands}[sys.argv[1]]())
