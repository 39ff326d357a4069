"""What may be shown of a URL and of an error's text."""

from __future__ import annotations

import httpx

_SHORTEST = 4  # hiding shorter texts would riddle every reason with stars and tell their length
_LONGEST_REASON = 400


def shown_url(url: str) -> str:
    """Scheme, host, port and path. User names, passwords and queries often hold secrets."""
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "(unreadable URL)"
    host = f"[{parsed.host}]" if ":" in parsed.host else parsed.host
    port = f":{parsed.port}" if parsed.port is not None else ""
    query = "?..." if parsed.query else ""
    return f"{parsed.scheme}://{host}{port}{parsed.path}{query}"[:200]


class Redactor:
    """Knows one request's secrets, and takes them out of texts."""

    def __init__(self) -> None:
        self._hidden: set[str] = set()

    def __repr__(self) -> str:
        return f"Redactor({len(self._hidden)} hidden)"

    def hide(self, *texts: str) -> None:
        self._hidden.update(text for text in texts if len(text) >= _SHORTEST)

    def text(self, text: str) -> str:
        # The longest first: a secret may contain another one.
        for hidden in sorted(self._hidden, key=len, reverse=True):
            text = text.replace(hidden, "***")
        return text[:_LONGEST_REASON]
