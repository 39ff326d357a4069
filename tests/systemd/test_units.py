"""The unit files as they stand in the repository: known to systemd, and closed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parents[2] / "systemd"
SERVICE = UNITS / "slo-watchdog.service"


@pytest.fixture(autouse=True)
def _analyzer() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze (Debian: systemd, comes with systemd-container)")


def setting(name: str) -> str:
    """The value of a directive that stands once in the service's unit file."""
    (value,) = re.findall(rf"^{name}=(.*)$", SERVICE.read_text(), flags=re.MULTILINE)
    return str(value)


@pytest.mark.parametrize("unit", sorted(UNITS.glob("*.service")), ids=lambda unit: str(unit.name))
def test_verify_prints_nothing_at_all(unit: Path) -> None:
    verified = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60
    )
    assert verified.stdout + verified.stderr == ""
    assert verified.returncode == 0


def test_exposure_is_at_most_one_point_four() -> None:
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=14", SERVICE],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert judged.returncode == 0, judged.stdout
    assert "Overall exposure level" in judged.stdout


def test_the_start_limit_can_be_reached_so_that_the_page_fires() -> None:
    one_death = sum(int(setting(name)) for name in ("WatchdogSec", "TimeoutAbortSec", "RestartSec"))
    assert int(setting("StartLimitBurst")) * one_death < int(setting("StartLimitIntervalSec"))
    assert setting("OnFailure") == "slo-watchdog-page@%n.service"


def test_what_would_break_us_is_left_out() -> None:
    text = SERVICE.read_text()
    for directive in ("PrivateUsers", "MemoryDenyWriteExecute", "DynamicUser"):
        assert not re.search(rf"^{directive}=", text, flags=re.MULTILINE)


def test_every_directive_is_explained() -> None:
    """A comment stands above each run of directives, and no run is long enough to lose it."""
    run = 0
    for line in SERVICE.read_text().splitlines():
        if not line or line.startswith(("#", "[")):
            run = 0
        else:
            run += 1
            assert run <= 6, f"a comment is missing above {line!r}"
