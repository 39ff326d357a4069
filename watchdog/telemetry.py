"""From journal entries to log lines, and from bugs to Sentry; nothing else writes either.

Every recorded entry is one log event, named as in the journal (`episode.moved`), with its values
as keys. What libraries log goes the same way, so that every line on stderr has one form. A log
that cannot be written stops nothing. Sentry is off without a DSN; with one, it gets the
exception's type and our own frames, scrubbed of everything else that could carry a secret.
"""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import MutableMapping
from enum import Enum
from typing import Any, Literal, TextIO

import sentry_sdk
import sentry_sdk.crons
import structlog

from watchdog.core import entries as e
from watchdog.core.paging import urgency_of
from watchdog.core.silences import Silence
from watchdog.core.spec import Scope
from watchdog.core.states import State
from watchdog.core.urgency import Urgency
from watchdog.core.words import Instant

FLUSH_SECONDS = 1.0
"""How long a report of what ended the process may take to be sent."""

_CHECK_IN = (
    *("type", "monitor_slug", "check_in_id", "status", "monitor_config"),
    *("release", "environment", "event_id"),
)

_QUIET = (e.StepTaken, e.PolicyApplied, e.RuleCleared, e.Unread)
_MOST_OF_A_LIST = 50
_LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)


def configure_log(level: str, form: Literal["auto", "json", "text"]) -> None:
    """JSON under a service manager, readable text on a terminal."""
    stream = sys.stderr
    text = form == "text" or (form == "auto" and stream.isatty())
    render: list[Any] = (
        # Its usual tracebacks show every local variable.
        [
            _printable,
            structlog.dev.ConsoleRenderer(
                colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
        if text
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=lambda *_: _Lines(stream),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()], force=True)
    logging.captureWarnings(capture=True)


class _Lines:
    """Writes a line, or lets it be: a full disk or a closed pipe must not stop the watch."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, message: str) -> None:
        try:
            self._stream.write(message + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    debug = info = warning = error = critical = exception = msg


class _Libraries(logging.Handler):
    """What uvicorn, APScheduler, asyncio and others log, as lines like all others."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception as error:  # noqa: BLE001  # a library's slip in its own log call
            message = f"{record.msg!r} could not be put together: {type(error).__name__}"
        # Levels of a library's own making count as the known one below them.
        level = max(known for known in _LEVELS if known <= max(record.levelno, _LEVELS[0]))
        structlog.get_logger().log(
            level,
            "library.logged",
            logger=record.name,
            message=message,
            **({"exc_info": record.exc_info} if record.exc_info else {}),
        )


def _printable(
    logger: Any, method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Texts from outside move no cursor on an operator's terminal."""
    del logger, method
    return {
        key: "".join(c if c.isprintable() else " " for c in value)
        if isinstance(value, str)
        else value
        for key, value in event.items()
    }


class EntryLog:
    """A recorder's listener: one line for each entry that an operator may want to see.

    What a page tells of is the entry before it: that says whether somebody must look.
    """

    def __init__(self) -> None:
        self._before: e.Entry | None = None

    def heard(self, recorded: e.Recorded) -> None:
        entry = recorded.entry
        log = structlog.get_logger().bind(seq=recorded.seq)
        if isinstance(entry, e.Paged):
            log.log(
                _LEVEL_OF[entry.urgency or _urgency(entry, self._before)],
                entry.kind,
                severity=entry.severity.value,
                title=entry.title,
                body=entry.body,
                **({"silenced": True} if entry.silenced else {}),
            )
        else:
            self._before = entry
            _log(log, entry)


_LEVEL_OF = {
    Urgency.NOW: logging.ERROR,
    Urgency.SOON: logging.WARNING,
    Urgency.NEWS: logging.INFO,
}


def _urgency(page: e.Paged, cause: e.Entry | None) -> Urgency:
    """Of a page that does not say it."""
    return urgency_of(page.key, page.severity, cause, silenced=page.silenced)


def _log(log: Any, entry: e.Entry) -> None:
    match entry:
        case e.EpisodeMoved():
            write = log.warning if entry.after in {State.HELD, State.LATCHED} else log.info
            write(
                entry.kind,
                episode=entry.episode,
                before=entry.before.value,
                event_=entry.event.value,
                after=entry.after.value,
                reason=entry.reason,
            )
        case e.Decided():
            log.info(
                entry.kind,
                decision=entry.decision,
                episode=entry.episode,
                rule=entry.rule,
                action=entry.action,
                ruling=entry.ruling.value,
                reason=entry.reason,
            )
        case e.AlertmanagerTurned(answers=False):
            log.warning(entry.kind, matter=entry.matter, reason=entry.reason)
        case _:
            write = log.debug if isinstance(entry, _QUIET) else log.info
            write(entry.kind, **_plain(entry))


def _plain(entry: e.Entry) -> dict[str, Any]:
    """The entry's short values; long ones stand in the journal."""
    values = ((name, getattr(entry, name)) for name in entry.__slots__ if name != "kind")
    found = {name: _short(value) for name, value in values}
    return {name: value for name, value in found.items() if value not in {None, ""}}


def _short(value: Any) -> str | int | float | None:
    short: str | int | float | None = None
    match value:
        case Enum():
            short = str(value.value)
        case float() if not math.isfinite(value):
            short = str(value)  # which JSON has no number for
        case str() | int() | float():
            short = value
        case Scope() | Silence():
            short = value.text
        case Instant():
            short = value.utc.isoformat(timespec="milliseconds")
        case tuple() if all(isinstance(one, str) for one in value):
            more = f" and {len(value) - _MOST_OF_A_LIST} more" if value[_MOST_OF_A_LIST:] else ""
            short = "; ".join(value[:_MOST_OF_A_LIST]) + more
    return short


def start_sentry(dsn: str | None, *, release: str, environment: str) -> None:
    """Report bugs, never secrets: no locals, no breadcrumbs, no integrations, no source."""
    if not dsn:
        return
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        environment=environment,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        send_default_pii=False,
        traces_sample_rate=0.0,
        server_name="",
        shutdown_timeout=0,
        before_send=_scrub,
    )


def report(error: BaseException) -> None:
    """Tell Sentry of what ends this process, if it is on."""
    if sentry_sdk.is_initialized():
        sentry_sdk.capture_exception(error)
        sentry_sdk.flush(timeout=FLUSH_SECONDS)


def check_in(monitor: str, every_seconds: float) -> None:
    """Tell a monitor of Sentry's that all is well; it is made where there is none.

    Sent from the library's own thread. Two beats that stay away are what Sentry calls people for.
    """
    minutes = max(1, math.ceil(every_seconds / 60))
    sentry_sdk.crons.capture_checkin(
        monitor_slug=monitor,
        status="ok",
        monitor_config={
            "schedule": {"type": "interval", "value": minutes, "unit": "minute"},
            "checkin_margin": minutes,
            "timezone": "UTC",
        },
    )


def _scrub(event: Any, hint: dict[str, Any]) -> Any:
    """Keep what identifies a bug; exception texts can hold a URL or a tool's output."""
    del hint
    if event.get("type") == "check_in":
        return {key: event[key] for key in _CHECK_IN if key in event}
    for value in event.get("exception", {}).get("values", []):
        value["value"] = "(not sent)"
        for frame in (value.get("stacktrace") or {}).get("frames", []):
            for key in ("vars", "pre_context", "post_context", "context_line", "abs_path"):
                frame.pop(key, None)
    keep = ("event_id", "timestamp", "platform", "level", "release", "environment", "exception")
    return {key: event[key] for key in keep if key in event}
