"""Commands that are the daemon, or make its folder: run, init."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import structlog
import typer

from watchdog import daemon
from watchdog.cli.exits import NOT_SO
from watchdog.cli.shared import console, fail
from watchdog.ports import JournalError
from watchdog.settings import DEFAULT_FILE, Settings, SettingsRefused, load_settings

Config = Annotated[Path, typer.Option("--config", "-c", help="The process settings.")]


def run(config: Config = DEFAULT_FILE) -> None:
    """Watch, judge, act; until SIGTERM."""
    settings = _settings(config)
    try:
        asyncio.run(daemon.run(settings))
    except daemon.StartFailed as error:
        fail(f"Cannot start:\n{error}", NOT_SO)
    except JournalError as error:
        fail(f"Stopped, since nothing can be recorded any more: {error}", NOT_SO)
    except daemon.PolicyUnusable as error:
        remedy = "Install the slo-watchdog that applied them, or a newer one."
        fail(f"Stopped: the rules in force cannot be loaded here.\n{error}\n{remedy}", NOT_SO)
    except Exception:  # noqa: BLE001  # a bug of ours: in one line of the log, with its place
        structlog.get_logger().critical("daemon.failed", exc_info=True)
        raise typer.Exit(NOT_SO) from None


def init(
    config: Config = DEFAULT_FILE,
    taken: Annotated[
        Path | None,
        typer.Option("--from", help="Let the journal of this state folder go on at the store."),
    ] = None,
) -> None:
    """Create the journal, once. `run` never does.

    On PostgreSQL it makes the schema, brings an older one up to date, or joins what is there. With
    --from, a stopped daemon's journal and history move there, whole; open episodes and holds too.
    """
    settings = _settings(config)
    try:
        done = daemon.init(settings, taken)
    except daemon.StartFailed as error:
        fail(str(error), NOT_SO)
    else:
        console.print(done, markup=False)


def _settings(config: Path) -> Settings:
    try:
        return load_settings(config)
    except SettingsRefused as error:
        fail(str(error), NOT_SO)
        raise
