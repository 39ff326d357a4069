"""The rules as the stage's daemon will load them, told as `check` tells them where it could not."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

from watchdog.demo.stage import ENVIRONMENT, StageFailed
from watchdog.policy import Load, load_folder
from watchdog.policy.check import Report
from watchdog.sandbox.handle import Sandbox


def staged(settings: Path) -> Load:
    """By the settings that the stage wrote."""
    given = tomllib.loads(settings.read_text(encoding="utf-8"))
    return load_folder(given["rules_dir"], ENVIRONMENT, variables=given["variables"])


def must_load(rules: Path) -> Callable[[Path, Sandbox], None]:
    """To be done before the daemon starts: raises StageFailed with all that is wrong in `rules`,
    of which it gets a copy.
    """

    def look(settings: Path, _sandbox: Sandbox) -> None:
        report = Report(str(rules), {ENVIRONMENT: staged(settings)})
        if not report.ok:
            raise StageFailed(
                f"{report.text()}\nNothing was begun. Mend that, and try it: "
                f"slo-watchdog check {rules} --environment {ENVIRONMENT}"
            )

    return look
