"""The real process under strace: killed, or told that the disk fails, at one system call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.actions.tree.site import PYTHON
from tests.real_parts.server import program


def under_strace(*arguments: str) -> Sequence[str]:
    """What runs the process that swaps; strace stands beside it, not between it and us."""
    return (program("strace", "strace"), "-D", "-f", "-qq", *arguments, *PYTHON, "-S")


def failing(call: str, error: str, when: str = "1+") -> Sequence[str]:
    return injected({call: f"error={error}:when={when}"})


def killed(call: str, number: int) -> Sequence[str]:
    return injected({call: f"signal=KILL:when={number}"})


def injected(what: Mapping[str, str]) -> Sequence[str]:
    """By system calls, the words of strace for what befalls them; for none no strace at all."""
    if not what:
        return *PYTHON, "-S"
    told = [word for call, fate in what.items() for word in ("-e", f"inject={call}:{fate}")]
    return under_strace("-o", "/dev/null", "-e", f"trace={','.join(what)}", *told)


def traced(calls: Sequence[str], into: Path) -> Sequence[str]:
    return under_strace("-o", str(into), "-e", f"trace={','.join(calls)}")
