"""Every line on stderr has one form, every entry has its line, and no secret is in any of them."""

import dataclasses
import io
import json
import logging
import sys
import types
import typing
import warnings
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, cast

import pytest
import structlog

from watchdog.core import entries as e
from watchdog.core.spec import Scope
from watchdog.core.states import Event, State
from watchdog.core.words import Blind, Instant, Severity
from watchdog.telemetry import EntryLog, configure_log

NOW = Instant(1_800_000_000.0, 100.0)
ENTRIES: tuple[type[e.Entry], ...] = typing.get_args(e.Entry)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)


Configured = Callable[..., io.StringIO]


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Configured:
    """Logging as a process configures it; gives what it writes to."""

    def set_up(
        form: Any = "json", level: str = "info", stream: io.StringIO | None = None
    ) -> io.StringIO:
        stderr = stream or io.StringIO()
        monkeypatch.setattr(sys, "stderr", stderr)
        configure_log(level, form)
        return stderr

    return set_up


def lines(stderr: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def made(kind: type[e.Entry]) -> e.Entry:
    """An entry with a plausible value in every field."""
    hints = typing.get_type_hints(kind)
    values = {
        field.name: example(hints[field.name])
        for field in dataclasses.fields(kind)
        if field.name != "kind"
    }
    return kind(**values)


def example(hint: Any) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    plain = {str: "it's [so]", int: 3, float: float("nan"), bool: True, Instant: NOW}
    if hint in plain:
        found: Any = plain[hint]
    elif origin is typing.Literal:
        found = arguments[0]
    elif origin in {types.UnionType, typing.Union}:
        found = NOW if Instant in arguments else None
    elif origin is tuple:
        inner = arguments[:1] * 2 if arguments[-1] is ... else arguments
        found = tuple(map(example, inner))
    elif origin is dict:
        found = {"a": 1}
    elif issubclass(hint, Enum):
        found = next(iter(hint))
    else:
        found = made_of(hint)
    return found


def made_of(hint: type) -> Any:
    hints = typing.get_type_hints(hint)
    return hint(**{f.name: example(hints[f.name]) for f in dataclasses.fields(hint)})


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("kind", ENTRIES, ids=lambda kind: kind.__name__)
def test_every_entry_has_its_line(configured: Configured, kind: type[e.Entry], form: Any) -> None:
    stderr = configured(form, "debug")
    entry = made(kind)
    EntryLog().heard(e.Recorded(7, NOW, entry, "00"))
    line = stderr.getvalue()
    assert line.count("\n") == 1
    assert entry.kind in line
    if form == "json":
        told = json.loads(line, parse_constant=pytest.fail)
        assert (told["event"], told["seq"]) == (entry.kind, 7)


def test_a_hold_is_logged_with_what_it_covers(configured: Configured) -> None:
    stderr = configured()
    held = e.HoldPlaced("H1", Scope("owner", "team"), "migration", "alice", NOW)
    EntryLog().heard(e.Recorded(1, NOW, held, "00"))
    (line,) = lines(stderr)
    assert (line["scope"], line["expires"]) == ("owner team", "2027-01-15T08:00:00.000+00:00")


def moved(after: State, episode: str = "E1") -> e.EpisodeMoved:
    return e.EpisodeMoved(episode, State.ACTING, Event.DESIRED, after, 0, "a reason")


def undo_ended(outcome: e.Outcome) -> e.IntentEnded:
    return dataclasses.replace(
        cast("e.IntentEnded", made(e.IntentEnded)), episode="E1", outcome=outcome
    )


DRIFTED = e.Drifted("flag:x", "pause", ("E1",), "on")
GONE_BLIND = e.BlindBegan("a-rule", Blind.STALE, "stale")


@pytest.mark.parametrize(
    ("severity", "cause", "level"),
    [
        ("P0", moved(State.LATCHED), "error"),
        ("P1", moved(State.HELD), "error"),
        ("P0", moved(State.AWAITING), "error"),
        ("P2", moved(State.LATCHED), "warning"),
        ("P0", DRIFTED, "error"),
        ("P0", e.ClaimReleased("E1", "flag:x", "changed by somebody else"), "error"),
        ("P0", undo_ended(e.Outcome.FAILED), "error"),
        ("P0", None, "error"),
        ("P0", moved(State.VERIFYING), "warning"),
        ("P0", moved(State.CONTAINED), "info"),
        ("P0", moved(State.WATCHED), "info"),
        ("P0", undo_ended(e.Outcome.DONE), "info"),
        ("P0", undo_ended(e.Outcome.FOUND), "info"),
        ("P0", moved(State.CONTAINED, "E2"), "error"),
    ],
)
def test_only_a_page_that_needs_somebody_is_an_error(
    configured: Configured, severity: str, cause: e.Entry | None, level: str
) -> None:
    stderr, log = configured(), EntryLog()
    if cause is not None:
        log.heard(e.Recorded(1, NOW, cause, "00"))
    page = e.Paged("episode:E1", Severity(severity), "title", "body")
    log.heard(e.Recorded(2, NOW, page, "00"))
    assert lines(stderr)[-1]["level"] == level


def test_blindness_needs_somebody_whatever_else_went_well(configured: Configured) -> None:
    stderr, log = configured(), EntryLog()
    page = e.Paged("rule:a-rule:blind", Severity.P0, "a-rule is blind", "See why.")
    for cause in (GONE_BLIND, moved(State.CONTAINED)):
        log.heard(e.Recorded(1, NOW, cause, "00"))
        log.heard(e.Recorded(2, NOW, page, "00"))
        assert lines(stderr)[-1]["level"] == "error"


def test_a_silenced_page_is_news_and_says_that_it_is_silenced(configured: Configured) -> None:
    stderr, log = configured(), EntryLog()
    page = e.Paged("episode:E1", Severity.P0, "title", "body", silenced=True)
    for one in (moved(State.LATCHED), page):
        log.heard(e.Recorded(1, NOW, one, "00"))
    assert (lines(stderr)[-1]["level"], lines(stderr)[-1]["silenced"]) == ("info", True)


def test_json_under_a_service_manager_and_text_on_a_terminal(configured: Configured) -> None:
    stderr = configured("auto")
    structlog.get_logger().info("daemon.ready")
    assert lines(stderr)[0]["event"] == "daemon.ready"
    terminal = configured("auto", stream=Terminal())
    structlog.get_logger().info("daemon.ready", told="a\x1b[2Jb\nc")
    assert "daemon.ready" in terminal.getvalue()
    assert "\x1b[2J" not in terminal.getvalue()


def fails(reason: str) -> None:
    token = "s3cr3t"
    raise RuntimeError(f"{reason} {len(token)}")


@pytest.mark.parametrize("name", ["uvicorn.error", "apscheduler.scheduler", "asyncio", "httpx"])
def test_what_libraries_log_has_the_same_form(configured: Configured, name: str) -> None:
    stderr = configured()
    logger = logging.getLogger(name)
    logger.info("GET https://user:password@host/ %s", 200)
    logger.debug("headers: token")
    logger.warning("late by %s", "3 s")
    try:
        fails("boom")
    except RuntimeError:
        logger.exception("failed\nin two lines")
    logger.log(35, "a level of its own")
    logger.warning("wrong %d", "text")
    first, second, third, fourth = lines(stderr)
    assert (first["event"], first["logger"], first["message"]) == (
        "library.logged",
        name,
        "late by 3 s",
    )
    assert "RuntimeError: boom" in second["exception"]
    assert third["level"] == "warning"
    assert "could not be put together" in fourth["message"]


def test_warnings_are_lines_too(configured: Configured) -> None:
    stderr = configured()
    with warnings.catch_warnings():
        logging.captureWarnings(capture=False)
        logging.captureWarnings(capture=True)  # within what pytest does about warnings
        warnings.simplefilter("always")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "DeprecationWarning: old" in lines(stderr)[0]["message"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_traceback_shows_no_local_variable(configured: Configured, form: Any) -> None:
    stderr = configured(form)
    try:
        fails("length")
    except RuntimeError:
        structlog.get_logger().exception("rule.failed")
    assert "RuntimeError: length 6" in stderr.getvalue()
    assert "s3cr3t" not in stderr.getvalue()


def test_a_log_that_cannot_be_written_stops_nothing(configured: Configured) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, f"No space left on device, for {len(text)}")

    configured(stream=Full())
    structlog.get_logger().error("disk.full")
    configured().close()
    EntryLog().heard(e.Recorded(1, NOW, e.Stopped("SIGTERM"), "00"))
