"""What no file of this repository may say: where packages come from, where it happens to lie."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.tree import REPOSITORY, files, findings, name_of, text_of

# Written in parts, so that this file itself passes.
INDEX_HOSTS = (
    *("pypi" + ".org", "files.python" + "hosted.org", "registry.npm" + "js.org"),
    *("deb.debian" + ".org", "security.debian" + ".org", "deb.node" + "source.com"),
    *("proxy.go" + "lang.org", "crates" + ".io", "--index" + "-url", "--extra-index" + "-url"),
    *("--find" + "-links",),
)
MACHINE_PATHS = ("/wo" + "rk/", "/tm" + "p/w/", "/ro" + "ot/.", "/ho" + "me/", "file:///o" + "pt")
SHELL = ("#!/usr/bin/env bash", "#!/bin/sh", "#!/bin/bash")


def said(text: str, forbidden: tuple[str, ...]) -> Iterator[str]:
    """`line: word` for each forbidden word in a text."""
    for number, line in enumerate(text.splitlines(), start=1):
        for word in forbidden:
            if word in line:
                yield f"{number}: {word}"


def scripts() -> list[Path]:
    return [path for path in files() if text_of(path)[:40].startswith(SHELL)]


def test_git_tells_what_is_in_the_repository() -> None:
    assert {"Makefile", "pyproject.toml", "requirements.lock"} <= {
        name_of(path) for path in files()
    }


def test_no_file_names_an_index_or_a_place_on_this_machine() -> None:
    forbidden = INDEX_HOSTS + MACHINE_PATHS
    assert findings(files(), lambda text: said(text, forbidden)) == {}


def test_a_forbidden_word_is_seen() -> None:
    assert list(said(f"a\nsee https://{INDEX_HOSTS[0]}/x", INDEX_HOSTS)) == [f"2: {INDEX_HOSTS[0]}"]


def test_the_shell_scripts_are_clean_and_executable() -> None:
    checker = shutil.which("shellcheck")
    if checker is None:
        pytest.skip("needs shellcheck (Debian: shellcheck)")
    assert REPOSITORY / ".ci" / "run" in scripts()
    checked = subprocess.run(
        [checker, *scripts()], capture_output=True, text=True, check=False, timeout=60
    )
    assert checked.stdout + checked.stderr == ""
    assert [name_of(path) for path in scripts() if not os.access(path, os.X_OK)] == []
