"""Where this daemon keeps its record, that no other bears its name, and who wrote there before."""

from __future__ import annotations

from watchdog.clock import Left
from watchdog.engine import Engine, last_pass
from watchdog.ports import JournalBusy, told_at_the_end
from watchdog.settings import Settings
from watchdog.store import Store, Where
from watchdog.wire.secrets import FileSecrets

_INIT_AGAIN = (
    "It is done wholly or not at all, and nothing acts meanwhile. It is not tried again by itself: "
    "run init again when it answers"
)
_START_AGAIN = (
    "Nothing acts until it answers. This process ends; the service manager starts it again every "
    "few seconds, and so it is tried again"
)


def where(settings: Settings) -> Where:
    """The store that is meant; its password is read anew whenever it is needed."""
    secrets = FileSecrets.of_service(*([settings.secrets_dir] if settings.secrets_dir else []))

    def password() -> str:
        return secrets.read(settings.store_password) if settings.store_password else ""

    named = settings.store_password
    credential = f"its password is the credential `{named}`" if named else "no password was given"
    said = f"{credential}: setting `store_password`"
    return Where(settings.state_dir, settings.store, settings.known_as, password, said)


def refuse_a_second(store: Store, settings: Settings) -> None:
    """Two of one name would follow each other's history. Raises JournalBusy, JournalError."""
    namesake = store.peers.namesake(settings.lease) if store.peers is not None else ""
    if namesake:
        raise JournalBusy(
            f"{namesake}, on this very store. Give this one another `name` in its settings"
        )


def left_by_before(engine: Engine) -> Left | None:
    """The newest instant that the process before this one has written anywhere."""
    started = engine.book.started
    written = [at for at in (engine.book.last, last_pass(engine.ports.history)) if at is not None]
    if started is None or not written:
        return None
    return Left(max(written, key=lambda at: at.steady), started.boot)


def init_failed(error: Exception) -> str:
    """What `init` says that ends by it."""
    return told_at_the_end(error, _INIT_AGAIN)


def start_failed(error: Exception) -> str:
    """What a daemon says that cannot start."""
    return told_at_the_end(error, _START_AGAIN)
