"""One process from start to end.

The order of the start is the order of trust: lock and verify the journal, fold it into the book,
go on from its clock, take up the policy that was applied last, settle what was left open; only
then is the service ready. It ends on SIGTERM, by draining, or because it cannot record any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog

from watchdog.clock import SystemClock
from watchdog.daemon.calendar import Calendar, Every
from watchdog.daemon.credentials import credentials
from watchdog.daemon.drills import EVERY_SECONDS as DRILLS_SECONDS
from watchdog.daemon.drills import DrillCalendar
from watchdog.daemon.faces import Behind, StartFailed, serve
from watchdog.daemon.handing_on import HandingOn
from watchdog.daemon.heartbeat import Heartbeat
from watchdog.daemon.loading import Loading, PolicyUnusable
from watchdog.daemon.notify import ServiceManager
from watchdog.daemon.ports import ports_of
from watchdog.daemon.record import (
    init_failed,
    left_by_before,
    refuse_a_second,
    start_failed,
    where,
)
from watchdog.daemon.restores import RestoreRequests
from watchdog.daemon.rights import RightsInForce
from watchdog.daemon.rights_file import RightsRefused
from watchdog.daemon.time_sync import time_synced
from watchdog.daemon.watching import RulesWatch
from watchdog.engine import Engine, Orders, Person, Process, Progress
from watchdog.ports import JournalError, PortError
from watchdog.settings import Settings
from watchdog.store import Store, create, open_store, take_over
from watchdog.telemetry import EntryLog, configure_log, report, start_sentry
from watchdog.web.metrics import Meters
from watchdog.web.readonly import Health
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

DRAIN_SECONDS = 20.0
"""How long open intents may take to end after SIGTERM."""

UNHEALTHY_AFTER_SECONDS = 5.0


def init(settings: Settings, taken: Path | None = None) -> str:
    """Create the journal, and say so; or let that of a folder go on there. Raises StartFailed."""
    try:
        return take_over(taken, where(settings)) if taken else create(where(settings))
    except PortError as error:
        raise StartFailed(init_failed(error)) from None


async def run(settings: Settings) -> None:
    """Watch until SIGTERM or SIGINT. Raises StartFailed, or what ended it."""
    configure_log(settings.log_level, settings.log_format)
    dsn = settings.sentry_dsn.get_secret_value() if settings.sentry_dsn else None
    start_sentry(dsn, release=version("slo-watchdog"), environment=settings.environment)
    try:
        daemon = _assemble(settings)
    except (PortError, PolicyUnusable, RightsRefused, OSError) as error:
        raise StartFailed(start_failed(error)) from None
    try:
        await daemon.live()
    except StartFailed:
        raise
    except Exception as error:
        report(error)
        raise
    finally:
        daemon.close()


@dataclass(slots=True)
class _Daemon:
    settings: Settings
    engine: Engine
    loading: Loading
    rights: RightsInForce
    meters: Meters
    wire: Wire
    manager: ServiceManager
    calendar: Calendar
    stop: asyncio.Event
    orders: Orders
    drills: DrillCalendar
    stuck: str = ""
    reason: str = ""  # why it stops
    cannot_record: JournalError | None = None
    reloads: set[asyncio.Task[object]] = field(default_factory=set)

    async def live(self) -> None:
        """Serve, run, and stop in order."""
        health = Health(self._unhealthy, self._unready)
        orders = self.orders
        handing_on = HandingOn(self.engine, orders)
        behind = Behind(
            self.engine, self.loading, orders, handing_on, self.meters, health, self.wire.secrets
        )
        served = await serve(self.settings, behind)
        watch = RulesWatch(self.settings.rules_dir, self.loading.look)
        watcher = asyncio.create_task(watch.forever(), name="watch rules")
        restores = RestoreRequests(self.engine, handing_on, self.settings.host)
        tender = asyncio.create_task(restores.forever(), name="tend requests for restores")
        heartbeat = Heartbeat(self.engine, self.wire, self.settings, self._unready)
        beater = asyncio.create_task(heartbeat.forever(), name="beat")
        try:
            self._listen_for_signals()
            self.calendar.start()
            self.engine.on_pass = self._passed
            await self.sync_time()
            self.manager.tell("READY=1")
            structlog.get_logger().info("daemon.ready", listen=served[0].port)
            await self._watch()
        except Exception as error:
            self.reason = f"failed: {type(error).__name__}"
            raise
        finally:
            self.manager.tell("STOPPING=1", f"STATUS=Stopping: {self.reason or 'cancelled'}")
            self.calendar.stop()
            await self.drills.aclose()
            await _end(watcher, tender, beater, *self.reloads)
            try:
                await self.engine.finish(self.reason or "cancelled", DRAIN_SECONDS)
            finally:
                for one in served:
                    await one.stop()
                await self.wire.aclose()

    async def _watch(self) -> None:
        await self.engine.run(self.stop)
        if self.cannot_record is not None:
            raise self.cannot_record

    def _listen_for_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopped_by, number)
        loop.add_signal_handler(signal.SIGHUP, self._reload)

    def _stopped_by(self, number: signal.Signals) -> None:
        self.reason = self.reason or number.name
        self.stop.set()

    def lost_record(self, error: JournalError) -> None:
        """What cannot record must not act: end, and let a new process see what is there."""
        self.cannot_record = self.cannot_record or error
        self.stop.set()

    def _reload(self) -> None:
        """SIGHUP: whoever may send it may apply."""
        self.manager.tell("STATUS=Loading the rules folder")
        self.rights.reload()
        task: asyncio.Task[object] = asyncio.create_task(
            self.loading.apply(Person("SIGHUP", counts=True, everything=True), dry=False)
        )
        self.reloads.add(task)
        task.add_done_callback(self.reloads.discard)
        task.add_done_callback(_tell_reload)

    def _passed(self) -> None:
        """After each completed pass, and only then, the service manager hears of us."""
        self.calendar.supervise()
        self._tell_stuck()
        open_episodes = sum(1 for _ in self.engine.book.open_episodes())
        rules = len(self.engine.in_force().rules)
        self.manager.tell(
            "WATCHDOG=1",
            f"STATUS=Watching {rules} {'rule' if rules == 1 else 'rules'}, "
            f"{open_episodes} open {'episode' if open_episodes == 1 else 'episodes'}",
        )

    def _tell_stuck(self) -> None:
        """What cannot be recorded cannot be paged through the record: the log says it, once."""
        stuck = self.engine.recorder.stuck
        if stuck != self.stuck:
            log = structlog.get_logger()
            if stuck:
                log.critical("journal.full", reason=stuck, remedy="free room; nothing is started")
            else:
                log.warning("journal.writable_again")
            self.stuck = stuck

    def _unhealthy(self) -> str:
        done = self.engine.passes.completed
        if done is None:
            return "no pass has been completed yet"
        ago = self.engine.ports.clock.now().steady - done.steady
        return f"the last pass was {ago:.1f} s ago" if ago > UNHEALTHY_AFTER_SECONDS else ""

    def _unready(self) -> str:
        return self._unhealthy() or self.engine.recorder.stuck

    async def sync_time(self) -> None:
        if self.settings.time_sync == "required":
            self.engine.time_synced = await time_synced()

    def close(self) -> None:
        self.engine.recorder.close()
        self.engine.ports.history.close()
        self.manager.close()


def _assemble(settings: Settings) -> _Daemon:
    """Everything that must be right before the first pass. Raises what makes it impossible."""
    with contextlib.ExitStack() as undone:
        store = open_store(where(settings), clock := SystemClock())
        undone.callback(store.close)
        refuse_a_second(store, settings)
        for notice in store.notices:
            structlog.get_logger().warning("journal.notice", notice=notice)
        daemon = _on(store, clock, settings)
        undone.pop_all()
        return daemon


def _log_filling(source: str, progress: Progress) -> None:
    log = structlog.get_logger().bind(source=source, rules=progress.rules, filled=progress.filled)
    if progress.problem:
        log.warning("history.filling", failed=progress.failed, problem=progress.problem)
    else:
        log.info("history.filling", over=progress.over)


def _on(store: Store, clock: SystemClock, settings: Settings) -> _Daemon:
    """The daemon on its record. Nothing is recorded before all of it is known to be usable."""
    secrets = FileSecrets.of_service(*([settings.secrets_dir] if settings.secrets_dir else []))
    wire = Wire(secrets)
    meters = Meters()
    engine = Engine(ports_of(store, clock, wire, meters), _process(settings))
    rights = RightsInForce(settings)
    loading = Loading(engine, settings, rights.may_apply)
    chosen = loading.choose()
    for name in credentials(chosen.policy):
        secrets.read(name)
    before = left_by_before(engine)
    if before is not None:
        clock.go_on_from(before)
    down = clock.now().steady - before.at.steady if before else 0.0
    engine.recorder.listen(EntryLog().heard)
    engine.recorder.listen(meters.heard)
    engine.begin(down, lambda: clock.name)
    loading.begin(chosen)
    engine.filling.told = _log_filling
    for problem in engine.warm():
        structlog.get_logger().warning("history.unusable", problem=problem)
    orders = Orders(engine, lambda: rights.now)
    daemon = _Daemon(
        settings=settings,
        engine=engine,
        loading=loading,
        rights=rights,
        meters=meters,
        wire=wire,
        manager=ServiceManager(),
        calendar=Calendar(clock),
        stop=asyncio.Event(),
        orders=orders,
        drills=DrillCalendar(engine, orders, settings),
    )
    daemon.calendar.plan(_work(daemon), daemon.lost_record)
    return daemon


def _process(settings: Settings) -> Process:
    return Process(
        version=version("slo-watchdog"),
        host=settings.host,
        environment=settings.environment,
        max_mode=settings.max_mode,
        time_sync_required=settings.time_sync == "required",
        shadow_seconds=settings.shadow_days * 86400.0,
        name=settings.known_as,
        lease_seconds=settings.lease,
    )


def _work(daemon: _Daemon) -> tuple[Every, ...]:
    settings, engine = daemon.settings, daemon.engine

    async def retire() -> None:
        retired = engine.retire(settings.keep_days)
        if retired:
            structlog.get_logger().info("journal.retired", upto=retired)

    async def refill() -> None:
        engine.ports.journal.refill()

    return (
        Every("preflight", settings.preflight_every, engine.preflight.look),
        Every("checkpoint", settings.checkpoint_every, engine.checkpoints.save),
        Every("time sync", 60.0, daemon.sync_time),
        Every("reserve", 60.0, refill),
        Every("drills", DRILLS_SECONDS, daemon.drills.look),
        Every("retention", 3600.0, retire),
    )


def _tell_reload(task: asyncio.Task[object]) -> None:
    log = structlog.get_logger()
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.error("policy.not_applied", reason=str(error))


async def _end(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
