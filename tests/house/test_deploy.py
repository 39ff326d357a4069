"""What the install script puts on a host fits the program that will read it."""

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
