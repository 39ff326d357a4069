"""Tells people by a service that Apprise knows: chat, mail, phone, pagers, by a URL.

The URL is a credential, or stands in the contacts where it holds no secret; {to}, {key} and {phase}
in it are filled in for each letter. Apprise runs in a process of its own: it waits for services for
as long as these like, and a process can be killed. What it says is cleaned of the URL's secrets.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from watchdog.core.telling.contacts import AppriseUrl
from watchdog.notify.disarming import disarmed
from watchdog.ports import Delivered, Delivery, Letter, Phase, SecretMissing, Secrets
from watchdog.wire.process import Ended, Exited, NotStarted, run
from watchdog.wire.scrub import scrubbed

SENDER = str(Path(__file__).with_name("apprise_sender.py"))
_MAX_BYTES = 65_536
_LONGEST_REASON = 300
_HEADERS_BY_PLUS = frozenset({"mailto", "mailtos", "json", "jsons", "form", "forms", "xml", "xmls"})
"""Services to which a parameter that begins with + is a header."""

_PIECES = re.compile(r"[/?&=@:\[\]]+")
_MAIL = frozenset({"mailto", "mailtos"})
"""What shows plain text as it is: Apprise escapes it where it sends HTML."""


_LOOK_SECONDS = 20.0
_NOBODYS = Letter("look/1", "look:1", Phase.OPENED, urgent=False, subject="", body="")
"""A letter that is never sent."""


class AppriseNotifier:
    """Implements `ports.Notifier`."""

    def __init__(self, how: AppriseUrl, secrets: Secrets) -> None:
        self._how = how
        self._secrets = secrets

    async def send(self, letter: Letter, to: str, *, deadline_seconds: float) -> Delivery:
        try:
            text = self._secrets.read(self._how.secret) if self._how.secret else self._how.url
        except SecretMissing as missing:
            return Delivery(Delivered.REFUSED, str(missing))
        if "{to}" in text and not to:
            return Delivery(Delivered.REFUSED, "its URL asks for an address, and none is named")
        url = filled(text, letter, to, dict(self._how.phases))
        ended = await _run(_asked(letter, url), deadline_seconds)
        return _judged(ended, _secrets_in(text, url))


async def unknown(how: AppriseUrl, secrets: Secrets, to: str) -> str:
    """Why Apprise would take no letter by this URL; empty where it would, or where that cannot be
    known from here. Nothing is sent, and of the URL no more is told than its service's name.
    """
    try:
        text = secrets.read(how.secret) if how.secret else how.url
    except SecretMissing:
        return ""  # which is told by itself
    if "{to}" in text and not to:
        return ""
    url = filled(text, _NOBODYS, to, dict(how.phases))
    ended = await _run(json.dumps({"url": url, "look": True}).encode(), _LOOK_SECONDS)
    try:
        answer = json.loads(ended.stdout.text) if isinstance(ended, Exited) else {}
        known, service = answer["known"], str(answer["service"])
    except (ValueError, KeyError, TypeError):
        return "Apprise could not be asked about its URL"
    if known:
        return ""
    if service:
        return f"Apprise cannot read what stands behind {service}:// in its URL"
    return "its URL begins with no service that Apprise knows"


def filled(text: str, letter: Letter, to: str, phases: Mapping[str, str]) -> str:
    """The URL for this letter. What is put in is quoted: an address is no part of a URL."""
    words = {
        "{to}": quote(to, safe="@+"),
        "{key}": quote(letter.key, safe=""),
        "{phase}": quote(phases.get(letter.phase.value, letter.phase.value), safe=""),
    }
    url = text.strip()
    for mark, word in words.items():
        url = url.replace(mark, word)
    if url.partition(":")[0] in _HEADERS_BY_PLUS:
        sign = "&" if "?" in url else "?"
        url += f"{sign}+X-Watchdog-Id={quote(letter.identity, safe='')}"
    return url


def _asked(letter: Letter, url: str) -> bytes:
    shown = str if url.partition(":")[0] in _MAIL else disarmed
    asked = {
        "url": url,
        "subject": shown(letter.subject),
        "body": shown(letter.body),
        "urgent": letter.urgent,
        "phase": letter.phase.value,
    }
    return json.dumps(asked).encode()


async def _run(asked: bytes, deadline_seconds: float) -> Ended:
    memory = os.memfd_create("slo-watchdog-note", os.MFD_CLOEXEC)
    try:
        os.write(memory, asked)
        os.lseek(memory, 0, os.SEEK_SET)
        argv = (sys.executable, "-I", SENDER)
        return await run(
            argv, deadline_seconds=deadline_seconds, max_bytes=_MAX_BYTES, stdin=memory
        )
    finally:
        os.close(memory)


def _secrets_in(*urls: str) -> tuple[str, ...]:
    """Whatever of a URL may be one: the user, the password, each part of its path and query."""
    found: list[str] = []
    for url in urls:
        try:
            parts = urlsplit(url)
        except ValueError:  # it is none: whatever stands in it may be one
            found += [url, *_PIECES.split(url)]
            continue
        pieces = [parts.username, parts.password, *parts.path.split("/"), *parts.query.split("&")]
        for piece in pieces:
            for text in (piece or "", (piece or "").partition("=")[2]):
                found += [text, unquote(text)]
    return tuple(dict.fromkeys(found))


def _judged(ended: Ended, hidden: tuple[str, ...]) -> Delivery:
    if isinstance(ended, NotStarted):
        return Delivery(Delivered.NOT_SENT, f"Apprise was not started: {ended.reason}")
    if not isinstance(ended, Exited):
        return Delivery(Delivered.NOT_SENT, f"Apprise {ended.reason}")
    try:
        answer = json.loads(ended.stdout.text)
        sent, known, reason = answer["sent"], answer["known"], str(answer["reason"])
    except (ValueError, KeyError, TypeError):
        last = ended.stderr.text.strip().splitlines()[-1:] or [ended.reason]
        return Delivery(Delivered.NOT_SENT, _clean(f"Apprise failed: {last[0]}", hidden))
    if not known:
        return Delivery(Delivered.REFUSED, "the URL is none that Apprise knows; is it whole?")
    if sent is True:
        return Delivery(Delivered.SENT)
    why = _clean(reason, hidden) or "the service did not take it"
    return Delivery(Delivered.NOT_SENT, why)


def _clean(reason: str, hidden: tuple[str, ...]) -> str:
    return scrubbed(reason, known=hidden, most=_LONGEST_REASON)
