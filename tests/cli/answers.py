"""A command's answer to whatever it is given: a sentence, in time, that leaves a terminal alone."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

from typer.testing import CliRunner

from watchdog.cli import app

CPU_SECONDS = 1.5
"""Of a command in this process. The program's own start comes on top, half a second of it."""

PLACE = re.compile(r"\S:\d+:\d+: \S")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_RUNNER = CliRunner()


def answered(words: Sequence[str]) -> tuple[int, str]:
    """The command's status and all that it printed; an exception in it fails the test."""
    began = time.process_time()
    ended = _RUNNER.invoke(app, list(words), env={"NO_COLOR": "1", "COLUMNS": "200"})
    spent = time.process_time() - began
    said = ended.stdout + ended.stderr
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    assert ended.exit_code in {0, 1, 2, 3, 4, 5}, said
    assert not ended.exit_code or said.strip(), "it says why"
    assert spent < CPU_SECONDS, f"{spent:.1f} s"
    assert not _CONTROL.search(said), said
    assert len(said) < 100_000
    return ended.exit_code, said
