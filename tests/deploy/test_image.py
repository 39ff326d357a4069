"""What the Containerfile relies on, done by the install script in a scratch root.

No image is built here: there is no registry to take its base from.
"""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.watching import REPOSITORY
from tests.systemd.container import overlay_of_root

CONTAINERFILE = REPOSITORY / "deploy" / "Containerfile"
INSTALL = REPOSITORY / "deploy" / "install.sh"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a scratch root, which needs root")


def in_root(root: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    program = root / "srv" / "program"
    (program / "bin").mkdir(parents=True, exist_ok=True)
    (program / "bin" / "slo-watchdog").write_text("#!/bin/sh\necho a stand-in\n")
    (program / "bin" / "slo-watchdog").chmod(0o755)
    return subprocess.run(
        ["chroot", root, *command],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "WATCHDOG_ENVIRONMENT": "/srv/program"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A root on which the script has prepared an image, twice."""
    with overlay_of_root(tmp_path_factory.mktemp("image")) as root:
        for _ in range(2):
            in_root(root, INSTALL, "--image")
        yield root


def test_program_settings_and_user_are_there_and_nothing_for_a_service_manager(root: Path) -> None:
    assert in_root(root, "/usr/local/bin/slo-watchdog").stdout == "a stand-in\n"
    looked = ("stat", "-c", "%a %U %G", "/etc/slo-watchdog/secrets", "/var/lib/slo-watchdog")
    assert in_root(root, *looked).stdout == (
        "750 root slo-watchdog\n700 slo-watchdog slo-watchdog\n"
    )
    assert (root / "etc/slo-watchdog/rules/platform.yaml").is_file()
    assert not (root / "usr/local/lib/systemd/system/slo-watchdog.service").exists()
    assert list((root / "var/lib/slo-watchdog").iterdir()) == [], "its volume gets the journal"


def test_the_containerfile_takes_what_is_there_and_runs_it(root: Path) -> None:
    text = CONTAINERFILE.read_text().replace("\\\n", " ")
    assert re.search(r"^RUN .*/deploy/install\.sh --image$", text, re.MULTILINE)
    taken = re.findall(r"^COPY --from=build (.*) (\S+)$", text, re.MULTILINE)
    assert taken
    for sources, into in taken:
        for source in sources.split():
            assert (root / source.lstrip("/")).exists(), source
            assert into in {source, "/etc/"}, "it lies where it was built"
    (entry,) = re.findall(r'^ENTRYPOINT \["(.*)"\]$', text, re.MULTILINE)
    assert in_root(root, entry).stdout == "a stand-in\n"
    (config,) = re.findall(r'"--config", "(.*)"\]$', text, re.MULTILINE)
    assert (root / config.lstrip("/")).is_file()
    (user,) = re.findall(r"^USER (.*)$", text, re.MULTILINE)
    assert in_root(root, "getent", "passwd", user).stdout
