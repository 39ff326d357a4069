"""The install script on a host: twice in a row without harm, and off again."""

from pathlib import Path

import pytest

from tests.systemd.container import Container
from tests.systemd.host import install

pytestmark = pytest.mark.timeout(600)

REPOSITORY = Path(__file__).parents[2]
UNIT = "slo-watchdog.service"


def digests(host: Container, *folders: str) -> str:
    """Every file below some folders, with its content's digest."""
    return host.run(
        "sh", "-c", f"find {' '.join(folders)} -type f -exec sha256sum {{}} + | sort -k 2"
    ).stdout


def test_the_installed_units_please_systemd(installed: Container) -> None:
    for unit in (UNIT, "slo-watchdog-page@.service"):
        verified = installed.run("systemd-analyze", "verify", unit)
        assert verified.stdout + verified.stderr == ""
    assert installed.show(UNIT, "UnitFileState") == "enabled"
    assert installed.show(UNIT, "LoadState") == "loaded"


def test_the_program_runs_for_its_user_and_nobody_else_may_write_it(installed: Container) -> None:
    said = installed.run("runuser", "-u", "slo-watchdog", "--", "slo-watchdog", "--help").stdout
    assert "Usage: slo-watchdog" in said
    writable = installed.run(
        "find", "/opt/slo-watchdog", "!", "-type", "l", "(", "!", "-user", "root", "-o", "-perm",
        "/022", ")",
    )  # fmt: skip
    assert writable.stdout == ""
    state = installed.run("stat", "-c", "%a %U %G", "/var/lib/slo-watchdog").stdout
    assert state == "700 slo-watchdog slo-watchdog\n"
    secrets = installed.run("stat", "-c", "%a %U %G", "/etc/slo-watchdog/secrets").stdout
    assert secrets == "750 root slo-watchdog\n"


def test_a_second_run_changes_nothing(installed: Container) -> None:
    folders = ("/opt/slo-watchdog", "/etc/slo-watchdog", "/var/lib/slo-watchdog")
    before = digests(installed, *folders)
    said = install(installed)
    assert digests(installed, *folders) == before
    assert "program is up to date" in said
    assert "journal in /var/lib/slo-watchdog kept" in said


def test_what_the_operator_edited_or_deleted_stays_so(installed: Container) -> None:
    settings = "/etc/slo-watchdog/watchdog.toml"
    edited = 'environment = "staging"\nmax_mode = "observe"\n'
    installed.write(settings, edited)
    rule = min((installed.root / "etc/slo-watchdog/rules").rglob("*.yaml"))
    rule.unlink()

    said = install(installed)

    assert (installed.root / settings.lstrip("/")).read_text() == edited
    offered = (installed.root / f"{settings.lstrip('/')}.new").read_text()
    assert offered == (REPOSITORY / "deploy/watchdog.toml").read_text()
    assert f"{settings} differs from ours and stays" in said
    assert not rule.exists()
    assert "was deleted here; left so" in said


def test_a_lost_journal_is_not_silently_begun_anew(installed: Container) -> None:
    installed.run("sh", "-c", "rm -rf /var/lib/slo-watchdog/* /var/lib/slo-watchdog/.[!.]*")
    said = install(installed)
    assert "the journal in /var/lib/slo-watchdog is gone" in said
    assert list((installed.root / "var/lib/slo-watchdog").iterdir()) == []


def test_uninstalling_keeps_the_record_and_purging_leaves_nothing(installed: Container) -> None:
    kept = ("/etc/slo-watchdog", "/var/lib/slo-watchdog")
    before = digests(installed, *kept)

    install(installed, "--uninstall")

    assert digests(installed, *kept) == before
    for gone in ("opt/slo-watchdog", "usr/local/bin/slo-watchdog"):
        assert not (installed.root / gone).exists()
    assert installed.show(UNIT, "LoadState") == "not-found"

    install(installed, "--uninstall", "--purge")

    for folder in kept:
        assert not (installed.root / folder.lstrip("/")).exists()
    assert installed.run("getent", "passwd", "slo-watchdog", check=False).returncode == 2
