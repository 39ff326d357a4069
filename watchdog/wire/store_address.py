"""The address of a shared store, as the settings write it: a PostgreSQL URL without a password.

A password in a URL ends up in process lists, backups of settings and logs: it is a credential,
read from its file. What the program decides itself (time-outs, encoding, options) is refused, so
that an address can weaken nothing.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

SCHEMES = ("postgresql", "postgres")

_ALLOWED = frozenset(
    {
        "channel_binding",
        "dbname",
        "host",
        "hostaddr",
        "port",
        "require_auth",
        "sslcert",
        "sslcrl",
        "sslkey",
        "sslmode",
        "sslrootcert",
        "ssl_min_protocol_version",
        "target_session_attrs",
        "user",
    }
)


def is_address(text: str) -> bool:
    """Whether this names a server and not a folder."""
    return text.partition("://")[0].lower() in SCHEMES


def refusal(url: str) -> str:
    """Why this cannot be the address of a store, or nothing. Quotes no part of a password."""
    if not is_address(url):
        return "write postgresql://USER@HOST/DATABASE, or leave it out for SQLite in state_dir"
    try:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError:
        return "is no URL: write postgresql://USER@HOST/DATABASE"
    names = {name for name, _ in query}
    if ":" in parts.netloc.rpartition("@")[0] or names & {"password", "passfile"}:
        return "holds a password. Put that into a credential file and name it: store_password"
    if strange := sorted(names - _ALLOWED):
        return (
            f"{strange[0]} is not for the address to say; there are: {', '.join(sorted(_ALLOWED))}"
        )
    if not parts.path.strip("/") and "dbname" not in names:
        return "names no database: postgresql://USER@HOST/DATABASE"
    return ""
