"""The secrets that an endpoint's requests carry, to be hidden in whatever comes back."""

from __future__ import annotations

from collections.abc import Iterable

import httpx

from watchdog.core.spec import Endpoint
from watchdog.ports import SecretMissing, Secrets


def known_secrets(endpoint: Endpoint, secrets: Secrets) -> frozenset[str]:
    """As they are now. What cannot be read cannot have been sent, and needs no hiding.

    A credential may be rotated while a request is under way: ask before and after it.
    """
    return frozenset(_texts(endpoint, secrets))


def _texts(endpoint: Endpoint, secrets: Secrets) -> Iterable[str]:
    for header in endpoint.headers:
        if header.secret is not None:
            try:
                yield secrets.read(header.secret)
            except SecretMissing:
                continue
    try:
        yield httpx.URL(endpoint.url).password
    except httpx.InvalidURL:
        return
