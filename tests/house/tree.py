"""What the house tests look at: the files of this repository, tracked or about to be."""

import subprocess
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]


@cache
def files() -> tuple[Path, ...]:
    """Every file that git tracks, or would with the next `git add`."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    names = sorted(set(filter(None, listed.stdout.split("\0"))))
    return tuple(path for name in names if (path := REPOSITORY / name).is_file())


def python_files(*folders: str) -> tuple[Path, ...]:
    """The Python files of some top folders."""
    return tuple(
        path
        for path in files()
        if path.suffix == ".py" and path.relative_to(REPOSITORY).parts[0] in folders
    )


def name_of(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


def findings(paths: Iterable[Path], judge: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    """What a judge of texts says of each file, of those of which it says anything."""
    said = {name_of(path): list(judge(text_of(path))) for path in paths}
    return {name: sentences for name, sentences in said.items() if sentences}


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
