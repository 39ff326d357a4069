"""Which server, as whom, under which name; the password is read anew for each connection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from watchdog.store.trouble import Place
from watchdog.wire.store_address import refusal

DIAL_SECONDS = 3.0
"""How long one attempt to reach one server may take, up to the end of its log-in."""

_SILENT_MS = 5000  # sent and not acknowledged by the other kernel: the connection is dead

_REMEDY = (
    "Nothing acts until a person decides. Keep a copy of the database (pg_dump); then restore the "
    "newest good backup, or make a new database for a journal that forgets open episodes and holds."
)


def _no_password() -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Address:
    """A store that several daemons share. `name` is this daemon's among them."""

    url: str  # without a password
    name: str
    password: Callable[[], str] = field(default=_no_password, repr=False)
    credential: str = ""  # which one holds it, in words
    mark: str = "store.mark"  # the file that a person removes to accept an older journal

    def __post_init__(self) -> None:
        """Raises ValueError at what the settings would have refused."""
        if why := refusal(self.url):
            raise ValueError(why)

    @property
    def place(self) -> Place:
        accept = f"remove {self.mark} of every daemon's state folder"
        return Place(self.url, _REMEDY, accept)

    def conninfo(self, purpose: str) -> str:
        """For libpq; holds the password. Raises SecretMissing.

        What the environment or the user's files might say is overridden by saying it here.
        """
        said: dict[str, Any] = conninfo_to_dict(self.url)
        return make_conninfo(
            **said
            | {
                "password": self.password(),
                "passfile": "/dev/null/none",  # no file, so none is looked into
                "options": "",
                "application_name": f"slo-watchdog {purpose} {self.name}"[:63],
                "client_encoding": "UTF8",
                "connect_timeout": int(DIAL_SECONDS),
                "gssencmode": "disable",  # asks a key server that nobody set a deadline for
                "keepalives": 1,
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "tcp_user_timeout": _SILENT_MS,
            }
        )
