"""Builds the room of a full drill and stays in it as its first process. Run by `apart`, in new
namespaces for mounts, network, processes and IPC:

    python -m watchdog.drill.room FOLDER MODULE

Laws
* The room's `/` is memory. Of the real machine it shows programs and a few settings, read-only,
  and nothing of its data, its sockets, its network or its processes; what is written is gone with
  it, but for the documents in FOLDER/out.
* `/usr/bin/systemctl` is the scratch service manager there: the real one cannot even be named.
* What plays the drill has the rights of the restore's own unit, so that nothing in there can mount
  anything or undo what is said here. When it ends, the kernel ends everything that it left behind.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import shutil
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import watchdog

OUT = Path("/out")
"""Where the room meets the world: the rules that it is given, and the documents that it gives."""

SYSTEMCTL = Path("/usr/bin/systemctl")
USER = "mycelia"
_USER_ID = 64111
_SHOWN = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = (
    *("alternatives", "group", "hostname", "ld.so.cache", "ld.so.conf", "ld.so.conf.d"),
    *("localtime", "nsswitch.conf", "passwd", "ssl/certs", "ssl/openssl.cnf", "timezone"),
)
_MADE = (
    *("dev/shm", "etc/slo-watchdog", "etc/systemd/system", "out", "proc", "run", "srv", "tmp"),
    *("var/lib/slo-watchdog/restore", "var/lib/slo-watchdog-restore", "var/tmp"),
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
_RIGHTS = (
    *("chown", "dac_override", "dac_read_search", "fowner", "fsetid", "setfcap"),
    *("setuid", "setgid", "kill"),
)
"""Those of slo-watchdog-restore@.service."""

_RDONLY, _REMOUNT, _BIND = 1, 32, 4096
_DETACH = 2
_LIBC = ctypes.CDLL(None, use_errno=True)
_UP, _GET_FLAGS, _SET_FLAGS = 1, 0x8913, 0x8914


def main() -> int:
    """The exit status of the module that was played."""
    folder, module = Path(sys.argv[1]), sys.argv[2]
    _build(folder / "root", folder / "out")
    _enter(folder / "root")
    _loopback_up()
    rights = ",".join(f"+{one}" for one in _RIGHTS)
    played = subprocess.Popen(  # noqa: S603  # an argument list of ours
        [
            *("/usr/bin/setpriv", "--bounding-set", f"-all,{rights}", "--inh-caps", "-all", "--"),
            *(sys.executable, "-m", module),
        ],
        cwd="/",
    )
    while True:  # as the first process: whoever loses its parent is ours to bury
        pid, status = os.wait()
        if pid == played.pid:
            return os.waitstatus_to_exitcode(status)


def shown() -> tuple[Path, ...]:
    """Folders of the real machine that the room shows: the system's programs and our own."""
    ours = (sys.prefix, sys.exec_prefix, sys.base_prefix, Path(watchdog.__file__).parents[1])
    wanted = [Path(one) for one in (*_SHOWN, *ours)]
    kept: list[Path] = []
    for path in sorted({one for one in wanted if one.is_dir() and not one.is_symlink()}):
        if not any(above in path.parents for above in kept):
            kept.append(path)
    return tuple(kept)


def _build(root: Path, out: Path) -> None:
    _mount("tmpfs", root, "tmpfs", 0, "mode=755,size=1g")
    for name in _MADE:
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for link in (Path(one) for one in _SHOWN):
        if link.is_symlink():
            (root / link.relative_to("/")).symlink_to(link.readlink())
    for folder in shown():
        _show(folder, root)
    for name in _SETTINGS:
        _copy(Path("/etc", name), root / "etc" / name)
    _add_user(root / "etc")
    for name in _DEVICES:
        (root / "dev" / name).touch()
        _mount(f"/dev/{name}", root / "dev" / name, "", _BIND)
    (root / "dev/fd").symlink_to("/proc/self/fd")
    _mount("proc", root / "proc", "proc", 0)
    _mount(str(out), root / "out", "", _BIND)
    manager = root / "run/systemctl"
    manager.write_text(
        f"#!{os.path.realpath(sys.executable)} -IS\nimport sys\n"
        f"sys.path.append({str(Path(watchdog.__file__).parents[1])!r})\n"
        "from watchdog.drill.manager import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    manager.chmod(0o755)
    _mount(str(manager), root / SYSTEMCTL.relative_to("/"), "", _BIND)


def _show(folder: Path, root: Path) -> None:
    to = root / folder.relative_to("/")
    to.mkdir(parents=True, exist_ok=True)
    _mount(str(folder), to, "", _BIND)
    _mount("", to, "", _BIND | _REMOUNT | _RDONLY)


def _copy(path: Path, to: Path) -> None:
    """What others may read of it; secrets are never looked at."""
    to.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, to, symlinks=True, ignore=_unreadable)
    elif path.exists() and _is_public(path):
        shutil.copyfile(path, to)


def _unreadable(folder: str, names: Iterable[str]) -> Iterator[str]:
    """For copytree: what not everybody may read."""
    return (name for name in names if not _is_public(Path(folder, name)))


def _is_public(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _add_user(etc: Path) -> None:
    """As whom the verify commands run."""
    (etc / "hosts").write_text(f"127.0.0.1 localhost {socket.gethostname()}\n")
    for name, line in (
        ("passwd", f"{USER}:x:{_USER_ID}:{_USER_ID}::/srv:/bin/sh"),
        ("group", f"{USER}:x:{_USER_ID}:"),
    ):
        known = (etc / name).read_text().splitlines()
        others = (one for one in known if not one.startswith(f"{USER}:"))
        (etc / name).write_text("\n".join([*others, line]) + "\n")


def _enter(root: Path) -> None:
    """From here on the room is all there is."""
    (root / "real").mkdir()
    os.chdir(root)
    subprocess.run(["pivot_root", ".", "real"], check=True)  # noqa: S607  # where PATH has it
    os.chdir("/")
    if _LIBC.umount2(b"/real", _DETACH) != 0:
        raise OSError(ctypes.get_errno(), "the real machine cannot be left behind")
    Path("/real").rmdir()


def _mount(what: str, where: Path, kind: str, flags: int, options: str = "") -> None:
    done = _LIBC.mount(
        os.fsencode(what), os.fsencode(where), kind.encode(), flags, options.encode() or None
    )
    if done != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{where} cannot be mounted: {os.strerror(error)}")


def _loopback_up() -> None:
    """The room's own network is this, and nothing else."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _GET_FLAGS, asked))[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


if __name__ == "__main__":
    sys.exit(main())
