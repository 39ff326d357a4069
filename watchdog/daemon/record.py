"""Where this daemon keeps its record, as its settings say."""

from __future__ import annotations

from watchdog.settings import Settings
from watchdog.store import Where
from watchdog.wire.secrets import FileSecrets


def where(settings: Settings) -> Where:
    """The store that is meant; its password is read anew whenever it is needed."""
    secrets = FileSecrets.of_service(*([settings.secrets_dir] if settings.secrets_dir else []))

    def password() -> str:
        return secrets.read(settings.store_password) if settings.store_password else ""

    return Where(settings.state_dir, settings.store, settings.known_as, password)
