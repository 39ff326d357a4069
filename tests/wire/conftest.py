"""A wire and a folder of credentials."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    return folder


@pytest.fixture
async def wire(credentials: Path) -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets([credentials]))
    yield wire
    await wire.aclose()
