"""The journal itself, read beside a daemon or without one: for when the daemon is down.

It takes no lock and changes nothing. What the journal does not hold (present verdicts, sources)
cannot be told from it, and is not.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from watchdog.cli.exits import NOT_SO
from watchdog.cli.page import Page, ago, clock, plain, word
from watchdog.cli.shared import fail
from watchdog.cli.why_page import show_decision
from watchdog.core.book import Book
from watchdog.core.entries import Stopped
from watchdog.core.naming import family_of, is_of
from watchdog.engine import DecisionShape, decisions_of, recorded_evidence
from watchdog.ports import JournalError, JournalMissing, SecretMissing, told_at_the_end
from watchdog.store import Reader, Where, open_reader
from watchdog.store.folder import JOURNAL, SHARED_MARKER
from watchdog.wire.secrets import FileSecrets
from watchdog.wire.store_address import is_address

View = dict[str, Any]

DEFAULT_SECRETS = "/etc/slo-watchdog/secrets"
STORE_PASSWORD = "store-password"  # noqa: S105  # a file's name

_ASK_AGAIN = (
    "Where the daemons do not reach it either, nothing acts until they do: they try again by "
    "themselves, this command does not. Run it again"
)

_BOOK: TypeAdapter[Book] = TypeAdapter(Book)


@contextmanager
def journal(place: str, option: str = "--state-dir") -> Iterator[Reader]:
    """The journal of a state folder or of a server, or the exit status that says why not.

    `option` is that by which the command is told the place.
    """
    where = _where(place)
    try:
        with open_reader(where) as reader:
            yield reader
    except JournalMissing as error:
        path = where.state_dir / JOURNAL
        elsewhere = where.url or (where.state_dir / SHARED_MARKER).exists()
        fail(str(error) if elsewhere else _not_there(path, option), NOT_SO)
    except (JournalError, OSError) as error:
        fail(told_at_the_end(error, _ASK_AGAIN), NOT_SO)


def _not_there(path: Path, option: str) -> str:
    return (
        f"{path} does not exist. Name the state folder of the daemon, or a copy of its journal: "
        f"{option} PLACE"
    )


def _where(place: str) -> Where:
    """A server is asked with the credential that the daemon's settings name, where there is one."""
    if not is_address(place):
        return Where(_state_folder(Path(place)))
    name = os.environ.get("WATCHDOG_STORE_PASSWORD", STORE_PASSWORD)
    folder = os.environ.get("WATCHDOG_SECRETS_DIR", DEFAULT_SECRETS)

    def password() -> str:
        try:
            return FileSecrets.of_service(folder).read(name)
        except SecretMissing:
            return ""  # it may let us in without one; if not, it says so

    said = f"its password is the file {name} in {folder}, if there is one"
    credential = f"{said}: WATCHDOG_STORE_PASSWORD and WATCHDOG_SECRETS_DIR name another"
    return Where(Path(), place, password=password, credential=credential)


def decisions_after(reader: Reader, after: int) -> Iterator[DecisionShape]:
    return iter(decisions_of(reader.read(after)))


def show_record(page: Page, reader: Reader, now: datetime) -> None:
    """What the journal says was the case when it was last written."""
    book, stopped = _fold(reader)
    started = book.started
    if started is None or book.last is None:
        page.line("The journal is empty: no daemon has watched on it yet.")
        return
    last = book.last.utc.isoformat()
    ended = f"It stopped: {stopped}." if stopped else "It has not said that it stopped."
    page.line(plain("This is the record, not the present", "bold yellow"))
    page.line(
        f"{started.environment} on {started.host}, version {started.version}. Last written "
        f"{ago(last, now)} ago, {clock(last, now)}. {ended}"
    )
    page.title("Open episodes")
    rows = [(ep.id, ep.state.value, ep.rule, ep.reason) for ep in book.open_episodes()] or [
        ("none", "", "", "")
    ]
    page.rows(rows)
    page.title("Holds")
    page.rows(
        [(hold.id, hold.scope.text, f"{hold.actor}: {hold.reason}") for hold in book.holds.values()]
        or [("none", "", "")]
    )
    if book.deploys.open:
        page.title("Deploys")
        page.rows((one.name, one.target, one.actor) for one in book.deploys.open.values())
    if book.outside.silences:
        page.title("Silences in Alertmanager")
        page.rows(
            (one.silence.text, "{" + ", ".join(m.text for m in one.silence.matchers) + "}")
            for one in book.outside.silences.values()
        )


def show_last_decision(page: Page, reader: Reader, rule: str, now: datetime) -> None:
    book, _ = _fold(reader)
    last = None
    for one in decisions_after(reader, 0):
        if is_of(one["rule"], rule):
            last = one
    ep = book.open_episode(rule)
    gone = book.members.retired.get(rule)
    page.line(plain(rule, "bold"), ", as the record says; how it is now cannot be told from it")
    if gone is not None:
        page.line(f"It is not watched any more since {gone[1].utc:%Y-%m-%d %H:%M:%SZ}: {gone[0]}")
    if ep is not None:
        page.line(f"{ep.id} is ", word(ep.state.value), f": {ep.reason}")
    show_decision(page, last, now)


def recorded(reader: Reader, rule: str) -> View | None:
    """What the journal says that the rule has earned."""
    return recorded_evidence(_fold(reader)[0], family_of(rule))


def _state_folder(path: Path) -> Path:
    """The state folder that is meant. A copy of the journal alone is read where it lies."""
    if path.is_dir() or not path.exists():
        return path
    if path.name != JOURNAL:
        fail(f"{path}: a copy of the journal is read when it is called {JOURNAL}", NOT_SO)
    return path.parent


def base_of(reader: Reader) -> Book | None:
    """What stands for the retired entries. Raises JournalError."""
    base = reader.base()
    try:
        return None if base is None else _BOOK.validate_json(base[2])
    except ValidationError:
        raise JournalError("the journal's snapshot is of another version") from None


def _fold(reader: Reader) -> tuple[Book, str]:
    """The book, and the reason of the stop where the last daemon stopped in order."""
    base = reader.base()
    book = base_of(reader) or Book()
    stopped = ""
    for one in reader.read(base[0] if base else 0):
        book.apply(one.entry, one.at)
        stopped = one.entry.reason if isinstance(one.entry, Stopped) else ""
    return book, stopped
