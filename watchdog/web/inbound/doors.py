"""The doors: `POST /api/v1/alertmanager` with a token; `POST /api/v1/events`, and for pipelines
`POST /api/v1/deploys`, with a signature, and `POST /api/v1/answers` for people's acks and holds.

Laws
* Who is not known by a channel's key is told 401 and nothing else, whatever else is wrong.
* A body is read to its cap and within its time, and a channel tells no more than its pace allows.
* 200 means that it is on record. Nothing is believed that could not be recorded: 503.
* What was told before is no news: an Alertmanager that repeats is answered 200, a signed event
  that comes again is answered 409; a pipeline that repeats is answered as before, and a deploy
  that is over is not begun again.

Whoever is refused is counted and, once a minute, in the log; nothing of its request is.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from watchdog.core.channels import Channel, EventReceived
from watchdog.core.heard import News
from watchdog.core.spec import Policy, SourceSpec
from watchdog.engine import (
    DeployDesk,
    DeployRefused,
    Inbox,
    NotRecorded,
    OrderRefused,
    Orders,
    OrderUnrecorded,
)
from watchdog.ports import Clock, SecretMissing, Secrets
from watchdog.web.inbound.answers import take
from watchdog.web.inbound.bodies import Wrong, alerts_of, event_of
from watchdog.web.inbound.pace import LEAST_COST, Bucket, bucket_of
from watchdog.web.inbound.pipelines import Pipeline, answer, tell
from watchdog.web.inbound.proof import FRESH_SECONDS, bearer, is_one_of, is_signed, timestamp_of
from watchdog.web.json_response import Json
from watchdog.wire.keys import keys_of

BODY_SECONDS = 3.0
"""For the whole body: less than the connection's own patience, so that the sender is answered."""

NOBODY = "unknown"
"""The channel of those who named none that there is."""

_TOLD_AGAIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Inbound:
    """What stands behind the doors. `count` is told of a channel, what came of it, how many."""

    inbox: Inbox
    deploys: DeployDesk
    orders: Orders
    policy: Callable[[], Policy]
    secrets: Secrets
    clock: Clock
    count: Callable[[str, str, int], None] = lambda *_: None


class _Refused(Exception):  # an answer on its way out
    """`result` is counted; `told` is what the sender hears."""

    def __init__(self, status: int, channel: str, result: str, told: str) -> None:
        super().__init__(result)
        self.status, self.channel, self.result, self.told = status, channel, result, told
        self.headers: dict[str, str] = {}


def _unknown(channel: str = NOBODY) -> _Refused:
    refused = _Refused(401, channel, "unauthenticated", "not authenticated")
    refused.headers["WWW-Authenticate"] = "Bearer"
    return refused


def inbound_routes(behind: Inbound) -> list[Route]:
    """The only addresses of the port that take a body."""
    doors = _Doors(behind)
    return [
        Route("/api/v1/alertmanager", doors.alertmanager, methods=["POST"]),
        Route("/api/v1/events", doors.event, methods=["POST"]),
        Route("/api/v1/deploys", doors.deploy, methods=["POST"]),
        Route("/api/v1/answers", doors.answer, methods=["POST"]),
    ]


@dataclass(slots=True)
class _Doors:
    behind: Inbound
    _paces: dict[str, Bucket] = field(default_factory=dict)
    _logged: dict[tuple[str, str], float] = field(default_factory=dict)

    async def alertmanager(self, request: Request) -> Response:
        return await self._answered(self._alertmanager, request)

    async def event(self, request: Request) -> Response:
        return await self._answered(self._event, request)

    async def deploy(self, request: Request) -> Response:
        return await self._answered(self._deploy, request)

    async def answer(self, request: Request) -> Response:
        return await self._answered(self._answer, request)

    async def _alertmanager(self, request: Request) -> Response:
        """Known by its token, before anything of the body is read."""
        source, channel = self._shown(request.headers.get("authorization", ""))
        body = await _body(request, source, channel)
        try:
            now = self.behind.clock.now().wall
            brought = alerts_of(channel, body, source.max_series, now)
        except Wrong as wrong:
            raise _Refused(422, channel, "malformed", str(wrong)) from None
        if brought.truncated:
            self._note(channel, "truncated", brought.truncated)
        if brought.ahead:
            self._note(channel, "in_future", brought.ahead)
        self._pace(source, channel, len(brought.alerts))
        news = self._take(source, channel, brought.alerts)
        fresh = sum(one in {News.NEW, News.RESOLVED} for one in news)
        return Json({"recorded": fresh, "known": len(news) - fresh})

    async def _event(self, request: Request) -> Response:
        source, channel, body = await self._signed(request, "hmac")
        try:
            event = event_of(channel, body, self.behind.clock.now().wall)
        except Wrong as wrong:
            raise _Refused(422, channel, "malformed", str(wrong)) from None
        (news,) = self._take(source, channel, [event])
        if news not in {News.NEW, News.RESOLVED}:
            told = f"{event.id} was told before: {event.status.value}"
            return Json({"refused": told}, 409)
        return Json({"recorded": event.id})

    async def _deploy(self, request: Request) -> Response:
        """Answered when it is on the record, or was before."""
        source, channel, body = await self._signed(request, "deploys")
        assert isinstance(source.how, Channel)  # noqa: S101  # a channel's spec has no other
        try:
            told = tell(Pipeline(channel, source.how), body, self.behind.deploys)
        except Wrong as wrong:
            raise _Refused(422, channel, "malformed", str(wrong)) from None
        except DeployRefused as refused:
            raise _Refused(409, channel, "refused", str(refused)) from None
        except NotRecorded:
            raise _not_recorded(channel) from None
        news = News.NEW if told.deploy.ended is None else News.RESOLVED
        self.behind.count(channel, (News.REPEATED if told.known else news).value, 1)
        return Json(answer(told))

    async def _answer(self, request: Request) -> Response:
        """What people say by a message: an ack or a hold, on the record when it is answered."""
        _, channel, body = await self._signed(request, "answers")
        try:
            told = take(channel, body, self.behind.orders)
        except Wrong as wrong:
            raise _Refused(422, channel, "malformed", str(wrong)) from None
        except OrderUnrecorded:
            raise _not_recorded(channel) from None
        except OrderRefused as refused:
            raise _Refused(409, channel, "refused", str(refused)) from None
        news = News.REPEATED if told.known else News.NEW
        self.behind.count(channel, news.value, 1)
        return Json({"effect": told.effect, "known": told.known})

    async def _signed(self, request: Request, kind: str) -> tuple[SourceSpec, str, bytes]:
        """Known by its signature over the time and the whole body."""
        headers = request.headers
        source, channel = self._named(headers.get("x-watchdog-channel", ""), kind)
        timestamp = headers.get("x-watchdog-timestamp", "")
        at = timestamp_of(timestamp)
        if at is None:
            raise _unknown(channel)
        keys = self._keys(source, channel)
        body = await _body(request, source, channel)
        if not is_signed(keys, timestamp, body, headers.get("x-watchdog-signature", "")):
            raise _unknown(channel)
        now = self.behind.clock.now()
        if abs(at - now.wall) > FRESH_SECONDS:
            told = f"the timestamp is {at - now.wall:+.0f} s from our clock; sign it anew"
            raise _Refused(401, channel, "not_fresh", told)
        self._pace(source, channel, 1)
        return source, channel, body

    # -- who -----------------------------------------------------------------------------------

    def _shown(self, authorization: str) -> tuple[SourceSpec, str]:
        """The channel whose token this is; all of them are tried."""
        token = bearer(authorization)
        if token is None:
            raise _unknown()
        found, deaf = [], ""
        for source, how, name in _channels(self.behind.policy(), "token"):
            try:
                keys = keys_of(self.behind.secrets, how.credential)
            except SecretMissing:
                deaf = name
                continue
            if is_one_of(token, keys):
                found.append((source, name))
        if not found and deaf:
            raise _deaf(deaf)
        if not found:
            raise _unknown()
        return found[0]

    def _named(self, name: str, kind: str) -> tuple[SourceSpec, str]:
        for source, _, known in _channels(self.behind.policy(), kind):
            if known == name:
                return source, known
        raise _unknown()

    def _keys(self, source: SourceSpec, channel: str) -> tuple[bytes, ...]:
        how = source.how
        try:
            return keys_of(self.behind.secrets, how.credential if isinstance(how, Channel) else "")
        except SecretMissing:
            raise _deaf(channel) from None

    # -- what ----------------------------------------------------------------------------------

    def _pace(self, source: SourceSpec, channel: str, events: int) -> None:
        kind = source.how.kind if isinstance(source.how, Channel) else "hmac"
        bucket = self._paces.setdefault(source.name, bucket_of(kind))
        wait = bucket.wait(max(LEAST_COST[kind], events), self.behind.clock.now().steady)
        if wait:
            refused = _Refused(429, channel, "too_many", "too much at once; try again later")
            refused.headers["Retry-After"] = str(math.ceil(wait))
            raise refused

    def _take(
        self, source: SourceSpec, channel: str, told: Sequence[EventReceived]
    ) -> Sequence[News | None]:
        taken = self.behind.inbox.take(source, told)
        if not taken.recorded:
            raise _not_recorded(channel)
        for news in taken.news:
            self.behind.count(channel, (news or News.REPEATED).value, 1)
        return taken.news

    # -- answers -------------------------------------------------------------------------------

    async def _answered(
        self, door: Callable[[Request], Awaitable[Response]], request: Request
    ) -> Response:
        try:
            return await door(request)
        except _Refused as refused:
            self._note(refused.channel, refused.result, 1)
            word = "wrong" if refused.status in {413, 422} else "refused"
            return Json({word: refused.told}, refused.status, refused.headers)

    def _note(self, channel: str, result: str, number: int) -> None:
        self.behind.count(channel, result, number)
        now = self.behind.clock.now().steady
        if now - self._logged.get((channel, result), -math.inf) >= _TOLD_AGAIN_SECONDS:
            self._logged[channel, result] = now
            structlog.get_logger().warning("event.refused", channel=channel, result=result)


def _channels(policy: Policy, kind: str) -> Iterable[tuple[SourceSpec, Channel, str]]:
    for source in policy.sources.values():
        how = source.how
        if isinstance(how, Channel) and how.kind == kind:
            yield source, how, source.name.partition(":")[2]


def _not_recorded(channel: str) -> _Refused:
    return _Refused(503, channel, "not_recorded", "it cannot be recorded now; try again")


def _deaf(channel: str) -> _Refused:
    """Ours is the fault, and a sender that tries again is heard once it is mended."""
    return _Refused(503, channel, "deaf", "nobody can be believed here now; try again")


async def _body(request: Request, source: SourceSpec, channel: str) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > source.max_bytes:
                    told = f"more than {source.max_bytes} bytes"
                    raise _Refused(413, channel, "too_large", told)
    except TimeoutError:
        raise _Refused(408, channel, "too_slow", "the body did not come in time") from None
    except ClientDisconnect:
        raise _Refused(400, channel, "cut_off", "the body was cut off") from None
    return bytes(body)
