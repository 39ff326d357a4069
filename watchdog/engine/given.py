"""What an engine is given: the ports that it stands on, and what the settings say of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from watchdog.core.spec import SourceSpec
from watchdog.core.telling.contacts import Channel
from watchdog.core.telling.status_pages import StatusPage
from watchdog.core.words import Mode
from watchdog.ports import (
    Actuator,
    Alertmanagers,
    Clock,
    History,
    Journal,
    Lease,
    MetricSource,
    Notifier,
    PastSource,
    Peers,
    Probe,
    StatusBoard,
)


@dataclass(frozen=True, slots=True)
class Ports:
    """What the engine stands on."""

    journal: Journal
    history: History
    lease: Lease
    clock: Clock
    actuator: Actuator
    probe: Probe
    open_source: Callable[[SourceSpec], MetricSource]
    open_past: Callable[[SourceSpec], PastSource | None] = lambda _: None
    alertmanagers: Alertmanagers = field(default_factory=Alertmanagers)
    peers: Peers | None = None  # None: nobody shares the record
    shift: Callable[[float], None] = lambda _: None  # sets the steady clock forward by seconds
    open_notifier: Callable[[Channel], Notifier | None] = lambda _: None
    open_status_page: Callable[[StatusPage], StatusBoard | None] = lambda _: None
    lacks: Callable[[str], str] = lambda _: ""  # why a credential cannot be read now


@dataclass(frozen=True, slots=True)
class Process:
    """What the settings say of this process."""

    version: str
    host: str
    environment: str
    max_mode: Mode
    time_sync_required: bool
    shadow_seconds: float | None = None  # of evidence to be armed; None: none is asked for
    name: str = ""  # among the daemons that share the record
    lease_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class RulesFolder:
    """How the rules folder compares with what is in force, as whoever looks at it says."""

    pending: bool = False  # it says something else
    errors: tuple[str, ...] = ()
