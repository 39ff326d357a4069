"""A host to restore, new for each test."""

import os
from pathlib import Path

import pytest

from tests.restore.site import Site, build


@pytest.fixture(scope="session", autouse=True)
def _root() -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: a restore gives files to their owners")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return build(tmp_path)
