"""PyPI's `watchdog` would overwrite our package without a word: the check that keeps it out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY

CHECK = REPOSITORY / "deploy" / "check_environment.py"
LOCKS = sorted(REPOSITORY.glob("requirements*.lock"))


def check(*locks: Path, also_installed: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the check in this environment, with a folder of installed packages more."""
    return subprocess.run(
        [sys.executable, CHECK, *locks],
        env={**os.environ, "PYTHONPATH": str(also_installed or "")},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def installed(folder: Path, name: str, file: str) -> Path:
    """A folder into which a distribution was installed that brings one file."""
    metadata = folder / f"{name}-6.0.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 6.0.0\n")
    (metadata / "RECORD").write_text(f"{file},,\n")
    return folder


def test_this_environment_and_its_lock_files_are_clean() -> None:
    assert len(LOCKS) == 3
    result = check(*LOCKS)
    assert result.stderr == ""
    assert result.returncode == 0


@pytest.mark.parametrize("name", ["watchdog", "Watchdog"])
def test_the_other_watchdog_in_the_environment_is_refused(tmp_path: Path, name: str) -> None:
    result = check(also_installed=installed(tmp_path, name, "watchdog/events.py"))
    assert result.returncode == 1
    assert "'watchdog' 6.0.0 is installed" in result.stderr


def test_a_fork_that_writes_into_our_package_is_refused(tmp_path: Path) -> None:
    result = check(also_installed=installed(tmp_path, "watchdog_gevent", "watchdog/events.py"))
    assert result.returncode == 1
    assert "'watchdog-gevent' 6.0.0 installs files into the package 'watchdog'" in result.stderr


def test_a_neighbour_that_only_sounds_alike_is_welcome(tmp_path: Path) -> None:
    result = check(also_installed=installed(tmp_path, "watchdog_tools", "watchdog_tools/a.py"))
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("line", ["watchdog==6.0.0 \\", "Watchdog[watchmedo]==6.0.0", "watchdog"])
def test_a_lock_file_that_would_install_it_is_refused(tmp_path: Path, line: str) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"httpx==0.28.1\n{line}\n")
    result = check(lock)
    assert result.returncode == 1
    assert f"{lock}:2: locks PyPI's 'watchdog'" in result.stderr


def test_a_lock_file_with_hashes_for_everything_else_is_welcome(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("watchdog-tools==1.0 \\\n    --hash=sha256:00\nslo-watchdog==0.1.0\n")
    assert check(lock).returncode == 0
