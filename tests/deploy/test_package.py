"""What the Debian package holds and says; the program in it, which takes minutes, is a stand-in.

tests/systemd/test_package.py builds the real one and installs it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.watching import REPOSITORY
from watchdog.restore.places import Places

BUILD = REPOSITORY / "deploy" / "deb" / "build.sh"
INSTALL = REPOSITORY / "deploy" / "install.sh"
SCRIPTS = ("preinst", "postinst", "prerm", "postrm")


@dataclass(frozen=True)
class Package:
    file: Path
    control: dict[str, str]
    root: Path
    """All that it would put below /, and `DEBIAN` with what dpkg is told."""

    def told(self, name: str) -> str:
        return (self.root / "DEBIAN" / name).read_text()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Built as `make deb` does, by who is no matter."""
    folder = tmp_path_factory.mktemp("deb")
    program = folder / "program" / "bin"
    program.mkdir(parents=True)
    (program / "slo-watchdog").write_text("#!/bin/sh\necho a stand-in\n")
    (program / "slo-watchdog").chmod(0o755)
    built = subprocess.run(
        [BUILD, "--version", "1.2.3-4", folder],
        env={**os.environ, "WATCHDOG_ENVIRONMENT": str(program.parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    file = Path(built.stdout.splitlines()[-1])
    subprocess.run(["dpkg-deb", "-R", file, folder / "root"], check=True)
    control = dict(
        line.split(": ", 1)
        for line in (folder / "root/DEBIAN/control").read_text().splitlines()
        if ": " in line and not line.startswith(" ")
    )
    return Package(file, control, folder / "root")


def files(package: Package) -> set[str]:
    found = (path.relative_to(package.root) for path in package.root.rglob("*"))
    return {
        f"/{path}"
        for path in found
        if path.parts[0] != "DEBIAN" and not (package.root / path).is_dir()
    }


def test_it_says_what_it_is_and_needs(package: Package) -> None:
    architecture = package.control["Architecture"]
    assert package.file.name == f"slo-watchdog_1.2.3-4_{architecture}.deb"
    assert package.control["Package"] == "slo-watchdog"
    assert re.search(r"python3 \(>= 3\.(\d+)\), python3 \(<< 3\.\d+\)", package.control["Depends"])
    assert int(package.control["Installed-Size"]) > 100


def test_everything_lies_where_a_packages_files_lie(package: Package) -> None:
    found = files(package)
    for unit in (REPOSITORY / "systemd").glob("*.service"):
        installed = package.root / "usr/lib/systemd/system" / unit.name
        assert installed.read_bytes() == unit.read_bytes()
    program = package.root / "opt/slo-watchdog/current"
    assert re.fullmatch(r"env-[0-9a-f]{12}", str(program.readlink()))
    command = package.root / "usr/bin/slo-watchdog"
    assert str(command.readlink()) == "/opt/slo-watchdog/current/bin/slo-watchdog"
    for file in (
        "/usr/lib/sysusers.d/slo-watchdog.conf",
        "/usr/share/polkit-1/rules.d/50-slo-watchdog-restore.rules",
        "/etc/slo-watchdog/watchdog.toml",
        "/usr/share/doc/slo-watchdog/runbooks/README.md",
        "/usr/share/doc/slo-watchdog/prometheus/slo-watchdog.rules.yaml",
    ):
        assert file in found
    tops = {path.split("/")[1] for path in found}
    assert tops == {"etc", "opt", "usr"}
    assert not [path for path in found if path.startswith("/usr/local/")]
    assert not [path for path in found if path.startswith("/etc/") and "slo-watchdog" not in path]


def test_settings_and_rules_are_the_operators_to_keep(package: Package) -> None:
    ours = {path for path in files(package) if path.startswith("/etc/")}
    assert set(package.told("conffiles").splitlines()) == ours
    shipped = {
        f"/etc/slo-watchdog/rules/{path.relative_to(REPOSITORY / 'rules')}"
        for path in (REPOSITORY / "rules").rglob("*.yaml")
    }
    assert ours == {*shipped, "/etc/slo-watchdog/watchdog.toml"}


def test_every_other_file_can_be_verified(package: Package) -> None:
    lines = (line.split("  ", 1) for line in package.told("md5sums").splitlines())
    sums = {path: told for told, path in lines}
    conffiles = set(package.told("conffiles").splitlines())
    regular = {
        path for path in files(package) if not (package.root / path[1:]).is_symlink()
    } - conffiles
    assert {f"/{path}" for path in sums} == regular
    for path, told in sums.items():
        data = (package.root / path).read_bytes()
        assert hashlib.md5(data, usedforsecurity=False).hexdigest() == told


def test_nothing_in_it_is_anybodys_but_roots(package: Package) -> None:
    raw = subprocess.run(
        ["dpkg-deb", "--fsys-tarfile", package.file], capture_output=True, check=True
    ).stdout
    (package.root.parent / "data.tar").write_bytes(raw)
    with tarfile.open(package.root.parent / "data.tar") as data:
        for member in data:
            assert (member.uid, member.gid) == (0, 0), member.name
            assert member.issym() or not member.mode & 0o022, member.name
            assert not member.mode & 0o7000, member.name


@pytest.mark.parametrize("script", SCRIPTS)
def test_its_scripts_are_the_install_scripts_own_steps(package: Package, script: str) -> None:
    text = package.told(script)
    steps, _, _ = INSTALL.read_text().partition("# -- what is run ")
    last = (REPOSITORY / "deploy" / "deb" / script).read_text()
    assert text == steps + last
    assert os.access(package.root / "DEBIAN" / script, os.X_OK)
    checker = shutil.which("shellcheck")
    assert checker is not None, "needs shellcheck (Debian: shellcheck)"
    checked = subprocess.run(
        [checker, "-e", "SC2034", package.root / "DEBIAN" / script],  # not each uses every place
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert checked.stdout == ""


def test_a_restore_never_overwrites_what_a_package_or_the_script_installs(package: Package) -> None:
    own = Places().own

    def is_own(path: str) -> bool:
        return any(path == one or path.startswith(f"{one}/") for one in own)

    program = {path for path in files(package) if not path.startswith("/usr/share/doc/")}
    assert [path for path in sorted(program) if not is_own(path)] == []
    by_script = {path.replace("/usr/", "/usr/local/") for path in program if "/share/" not in path}
    assert [path for path in sorted(by_script) if not is_own(path)] == []
