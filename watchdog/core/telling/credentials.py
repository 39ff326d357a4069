"""Which credentials channels and status pages are told by: without one nobody is told by them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from watchdog.core.asking import Endpoint
from watchdog.core.telling.contacts import AppriseUrl, Channel, Contacts
from watchdog.core.telling.status_pages import AtlassianPage, StatusCall, StatusPage

Lacks = Callable[[str], str]
"""Why a credential cannot be read now; "" where it can."""


def credentials_of(contacts: Contacts | None) -> Mapping[str, tuple[str, ...]]:
    """By the name of a channel or of a status page, each credential once; who needs none is left
    out.
    """
    if contacts is None:
        return {}
    found = {name: _of_channel(one) for name, one in contacts.channels.items()}
    found |= {name: _of_page(one) for name, one in contacts.status_pages.items()}
    return {name: tuple(dict.fromkeys(needed)) for name, needed in found.items() if needed}


def missing_of(contacts: Contacts | None, lacks: Lacks) -> Mapping[str, str]:
    """By the name of a channel or a status page, why it cannot be told anything."""
    found = {}
    for name, needed in credentials_of(contacts).items():
        reasons = [why for one in needed if (why := lacks(one))]
        if reasons:
            found[name] = "; ".join(reasons)
    return found


def _of_channel(channel: Channel) -> tuple[str, ...]:
    how = channel.how
    if isinstance(how, AppriseUrl):
        return (how.secret,) if how.secret else ()
    return (*_sent_to(how.endpoint), *([how.hmac] if how.hmac else []))


def _of_page(page: StatusPage) -> tuple[str, ...]:
    match page.how:
        case AtlassianPage(endpoint=endpoint) | StatusCall(endpoint=endpoint):
            return tuple(_sent_to(endpoint))
        case _:
            return ()


def _sent_to(endpoint: Endpoint) -> Iterator[str]:
    return (header.secret for header in endpoint.headers if header.secret is not None)
