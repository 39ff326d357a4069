"""Where this daemon keeps its record, as its settings say, and that it is the one of its name."""

from __future__ import annotations

from watchdog.ports import JournalBusy
from watchdog.settings import Settings
from watchdog.store import Store, Where
from watchdog.wire.secrets import FileSecrets


def where(settings: Settings) -> Where:
    """The store that is meant; its password is read anew whenever it is needed."""
    secrets = FileSecrets.of_service(*([settings.secrets_dir] if settings.secrets_dir else []))

    def password() -> str:
        return secrets.read(settings.store_password) if settings.store_password else ""

    return Where(settings.state_dir, settings.store, settings.known_as, password)


def refuse_a_second(store: Store, settings: Settings) -> None:
    """Two of one name would follow each other's history. Raises JournalBusy, JournalError."""
    namesake = store.peers.namesake(settings.lease) if store.peers is not None else ""
    if namesake:
        raise JournalBusy(
            f"{namesake}, on this very store. Give this one another `name` in its settings"
        )
