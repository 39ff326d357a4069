"""The references say what the code does."""

from pathlib import Path

import pytest

from watchdog.cli import reference
from watchdog.cli.commands import PLACES
from watchdog.settings import Settings

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", ["settings", "commands"])
def test_the_reference_is_current(name: str) -> None:
    now = {"settings": reference.settings, "commands": reference.commands}[name]()
    remedy = f"run: python -m watchdog.cli.reference {name} > docs/{name}.md"
    assert (DOCS / f"{name}.md").read_text() == now, remedy


def test_every_setting_and_every_command_is_in_them() -> None:
    settings, commands = reference.settings(), reference.commands()
    assert [name for name in Settings.model_fields if f"| `{name}` |" not in settings] == []
    assert [name for name in PLACES if f"## `slo-watchdog {name}" not in commands] == []
    assert all(field.description for field in Settings.model_fields.values())
