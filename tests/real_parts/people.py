"""Who is told: a real SMTP server, and a real HTTP server that takes webhooks.

Both can be taken away and brought back at the same address, refuse, hang, and count what came.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import hashlib
import hmac
import json
import socket
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, Self

from aiosmtpd.smtp import SMTP, Envelope, Session


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Mail:
    to: tuple[str, ...]
    message: Message

    @property
    def subject(self) -> str:
        parts = email.header.decode_header(self.message["Subject"])
        return "".join(p.decode(c or "utf-8") if isinstance(p, bytes) else p for p, c in parts)

    @property
    def text(self) -> str:
        for part in self.message.walk():
            if part.get_content_type() == "text/plain":
                raw = part.get_payload(decode=True)
                text = raw.decode("utf-8") if isinstance(raw, bytes) else str(raw)
                return text.replace("\r\n", "\n")
        return ""


class MailServer:
    """Takes mail on loopback; `refuses` answers 550, `hangs` never answers."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[Mail] = []
        self.refuses = False
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.example.org"), "127.0.0.1", self.port
        )

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's own name
        if self.refuses:
            return "550 not today"
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content).encode()
        self.mails.append(Mail(tuple(envelope.rcpt_tos), email.message_from_bytes(raw)))
        return "250 taken"


@dataclass(frozen=True, slots=True)
class Post:
    headers: dict[str, str]
    body: bytes
    document: dict[str, Any]

    @property
    def notes(self) -> list[str]:
        return [note["id"] for note in self.document["notes"]]

    def is_signed_by(self, key: str) -> bool:
        told = self.headers["x-watchdog-timestamp"].encode() + b"." + self.body
        made = hmac.new(key.encode(), told, hashlib.sha256).hexdigest()
        return self.headers["x-watchdog-signature"] == f"sha256={made}"


@dataclass
class HookServer:
    """Takes POSTs on loopback and answers `status`; `hangs` takes them and says nothing."""

    status: int = 200
    hangs: bool = False
    answers_after_seconds: float = 0.0
    retry_after: str = ""
    port: int = field(default_factory=free_port)
    posts: list[Post] = field(default_factory=list)
    tried: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.shut()

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)

    async def shut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._open):
            writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._answer(reader, writer)
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        self.tried += 1
        await asyncio.sleep(3600 if self.hangs else self.answers_after_seconds)
        if self.status < 300:
            self.posts.append(Post(headers, body, json.loads(body)))
        pause = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
        answer = (
            f"HTTP/1.1 {self.status} Said\r\n{pause}Content-Length: 0\r\nConnection: close\r\n\r\n"
        )
        writer.write(answer.encode())
        await writer.drain()
