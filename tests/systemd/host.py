"""A container as a host to install on: the checkout in it, and the install script run there."""

from pathlib import Path

from tests.systemd.container import Container

REPOSITORY = Path(__file__).parents[2]
CHECKOUT = "/srv/checkout"
NEEDED = (
    *("watchdog", "rules", "systemd", "deploy", "pyproject.toml", "README.md"),
    *("requirements.lock", "requirements-build.lock"),
)
_BUILT = "/srv/built"


def check_out(host: Container) -> None:
    """Put what an installation needs of this repository into the container."""
    for name in NEEDED:
        host.copy_in(REPOSITORY / name, f"{CHECKOUT}/{name}")


def install(host: Container, *arguments: str) -> str:
    """Run the install script; what it printed."""
    script = f"{CHECKOUT}/deploy/install.sh"
    return host.run(script, *arguments, seconds=400, host_network=True).stdout


def keep_program(host: Container) -> None:
    """Keep a copy of the installed program, since building it takes half a minute."""
    host.run("cp", "-a", "/opt/slo-watchdog", _BUILT)


def put_program_back(host: Container) -> None:
    host.run("cp", "-a", _BUILT, "/opt/slo-watchdog")
