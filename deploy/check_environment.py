"""Refuse an environment, or a lock file, that holds somebody else's `watchdog`.

PyPI's `watchdog` watches files and installs a package of our package's name: whichever comes second
overwrites the other, and nothing says so. Set-up, the install script and a test run this check.

    python check_environment.py [LOCK FILE...]

Looks at the environment of the Python that runs it, and at the lock files named. Prints what it
found and exits 1, or prints nothing and exits 0. Standard library only: it runs before anything
else can be trusted.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

OURS = "slo-watchdog"
THEIRS = "watchdog"


def normalized(name: str) -> str:
    """A distribution's name as the index compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def intruders(installed: Iterable[Distribution]) -> Iterator[str]:
    """One sentence for each installed distribution that is, or overwrites, our package."""
    for distribution in installed:
        name = normalized(distribution.metadata["Name"] or "")
        if name == OURS:
            continue
        if name == THEIRS:
            yield f"PyPI's '{THEIRS}' {distribution.version} is installed; remove it"
        elif any(file.parts[0] == THEIRS for file in distribution.files or ()):
            yield f"'{name}' {distribution.version} installs files into the package '{THEIRS}'"


def locked_intruders(lock: Path) -> Iterator[str]:
    """One sentence for each line of a lock file that would install PyPI's `watchdog`."""
    for number, line in enumerate(lock.read_text(encoding="utf-8").splitlines(), start=1):
        requirement = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[|==|@|>|<|~|!|;|$)", line)
        if requirement and normalized(requirement[1]) == THEIRS:
            yield f"{lock}:{number}: locks PyPI's '{THEIRS}'; find what asks for it and drop that"


def main(locks: list[str]) -> int:
    found = list(intruders(distributions()))
    for lock in locks:
        found += locked_intruders(Path(lock))
    for sentence in found:
        print(f"check_environment: {sentence}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
