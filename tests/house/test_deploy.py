"""What the install script puts on a host fits the program that will read it."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY
from watchdog.core.words import Mode
from watchdog.settings import load_settings


def test_the_settings_of_a_new_installation_are_understood_and_touch_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("ENVIRONMENT", "MAX_MODE"):
        monkeypatch.delenv(f"WATCHDOG_{name}", raising=False)
    settings = load_settings(REPOSITORY / "deploy" / "watchdog.toml")
    assert settings.max_mode is Mode.SHADOW
    assert settings.time_sync == "required"
    assert not settings.root_is_person


def test_settings_and_unit_agree_on_places() -> None:
    settings = load_settings(REPOSITORY / "deploy" / "watchdog.toml")
    unit = (REPOSITORY / "systemd" / "slo-watchdog.service").read_text().splitlines()
    assert f"StateDirectory={settings.state_dir.relative_to('/var/lib')}" in unit
    assert f"RuntimeDirectory={settings.control_socket.parent.relative_to('/run')}" in unit
    assert f"ConfigurationDirectory={settings.rules_dir.parent.relative_to('/etc')}" in unit


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the wheel is built from, as the build's own configuration names it."""
    config = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    for name in config["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]:
        shutil.copytree(REPOSITORY / name, tmp_path / name)
    for file in ("requirements.lock", "requirements-build.lock", "pyproject.toml", "README.md"):
        shutil.copyfile(REPOSITORY / file, tmp_path / file)
    return tmp_path


def name_by_the_install_script(checkout: Path) -> str:
    """What its own function says of this checkout; by it a second run knows what changed."""
    script = (REPOSITORY / "deploy" / "install.sh").read_text()
    found = re.search(r"^environment_name\(\) \{$.*?^\}$", script, re.MULTILINE | re.DOTALL)
    assert found is not None
    alone = f"set -euo pipefail\nsource=$1\n{found[0]}\nenvironment_name"
    ended = subprocess.run(
        ["bash", "-c", alone, "-", checkout],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout.strip()


@pytest.mark.parametrize("file", ["watchdog/settings.py", "rules/platform.yaml", "README.md"])
def test_a_second_installation_notices_every_change_of_what_is_shipped(
    checkout: Path, file: str
) -> None:
    before = name_by_the_install_script(checkout)
    assert re.fullmatch(r"env-[0-9a-f]{12}", before)
    assert name_by_the_install_script(checkout) == before
    with (checkout / file).open("a") as changed:
        changed.write("# changed\n")
    assert name_by_the_install_script(checkout) != before
