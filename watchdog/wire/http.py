"""HTTP with a bound on everything: time, bytes, redirects, connections, and what is told of it.

Laws kept here:

* The deadline is total, from before the name lookup to the last byte of the body, however
  slowly that drips. The caller always gets a value: `HttpAnswer` or `HttpProblem`.
* Nothing comes from the environment: no proxies, no netrc. No redirects, no cookies.
* `HttpProblem.sent` is False only where the server cannot have seen the request.
* A kept connection that the server closed meanwhile is our affair, not the server's: a GET is
  tried once more on a new one, inside the same deadline. Other methods always get a new one.
* A time-out while our own loop stood still is LATE, not TIMED_OUT.
* No secret is in a reason, a repr or a log line. Secrets are read again for each request.

"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpcore
import httpx

from watchdog.core.spec import Endpoint
from watchdog.ports import SecretMissing, Secrets
from watchdog.wire.body import read_body
from watchdog.wire.lines import Lines
from watchdog.wire.pulse import Pulse
from watchdog.wire.redact import Redactor, shown_url
from watchdog.wire.transport import Progress, Stage
from watchdog.wire.troubles import Refusal, Trouble, judged, overdue

__all__ = ["HttpAnswer", "HttpProblem", "Trouble", "Wire"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REPEATABLE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer with any status but a redirect's."""

    status: int
    headers: httpx.Headers = field(repr=False)  # names in any case
    body: bytes = field(repr=False)
    took_seconds: float


@dataclass(frozen=True, slots=True)
class HttpProblem:
    """No answer. `sent`: the request may have reached the server, also if nothing came back."""

    kind: Trouble
    reason: str
    sent: bool
    took_seconds: float = 0.0


class Wire:
    """Asks endpoints. One for the whole process; close it with `aclose`."""

    def __init__(self, secrets: Secrets, *, user_agent: str = "slo-watchdog") -> None:
        self._secrets = secrets
        self._user_agent = user_agent
        self._lines = Lines()
        self._purpose = ""

    def apart(self, purpose: str) -> Wire:
        """The same with connections of its own: who asks there never waits for those of others.

        They are closed with this one.
        """
        other = Wire(self._secrets, user_agent=self._user_agent)
        other._lines, other._purpose = self._lines, purpose
        return other

    @property
    def secrets(self) -> Secrets:
        """Whose texts its requests carry: to look whether they are there, and to hide them."""
        return self._secrets

    async def ask(
        self,
        endpoint: Endpoint,
        *,
        method: str = "GET",
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
        deadline_seconds: float,
        max_bytes: int,
    ) -> HttpAnswer | HttpProblem:
        """One request; never raises. The endpoint's own headers win over `headers`.

        `max_bytes` counts the body both as sent and unpacked. A body without a content type is
        sent as application/json.
        """
        loop = asyncio.get_running_loop()
        began = loop.time()
        hidden = Redactor()
        progress = Progress()
        with Pulse(deadline_seconds) as pulse:
            try:
                async with asyncio.timeout(deadline_seconds):
                    request = self._request(endpoint, method, body, headers or {}, hidden)
                    return await self._answer(
                        endpoint, request, deadline_seconds, max_bytes, progress
                    )
            except TimeoutError:
                kind, reason = overdue(progress, deadline_seconds, pulse)
            except Refusal as refusal:
                kind, reason = refusal.kind, refusal.reason
            except Exception as error:  # noqa: BLE001  # outcomes are returned, whatever goes wrong
                kind, reason = judged(error)
        return HttpProblem(
            kind,
            hidden.text(f"{shown_url(endpoint.url)}: {reason}"),
            sent=progress.sent,
            took_seconds=loop.time() - began,
        )

    async def aclose(self) -> None:
        await self._lines.aclose()

    # -- one request -------------------------------------------------------------------------------

    def _request(
        self,
        endpoint: Endpoint,
        method: str,
        body: str | None,
        headers: Mapping[str, str],
        hidden: Redactor,
    ) -> httpx.Request:
        try:
            url = httpx.URL(endpoint.url)
        except httpx.InvalidURL:
            raise Refusal(Trouble.OURS, "this URL cannot be read") from None
        if url.scheme not in {"http", "https"} or not url.host:
            raise Refusal(Trouble.OURS, "only http:// and https:// with a host can be asked")
        sent = httpx.Headers(
            {"user-agent": self._user_agent, "accept": "*/*", "accept-encoding": "gzip"}
        )
        if body is not None:
            sent["content-type"] = "application/json"
        if url.userinfo:
            hidden.hide(url.password)
            pair = base64.b64encode(f"{url.username}:{url.password}".encode()).decode()
            sent["authorization"] = f"Basic {pair}"
            hidden.hide(pair)
            url = url.copy_with(userinfo=b"")
        for name, value in headers.items():
            _set(sent, name, value)
        for header in endpoint.headers:
            value = header.value
            if header.secret is not None:
                try:
                    secret = self._secrets.read(header.secret)
                except SecretMissing as missing:
                    raise Refusal(Trouble.SECRET_MISSING, str(missing)) from None
                hidden.hide(secret)
                value += secret
            _set(sent, header.name, value, header.secret)
        return httpx.Request(method, url, headers=sent, content=body)

    async def _answer(
        self,
        endpoint: Endpoint,
        request: httpx.Request,
        deadline_seconds: float,
        max_bytes: int,
        progress: Progress,
    ) -> HttpAnswer:
        loop = asyncio.get_running_loop()
        began = loop.time()
        repeatable = request.method in _REPEATABLE
        # The pool may use half of the time, so that its own trouble shows as that.
        request.extensions["timeout"] = {"pool": deadline_seconds / 2, "connect": deadline_seconds}
        while True:
            with self._lines.take(
                request.url, endpoint.ca_file, keep=repeatable, purpose=self._purpose
            ) as (transport, retire):
                try:
                    response = await transport.send(request, progress)
                    try:
                        if response.status_code in _REDIRECTS:
                            raise _redirected(response)
                        whole = await read_body(response, max_bytes)
                    finally:
                        await response.aclose()
                except (httpcore.ReadError, httpcore.RemoteProtocolError):
                    retire()
                    if not (repeatable and progress.kept and progress.stage is Stage.SENDING):
                        raise
                    # Closed while it was kept, most likely before it saw this request.
                except (asyncio.CancelledError, httpcore.PoolTimeout):
                    retire()
                    raise
                else:
                    took_seconds = loop.time() - began
                    return HttpAnswer(response.status_code, response.headers, whole, took_seconds)


def _set(headers: httpx.Headers, name: str, value: str, secret: str | None = None) -> None:
    # Checked here, because the error that comes later would quote the value.
    if not (value.isascii() and value.isprintable() and name.isascii() and name.isprintable()):
        if secret is not None:
            what = f"credential {secret} holds a character that no header may hold"
            raise Refusal(Trouble.SECRET_MISSING, what)
        raise Refusal(Trouble.OURS, f"header {name!r} holds a character that no header may hold")
    headers[name] = value


def _redirected(response: httpx.Response) -> Refusal:
    to = response.headers.get("location", "nowhere")
    shown = shown_url(to) if "://" in to else to.partition("?")[0][:200]
    return Refusal(Trouble.REDIRECTED, f"{response.status_code} redirects to {shown}")
