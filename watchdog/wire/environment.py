"""What a command sees of this machine: a cleared environment, and the tools found through it.

The daemon's own environment holds credentials and settings. A command gets a fixed PATH, a
fixed LANG and the variables that its action names, nothing else. Preflight looks for tools with
the same PATH, so that "found" means found by the command that will run at 03:00.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

SANE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SANE_LANG = "C.UTF-8"


_HARMLESS = frozenset(
    {"HOME", "HOSTNAME", "LANG", "LANGUAGE", "LOGNAME", "NODE_ENV", "PATH", "PWD", "SHELL"}
    | {"TERM", "TMPDIR", "TZ", "USER", "XDG_RUNTIME_DIR"}
)
"""Variables whose values may be shown. Of all others the values are taken for secrets."""


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables for one command; `missing` are those named but not set here."""

    variables: Mapping[str, str]
    missing: tuple[str, ...] = ()


def default_environment() -> dict[str, str]:
    return {"PATH": SANE_PATH, "LANG": SANE_LANG}


def cleared_environment(named: Sequence[str], ours: Mapping[str, str]) -> Environment:
    """PATH and LANG, and of `ours` what is named (PATH and LANG too, if they are)."""
    variables = default_environment() | {name: ours[name] for name in named if name in ours}
    return Environment(variables, tuple(name for name in named if name not in ours))


def secrets_in(environment: Environment) -> frozenset[str]:
    """What is to be hidden in whatever a command of this environment prints."""
    return frozenset(
        value
        for name, value in environment.variables.items()
        if name not in _HARMLESS and not name.startswith("LC_")
    )


def find_program(program: str, *, path: str, cwd: str | None) -> str | None:
    """The file that would be executed for `program`, or None. Follows execvp(3).

    A name with a slash is relative to the command's folder, and so is a relative PATH entry.
    """
    base = cwd or os.curdir
    if "/" in program:
        candidates = [os.path.join(base, program)]  # noqa: PTH118  # "./x" must stay "./x"
    else:
        candidates = [
            os.path.join(base, folder, program)  # noqa: PTH118  # as above
            for folder in path.split(os.pathsep)
        ]
    return next((file for file in candidates if _is_executable(file)), None)


def missing_interpreter(file: str, *, path: str, cwd: str | None) -> str | None:
    """The interpreter that a script's first line names, if it is not there; else None.

    Without it the kernel answers "no such file" about a file that plainly exists, and
    `/usr/bin/env node` exits 127 only once it is called.
    """
    try:
        with open(file, "rb") as script:  # noqa: PTH123  # as find_program gave it
            first = script.readline(256)
    except OSError:
        return None  # may be executed without being readable
    if not first.startswith(b"#!"):
        return None
    words = first[2:].decode("utf-8", "replace").split()
    if not words:
        return None
    if find_program(words[0], path=path, cwd=cwd) is None:
        return words[0]
    if os.path.basename(words[0]) != "env":  # noqa: PTH119  # only its last part is wanted
        return None
    tool = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), None)
    return tool if tool and find_program(tool, path=path, cwd=cwd) is None else None


def _is_executable(file: str) -> bool:
    try:
        mode = os.stat(file).st_mode  # noqa: PTH116  # as find_program gave it
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) and os.access(file, os.X_OK)
