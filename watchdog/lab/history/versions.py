"""Another version of a rules folder: a second folder, or a revision in git."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from watchdog.lab.history.tracks import Bad
from watchdog.policy import Load, load_files, load_folder
from watchdog.policy.folder import is_test

_DEADLINE_SECONDS = 20.0
_MOST_BYTES = 32 << 20
_MOST_FILES = 2000


def load_version(
    what: str, folder: Path, environment: str, variables: Mapping[str, str]
) -> tuple[Load, str]:
    """The rules and a name for them. A folder of that name wins over a revision. Raises Bad."""
    if Path(what).is_dir():
        return load_folder(what, environment, variables=variables), what
    files = _from_git(what, folder)
    return load_files(files, environment, variables=variables), f"{folder} at {what}"


def _from_git(revision: str, folder: Path) -> dict[str, str]:
    if revision.startswith("-") or not revision.isprintable():
        raise Bad(f"--against {revision}: neither a folder nor a revision")
    commit = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if commit is None:
        raise Bad(f"--against {revision}: neither a folder nor a git revision of {folder}")
    prefix = (_git(folder, "rev-parse", "--show-prefix") or b"").decode().strip()
    top = (_git(folder, "rev-parse", "--show-toplevel") or b"").decode().strip()
    commit_name = commit.decode().strip()
    tar = _git(Path(top), "archive", "--format=tar", f"{commit_name}:{prefix.rstrip('/')}")
    if tar is None:
        raise Bad(f"--against {revision}: {prefix or folder} does not exist there")
    return _texts(tar, revision)


def _texts(tar: bytes, revision: str) -> dict[str, str]:
    files: dict[str, str] = {}
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if not member.isfile() or path.suffix not in {".yaml", ".yml"} or is_test(path.name):
                continue
            content = archive.extractfile(member)
            if content is None or len(files) >= _MOST_FILES:
                raise Bad(f"--against {revision}: no rules folder has so many files")
            try:
                files[member.name] = content.read().decode()
            except UnicodeDecodeError:
                raise Bad(f"--against {revision}: {member.name} is not UTF-8") from None
    return files


def _git(folder: Path, *words: str) -> bytes | None:
    """What git answers, or None where it says no. Raises Bad."""
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(  # noqa: S603  # an argument list; the revision was looked at
            command, capture_output=True, timeout=_DEADLINE_SECONDS, check=False
        )
    except FileNotFoundError:
        raise Bad("--against with a revision needs git, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise Bad(f"git did not answer within {_DEADLINE_SECONDS:g} s") from None
    if len(done.stdout) > _MOST_BYTES:
        raise Bad("--against: what git gives is larger than any rules folder")
    return done.stdout if done.returncode == 0 else None
