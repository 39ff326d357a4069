"""A daemon's home: settings, rules and a journal of its own."""

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from watchdog.daemon import init
from watchdog.settings import Settings, load_settings

RULES = Path(__file__).resolve().parents[2] / "rules"


class Home:
    """One folder with everything that a daemon needs; sources that nobody serves."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rules = folder / "rules"
        self.state = folder / "state"
        self.socket = folder / "control.sock"
        self.file = folder / "watchdog.toml"
        self.changes: dict[str, Any] = {}
        for shipped in RULES.rglob("*.yaml"):
            copy = self.rules / shipped.relative_to(RULES)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(shipped, copy)

    def settings(self) -> Settings:
        values = {
            "environment": "sandbox",
            "rules_dir": str(self.rules),
            "state_dir": str(self.state),
            "control_socket": str(self.socket),
            "listen": "127.0.0.1:0",
            "time_sync": "ignore",
            "root_is_person": True,
            "log_format": "json",
            "variables": {"app": "http://127.0.0.1:9"},
            **self.changes,
        }
        lines = [f"{key} = {_toml(value)}" for key, value in values.items()]
        self.file.write_text("\n".join(lines) + "\n")
        return load_settings(self.file)

    def with_journal(self) -> None:
        init(self.settings())


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {json.dumps(one)}" for key, one in value.items()) + "}"
    return json.dumps(value)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Logging is left as it was before."""
    for name in list(os.environ):
        if name.upper().startswith(("WATCHDOG_", "NOTIFY_", "CREDENTIALS_")):
            monkeypatch.delenv(name)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield Home(tmp_path)
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


@pytest.fixture
def journal(home: Home) -> Callable[[], Path]:
    return lambda: home.state / "journal.db"
