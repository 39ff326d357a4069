"""A site with a live folder and the one before it, and the real process that swaps them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.actions.tree.site import Site


@pytest.fixture
def ground() -> Iterator[Path]:
    """A folder that every user may enter, unlike those of pytest."""
    with TemporaryDirectory(prefix="slo-watchdog-site-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
async def site(ground: Path) -> AsyncIterator[Site]:
    """Release 42 is live and bad, release 41 came before it."""
    site = Site.built(ground)
    yield site
    await site.actuator.aclose()
