"""From journal entries to log lines, and from bugs to Sentry; nothing else writes either.

Every recorded entry is one log event, named as in the journal (`episode.moved`), with its values
as keys. Sentry is off without a DSN; with one, it gets the exception's type and our own frames,
scrubbed of everything else that could carry a secret.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal

import sentry_sdk
import structlog

from watchdog.core import entries as e
from watchdog.core.states import State

_QUIET = (e.StepTaken, e.PolicyApplied, e.RuleCleared)


def configure_log(level: str, form: Literal["auto", "json", "text"]) -> None:
    """JSON under a service manager, readable text on a terminal."""
    text = form == "text" or (form == "auto" and sys.stderr.isatty())
    render: list[Any] = (
        [structlog.dev.ConsoleRenderer()]
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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def log_entry(recorded: e.Recorded) -> None:
    """A recorder's listener: one line for each entry that an operator may want to see."""
    entry = recorded.entry
    log = structlog.get_logger().bind(seq=recorded.seq)
    match entry:
        case e.Paged():
            log.error(entry.kind, severity=entry.severity.value, title=entry.title, body=entry.body)
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
        case _:
            write = log.debug if isinstance(entry, _QUIET) else log.info
            write(entry.kind, **_plain(entry))


def _plain(entry: e.Entry) -> dict[str, Any]:
    """The entry's short values; long ones stand in the journal."""
    found = {}
    for name in entry.__slots__:
        value = getattr(entry, name)
        if name != "kind" and isinstance(value, str | int | float | bool) and value != "":
            found[name] = str(value) if not isinstance(value, int | float) else value
    return found


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
    """Tell Sentry of a bug, if it is on."""
    sentry_sdk.capture_exception(error)


def _scrub(event: Any, hint: dict[str, Any]) -> Any:
    """Keep what identifies a bug; exception texts can hold a URL or a tool's output."""
    del hint
    for value in event.get("exception", {}).get("values", []):
        value["value"] = "(not sent)"
        for frame in (value.get("stacktrace") or {}).get("frames", []):
            for key in ("vars", "pre_context", "post_context", "context_line", "abs_path"):
                frame.pop(key, None)
    keep = ("event_id", "timestamp", "platform", "level", "release", "environment", "exception")
    return {key: event[key] for key in keep if key in event}
