"""`pnpm run SCRIPT`, and `pnpm --filter @mycelia/PACKAGE SCRIPT`: just enough of pnpm to run the
scripts of a package.json, and of a package of the workspace, where Node is missing.

The scripts are real programs, so the real pnpm runs the same ones when it stands first on PATH.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys


def main(_root: str) -> int:
    """Run the script named on the command line; its exit status is ours."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--filter"] and arguments[1:]:
        package = arguments[1].rpartition("/")[2]
        try:
            os.chdir(os.path.join("packages", package))  # noqa: PTH118 - pathlib is slow to import
        except OSError:
            sys.stdout.write(f"No projects matched the filters in {package!r}\n")
            return 0  # as the real one
        arguments = arguments[2:]
    if arguments[:1] == ["run"]:
        arguments = arguments[1:]
    try:
        with open("package.json", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is slow to import
            scripts = json.load(file)["scripts"]
    except OSError as error:
        sys.stderr.write(f"ERR_PNPM_NO_IMPORTER_MANIFEST_FOUND package.json: {error.strerror}\n")
        return 1
    if not arguments or arguments[0] not in scripts:
        sys.stderr.write(f"ERR_PNPM_NO_SCRIPT Missing script: {' '.join(arguments)}\n")
        return 1
    sys.stdout.flush()
    name, *rest = arguments
    return subprocess.run(  # noqa: S603 - a package script is a shell line by definition
        ["/bin/sh", "-c", f'{scripts[name]} "$@"', name, *rest],
        env={**os.environ, "npm_lifecycle_event": name},
        check=False,
    ).returncode
