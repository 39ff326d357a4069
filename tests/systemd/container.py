"""A booted systemd in a container over an overlay of this machine's root; writes to it are dropped.

The container has a network of its own (only a loopback), so that ports in it meet nobody's. A
command may ask for this machine's network instead, to install packages. It boots to basic.target:
none of the services that this machine has enabled run in it.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

BOOT_SECONDS = 60
POWEROFF_SECONDS = 60
_NETWORK_SETTINGS = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT", "REQUESTS_CA")


class ContainerError(Exception):
    """The container could not be booted, or a command in it failed."""


@dataclass(frozen=True)
class Container:
    """A running container: `leader` is its process 1, by its number outside."""

    leader: int

    @property
    def root(self) -> Path:
        """Its root folder with all that is mounted in it, as a path outside."""
        return Path(f"/proc/{self.leader}/root")

    def run(
        self,
        *command: str,
        check: bool = True,
        seconds: float = 60,
        host_network: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the container and return what it printed.

        Raises ContainerError, with everything printed, when it fails and `check` is set.
        """
        rooms = ["-m", "-u", "-i", "-p", "-C"] if host_network else ["-a"]
        result = subprocess.run(
            ["nsenter", "-t", str(self.leader), *rooms, "-r", "-w", *command],
            env=_environment(with_network=host_network),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        if check and result.returncode != 0:
            raise ContainerError(
                f"{' '.join(command)} ended with {result.returncode}\n"
                f"{result.stdout}{result.stderr}"
            )
        return result

    def systemctl(self, *arguments: str, check: bool = True) -> str:
        return self.run("systemctl", *arguments, check=check).stdout.strip()

    def show(self, unit: str, key: str) -> str:
        return self.systemctl("show", "--value", "--property", key, unit)

    def main_pid(self, unit: str) -> int:
        """The unit's main process by its number in the container; 0 when it has none."""
        return int(self.show(unit, "MainPID"))

    def journal(self, unit: str, *, priority: str | None = None) -> str:
        """What a unit wrote, one message a line, oldest first."""
        chosen = ["-p", priority] if priority else []
        self.run("journalctl", "--sync")
        return self.run("journalctl", "-q", "-o", "cat", "--no-pager", "-u", unit, *chosen).stdout

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Put a file into the container."""
        inside = self.root / path.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        inside.write_text(text)
        inside.chmod(mode)

    def copy_in(self, source: Path, target: str) -> None:
        """Copy a file, or a folder without its caches, into the container."""
        inside = self.root / target.lstrip("/")
        inside.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, inside, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, inside)

    def wait_until(self, unit: str, key: str, wanted: str, seconds: float = 30) -> None:
        """Wait until a property of a unit has a value; raises ContainerError with the last one."""
        deadline = time.monotonic() + seconds
        while (seen := self.show(unit, key)) != wanted:
            if time.monotonic() > deadline:
                raise ContainerError(
                    f"{unit}: {key} is {seen!r}, not {wanted!r}\n{self.journal(unit)}"
                )
            time.sleep(0.1)


def _environment(*, with_network: bool) -> Mapping[str, str]:
    """A clean environment; with this machine's ways to its package sources where these are used."""
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
    }
    if with_network:
        environment |= {
            name: value
            for name, value in os.environ.items()
            if name.upper().startswith(_NETWORK_SETTINGS)
        }
    return environment


def missing_here() -> str | None:
    """Why no container can be booted on this machine; None where one can."""
    if os.geteuid() != 0:
        return "needs root: boots systemd in a container"
    for tool in ("systemd-nspawn", "nsenter", "mount"):
        if shutil.which(tool) is None:
            return f"needs {tool}: boots systemd in a container (Debian: systemd-container)"
    return None


@contextmanager
def booted_container(folder: Path) -> Iterator[Container]:
    """Boot a container whose files live in `folder` while it runs; nothing of it is left."""
    name = f"slo-watchdog-test-{os.getpid()}"
    with overlay_of_root(folder) as root, (folder / "console.log").open("wb") as log:
        nspawn = psutil.Popen(
            [
                *("systemd-nspawn", "--register=no", "--keep-unit", "-q", "--console=read-only"),
                *("--private-network", "-M", name, "-D", str(root)),
                *("-b", "systemd.unit=basic.target", "systemd.mask=timers.target"),
            ],
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        leader: int | None = None
        try:
            leader = _wait_for_leader(nspawn, folder / "console.log")
            container = Container(leader)
            _wait_for_basic_target(container, folder / "console.log")
            yield container
        finally:
            _power_off(nspawn, leader)
            # Where /run is no tmpfs, nspawn will not remove its own (empty) folder.
            leftover = Path("/run/systemd/nspawn/propagate") / name
            if leftover.is_dir():
                leftover.rmdir()


@contextmanager
def overlay_of_root(folder: Path) -> Iterator[Path]:
    """This machine's root, as a folder that may be written: writes go to memory and are dropped."""
    memory, root = folder / "memory", folder / "root"
    memory.mkdir()
    root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", memory], check=True)
    try:
        (memory / "upper").mkdir()
        (memory / "work").mkdir()
        options = f"lowerdir=/,upperdir={memory}/upper,workdir={memory}/work"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, root], check=True)
        try:
            # Each container is a machine of its own.
            (root / "etc/machine-id").unlink(missing_ok=True)
            yield root
        finally:
            subprocess.run(["umount", "--recursive", "--lazy", root], check=True)
    finally:
        subprocess.run(["umount", "--lazy", memory], check=True)


def _wait_for_leader(nspawn: psutil.Popen, console: Path) -> int:
    deadline = time.monotonic() + BOOT_SECONDS
    while nspawn.poll() is None and time.monotonic() < deadline:
        for child in nspawn.children():
            if child.name() == "systemd":
                return int(child.pid)
        time.sleep(0.05)
    raise ContainerError(f"the container did not boot:\n{console.read_text(errors='replace')}")


def _wait_for_basic_target(container: Container, console: Path) -> None:
    deadline = time.monotonic() + BOOT_SECONDS
    while container.systemctl("is-active", "basic.target", check=False) != "active":
        if time.monotonic() > deadline:
            raise ContainerError(f"the container hangs:\n{console.read_text(errors='replace')}")
        time.sleep(0.1)


def _power_off(nspawn: psutil.Popen, leader: int | None) -> None:
    """End the container: in order where it still listens, else by killing what we started."""
    if leader is not None and nspawn.poll() is None:
        subprocess.run(
            ["nsenter", "-t", str(leader), "-a", "systemctl", "poweroff", "--no-block"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=30,
            check=False,
        )
        try:
            nspawn.wait(timeout=POWEROFF_SECONDS)
        except psutil.TimeoutExpired:
            psutil.Process(leader).kill()
    if nspawn.poll() is None:
        nspawn.terminate()
        try:
            nspawn.wait(timeout=10)
        except psutil.TimeoutExpired:
            nspawn.kill()
            nspawn.wait(timeout=10)
