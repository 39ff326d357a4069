"""The real package on a host: installed, upgraded and downgraded in mid-breach, removed, purged."""

import logging
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.systemd.container import Container, ContainerError
from tests.systemd.host import REPOSITORY, install
from tests.systemd.test_daemon import (
    SETTINGS,
    UNIT,
    has_held,
    status,
    status_when,
    watch_a_queue,
)
from tests.systemd.test_install import digests

pytestmark = [pytest.mark.sim, pytest.mark.timeout(1800)]

KEPT = ("/etc/slo-watchdog", "/var/lib/slo-watchdog")
BUILT_FROM = (
    *("watchdog", "rules", "systemd", "deploy", "docs", "pyproject.toml", "README.md"),
    *("CHANGELOG.md", "requirements.lock", "requirements-build.lock"),
)


def built(folder: Path, version: str) -> Path:
    """The package of this checkout under another version."""
    checkout = folder / f"checkout-{version}"
    checkout.mkdir()
    for name in BUILT_FROM:
        source = REPOSITORY / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, checkout / name, ignore=ignored)
        else:
            shutil.copy2(source, checkout / name)
    config = checkout / "pyproject.toml"
    text, many = re.subn(r'(?m)^version = ".*"$', f'version = "{version}"', config.read_text())
    assert many == 1
    config.write_text(text)
    made = subprocess.run(
        [checkout / "deploy/deb/build.sh", folder], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return Path(made.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def packages(systemd_container: Container, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Versions 0.1.0 and 0.2.0, as /srv/0.1.0.deb and /srv/0.2.0.deb of the container.

    Where packages of this machine may start no services, those of the container may.
    """
    (systemd_container.root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
    folder = tmp_path_factory.mktemp("packages")
    for version in ("0.1.0", "0.2.0"):
        systemd_container.copy_in(built(folder, version), f"/srv/{version}.deb")


@pytest.fixture
def host(systemd_container: Container, packages: None) -> Iterator[Container]:
    """A host on which 0.1.0 has just been installed; purged afterwards, whatever happened."""
    del packages
    try:
        dpkg(systemd_container, "--install", "/srv/0.1.0.deb")
        yield systemd_container
    finally:
        systemd_container.systemctl("stop", "exporter.service", check=False)
        dpkg(systemd_container, "--purge", "slo-watchdog")
        systemd_container.run("userdel", "slo-watchdog", check=False)


def dpkg(host: Container, *arguments: str) -> str:
    return host.run("dpkg", *arguments, seconds=600).stdout


def gap(host: Container) -> float:
    """For how long nobody watched at the newest start, as the daemon has recorded it."""
    found: list[str] = re.findall(r'"down_seconds": ([\d.]+)', host.journal(UNIT))
    return float(found[-1])


@pytest.mark.usefixtures("checked_out")
def test_it_is_installed_enabled_and_starts_nothing(host: Container) -> None:
    assert host.show(UNIT, "UnitFileState") == "enabled"
    assert host.show(UNIT, "ActiveState") == "inactive"
    assert host.run("dpkg", "--verify", "slo-watchdog").stdout == ""
    verified = host.run("systemd-analyze", "verify", UNIT)
    assert verified.stdout + verified.stderr == ""
    said = host.run("runuser", "-u", "slo-watchdog", "--", "slo-watchdog", "--help").stdout
    assert "Usage: slo-watchdog" in said
    assert host.run("stat", "-c", "%a %U %G", *KEPT, "/etc/slo-watchdog/secrets").stdout == (
        "755 root root\n700 slo-watchdog slo-watchdog\n750 root slo-watchdog\n"
    )
    writable = ("find", "/opt/slo-watchdog", "!", "-type", "l", "-perm", "/022")
    assert host.run(*writable).stdout == ""
    with pytest.raises(ContainerError, match="the package slo-watchdog is installed here"):
        install(host)


def test_a_breach_goes_on_through_an_upgrade_and_a_downgrade(host: Container) -> None:
    watch_a_queue(host)
    host.systemctl("start", UNIT)
    before = status_when(host, has_held(3.0))
    status_when(host, has_held(5.0))  # by now a checkpoint has at least what was seen before
    (episode,) = before["episodes"]
    gaps = {}
    for version in ("0.2.0", "0.1.0"):
        first = host.main_pid(UNIT)
        dpkg(host, "--install", f"/srv/{version}.deb")

        after = status_when(host, has_held(0.001))
        assert after["version"] == version
        assert host.main_pid(UNIT) not in (0, first)
        (continued,) = after["episodes"]
        assert (continued["id"], continued["opened"]) == (episode["id"], episode["opened"])
        assert after["rules"][0]["held_seconds"] >= before["rules"][0]["held_seconds"]
        gaps[version] = gap(host)
        environments = host.run("sh", "-c", "ls -d /opt/slo-watchdog/env-*").stdout.split()
        assert len(environments) == 1, "the one before is gone with its version"
        settings = host.root / "etc/slo-watchdog/watchdog.toml"
        assert settings.read_text() == SETTINGS
        before = after
    # Told by `pytest -rP`: what an upgrade costs on this machine.
    logging.getLogger(__name__).info("seconds without evaluation: %s", gaps)
    assert max(gaps.values()) < 20.0


def test_removing_keeps_what_purging_deletes(host: Container) -> None:
    watch_a_queue(host)
    host.systemctl("start", UNIT)
    (episode,) = status_when(host, has_held(3.0))["episodes"]
    host.write("/etc/slo-watchdog/secrets/flag-api-token", "hush\n", 0o640)

    dpkg(host, "--remove", "slo-watchdog")

    assert status(host) == {}
    assert host.show(UNIT, "ActiveState") == "inactive"
    kept = digests(host, *KEPT)
    assert "journal.db" in kept
    assert "flag-api-token" in kept
    for gone in ("opt/slo-watchdog", "usr/bin/slo-watchdog"):
        assert not (host.root / gone).exists(), gone

    dpkg(host, "--install", "/srv/0.1.0.deb")
    assert "journal.db" in digests(host, *KEPT)
    assert host.show(UNIT, "UnitFileState") == "enabled"
    host.systemctl("start", UNIT)
    (again,) = status_when(host, has_held(0.001))["episodes"]
    assert again["id"] == episode["id"]

    dpkg(host, "--purge", "slo-watchdog")

    for gone in (*KEPT, "/var/lib/slo-watchdog-restore", "/opt/slo-watchdog", "/run/slo-watchdog"):
        assert not (host.root / gone.lstrip("/")).exists(), gone
    left = host.run("find", "/etc", "/usr", "/var/lib", "-name", "*slo-watchdog*").stdout
    assert left == ""
    assert host.show(UNIT, "LoadState") == "not-found"
    assert host.run("getent", "passwd", "slo-watchdog").returncode == 0, "its files elsewhere stay"


def test_it_is_not_installed_over_what_the_script_installed(
    systemd_container: Container, packages: None
) -> None:
    del packages
    unit = "/usr/local/lib/systemd/system/slo-watchdog.service"
    systemd_container.write(unit, "[Service]\nExecStart=/bin/true\n")
    try:
        refused = systemd_container.run("dpkg", "--install", "/srv/0.1.0.deb", check=False)
        assert refused.returncode != 0
        assert "deploy/install.sh --uninstall" in refused.stderr
    finally:
        systemd_container.run("rm", unit)
        systemd_container.run("dpkg", "--purge", "slo-watchdog", check=False)
