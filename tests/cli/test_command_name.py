"""What the demo tells people to type can be typed."""

import sys

import pytest

from tests.cli.conftest import PROGRAM
from watchdog.cli.demo import command_name


@pytest.mark.parametrize(
    ("path", "name"), [("/nowhere", str(PROGRAM)), (str(PROGRAM.parent), "slo-watchdog")]
)
def test_a_command_that_no_path_leads_to_is_named_by_its_place(
    monkeypatch: pytest.MonkeyPatch, path: str, name: str
) -> None:
    monkeypatch.setattr(sys, "argv", [str(PROGRAM), "demo"])
    monkeypatch.setenv("PATH", path)
    assert command_name() == name


def test_a_module_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/some/where/watchdog/__main__.py", "demo"])
    assert command_name() == "slo-watchdog"
