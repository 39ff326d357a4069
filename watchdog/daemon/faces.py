"""Opens both faces, the pages on loopback and the control socket, or names the wrong setting."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from watchdog.daemon.handing_on import HandingOn
from watchdog.daemon.loading import Loading
from watchdog.engine import DeployDesk, Engine, Orders, Views
from watchdog.ports import Secrets
from watchdog.settings import Settings
from watchdog.web.control import control_app
from watchdog.web.inbound import Inbound
from watchdog.web.metrics import Meters
from watchdog.web.ordering import Control, Place
from watchdog.web.policy_load import PolicyLoad
from watchdog.web.readonly import Health, readonly_app
from watchdog.web.serve import Served, serve_tcp, serve_unix


class StartFailed(Exception):
    """The process cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the faces."""

    engine: Engine
    loading: Loading
    orders: Orders
    handing_on: HandingOn
    meters: Meters
    health: Health
    secrets: Secrets


async def serve(settings: Settings, behind: Behind) -> tuple[Served, Served]:
    """Both running, or neither. Raises StartFailed."""
    engine, loading = behind.engine, behind.loading
    views = Views(engine)
    pages = await _pages(settings, views, behind)
    try:
        place = Place(str(settings.rules_dir), settings.environment, settings.variables)
        hand_on = behind.handing_on.hand_on
        control = Control(
            behind.orders, views, loading.apply, settings.root_is_person, place, hand_on
        )
        behind.handing_on.serve(control)
        return pages, await _orders(settings.control_socket, control)
    except BaseException:
        await pages.stop()
        raise


async def _pages(settings: Settings, views: Views, behind: Behind) -> Served:
    loading = behind.loading
    host, port = settings.bind
    hosts = (host, "localhost", "127.0.0.1", "[::1]", *settings.allowed_hosts)

    def load() -> PolicyLoad:
        return PolicyLoad(loading.pending, loading.errors, loading.failing_since)

    engine, meters = behind.engine, behind.meters
    clock = engine.ports.clock
    deploys = DeployDesk(engine)
    inbound = Inbound(
        engine.inbox,
        deploys,
        behind.orders,
        engine.in_force,
        behind.secrets,
        clock,
        meters.told,
    )
    app = readonly_app(views, behind.health, hosts, meters, load, inbound)
    try:
        return await serve_tcp(app, host, port, app.state.live.run)
    except (OSError, UnicodeError) as error:
        raise StartFailed(
            f"listen = {settings.listen}: {_why(error)}. Stop what uses it, or write another "
            "address"
        ) from None


async def _orders(path: Path, control: Control) -> Served:
    if _occupied(path):
        raise StartFailed(
            f"control_socket = {path}: something else than a socket stands there. Move it away, "
            "or name another place"
        )
    try:
        return await serve_unix(control_app(control), path)
    except OSError as error:
        raise StartFailed(
            f"control_socket = {path}: {_why(error)}. Its folder must exist, and the daemon's "
            "user must be allowed to write to it"
        ) from None


def _occupied(path: Path) -> bool:
    """A socket left over by a process that died is replaced; anything else is somebody's."""
    return path.exists() and not path.is_socket()


def _why(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
