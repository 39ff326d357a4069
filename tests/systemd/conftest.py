"""A container with a real systemd, and one on which the watchdog is installed; both made once.

Tests of this folder leave nothing running in them.
"""

from collections.abc import Iterator

import pytest

from tests.systemd.container import Container, booted_container, missing_here
from tests.systemd.host import check_out, install, keep_program, put_program_back


@pytest.fixture(scope="session")
def systemd_container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A booted container."""
    if reason := missing_here():
        pytest.skip(reason)
    with booted_container(tmp_path_factory.mktemp("container")) as container:
        yield container


@pytest.fixture(scope="session")
def checked_out(systemd_container: Container) -> Container:
    """It, with this checkout in it, from which the install script can be run."""
    check_out(systemd_container)
    return systemd_container


@pytest.fixture(scope="session")
def _host_with_program(checked_out: Container) -> Container:
    install(checked_out)
    keep_program(checked_out)
    install(checked_out, "--uninstall", "--purge")
    return checked_out


@pytest.fixture
def installed(_host_with_program: Container) -> Iterator[Container]:
    """A host on which the watchdog has just been installed, and not started; purged afterwards."""
    put_program_back(_host_with_program)
    install(_host_with_program)
    yield _host_with_program
    install(_host_with_program, "--uninstall", "--purge")
