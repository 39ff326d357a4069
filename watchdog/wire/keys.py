"""The keys that a credential holds: one a line, and two of them while they are rotated.

With two lines either key is good, so that senders can be moved one by one; whoever removes the
first line ends the old key. Keys that can be guessed are refused.
"""

from __future__ import annotations

from watchdog.ports import SecretMissing, Secrets

MOST_KEYS = 2
SHORTEST_KEY = 16


def keys_of(secrets: Secrets, name: str) -> tuple[bytes, ...]:
    """Those of the credential, read anew. Raises SecretMissing, never with the text itself."""
    lines = [line.strip() for line in secrets.read(name).splitlines()]
    keys = [line.encode() for line in lines if line]
    if not 0 < len(keys) <= MOST_KEYS:
        raise SecretMissing(
            f"credential {name} holds {len(keys)} keys; write one a line, and two while they rotate"
        )
    if min(map(len, keys)) < SHORTEST_KEY:
        raise SecretMissing(
            f"credential {name} holds a key of less than {SHORTEST_KEY} characters; "
            "write one that nobody can guess: openssl rand -hex 32"
        )
    return tuple(keys)
