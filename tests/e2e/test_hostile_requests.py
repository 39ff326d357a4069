"""A real daemon's read-only port against requests made from its own document.

schemathesis makes them, right ones and wrong ones. Whatever comes, the answer is one that the
document tells of, none is our fault, nobody is believed who did not prove himself, and the watch
goes on.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from jsonschema import Draft202012Validator
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG
from tests.e2e.senders import KEY, TOKEN, let_events_in, secret, signed
from tests.e2e.test_events import passes
from watchdog.core.channels import EventReceived
from watchdog.sandbox.handle import Sandbox
from watchdog.web.openapi import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
DOORS = ("/api/v1/alertmanager", "/api/v1/events", "/api/v1/deploys", "/api/v1/answers")
ENDLESS = "/live"
"""A stream of events has no end that could be waited for."""

TOLD = document()
BELIEVED = 25  # of one channel's pace, which lets 30 requests through at once


@dataclass
class Port:
    """The port, and what it answered. Signing goes round `channels`, as each has a pace."""

    url: str
    examples: int
    channels: dict[str, list[str]] = field(default_factory=dict)
    seen: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    session: requests.Session = field(default_factory=requests.Session)
    turns: Iterator[int] = field(default_factory=count)
    schema: BaseSchema = field(default_factory=lambda: schemathesis.openapi.from_dict(TOLD))

    def look(self, path: str, method: str, *, prove: bool) -> None:
        """Right and wrong requests to one address; with `prove`, by somebody who is believed."""
        operation = self.schema[path][method]
        for mode in GenerationMode:

            @settings(
                max_examples=self.examples,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Case[Any]) -> None:
                self._ask(case, prove=prove)

            if mode is GenerationMode.POSITIVE:
                ask()
            else:
                with suppress(
                    Unsatisfiable
                ):  # an address that takes nothing cannot be asked wrongly
                    ask()

    def _ask(self, case: Case[Any], *, prove: bool) -> None:
        made = requests.Request(**case.as_transport_kwargs(base_url=self.url))
        prepared = self.session.prepare_request(made)
        body = sent(prepared)
        if prove:
            prepared.headers.update(self._proof(case.path, body))
        answer = self.session.send(prepared, timeout=20, allow_redirects=False)
        self.seen[case.method, case.path, answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)
        told = case.method == "POST" and answer.status_code
        if told and not prove:
            assert told == 401
        elif told == 200:
            assert says_what_is_told(case.path, body)

    def _proof(self, path: str, body: bytes) -> dict[str, str]:
        if path == "/api/v1/alertmanager":
            return {"Authorization": f"Bearer {TOKEN}"}
        channels = self.channels[path]
        channel = channels[next(self.turns) // BELIEVED % len(channels)]
        return signed(body, KEY + channel, channel=channel)


def sent(prepared: requests.PreparedRequest) -> bytes:
    body = prepared.body or b""
    assert isinstance(body, bytes | str)
    return body.encode() if isinstance(body, str) else body


def says_what_is_told(path: str, body: bytes) -> bool:
    schema = TOLD["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": TOLD["components"]}
    return Draft202012Validator(whole).is_valid(json.loads(body))


def with_channels(watchdog: Watchdog, number: int) -> dict[str, list[str]]:
    """As many channels of each kind as the requests' number asks for."""
    let_events_in(watchdog)
    found: dict[str, list[str]] = {}
    for path, kind in {"events": "hmac", "deploys": "deploys", "answers": "answers"}.items():
        names = [f"{path}-{turn}" for turn in range(number)]
        found[f"/api/v1/{path}"] = names
        for name in (*names, f"{path}-spare"):
            watchdog.rules.platform["events"] |= {name: {kind: name}}
            secret(watchdog, name, KEY + name)
    return found


async def hold_out(watchdog: Watchdog, sandbox: Sandbox, examples: int) -> Counter[int]:
    """Every address, and the doors once more by somebody who is believed."""
    channels = with_channels(watchdog, 2 * examples // BELIEVED + 1)
    await watchdog.on_guard()
    port = Port(watchdog.web, examples, channels)

    def whole() -> None:
        for path, found in TOLD["paths"].items():
            for method in found:
                if path != ENDLESS:
                    port.look(path, method, prove=False)
        for path in DOORS:
            port.look(path, "post", prove=True)

    await asyncio.to_thread(whole)
    log = Path(watchdog.settings["state_dir"]).parent.joinpath("daemon-1.log").read_text()
    levels = {json.loads(line)["level"] for line in log.splitlines()}
    assert "Traceback" not in log
    assert not levels & {"error", "critical"}
    recorded = {one.channel for one in watchdog.entries(EventReceived)}
    assert recorded <= {*channels["/api/v1/events"], "alertmanager"}
    assert sandbox.flag_changes() == 0
    await passes(watchdog, 3)
    await watchdog.verdict(PEG, "healthy")
    return sum(
        (Counter({status: n}) for (_, _, status), n in port.seen.items()), start=Counter[int]()
    )


async def test_whatever_is_asked_is_answered_as_told(sandbox: Sandbox, watchdog: Watchdog) -> None:
    """And what a door refuses has its own status: forged, stale, too large, of another content."""
    seen = await hold_out(watchdog, sandbox, examples=2)
    assert {200, 401, 422} <= set(seen)
    assert sum(seen.values()) > 80
    assert await asyncio.to_thread(_refusals, watchdog.web) == {
        "no proof": 401,
        "forged": 401,
        "another channel's kind": 401,
        "stale": 401,
        "too large": 413,
        "no JSON": 422,
        "not UTF-8": 422,
        "deep": 422,
        "a token that is not one": 401,
        "too large, by an Alertmanager": 413,
        "another method": 405,
    }


@pytest.mark.sim
@pytest.mark.timeout(900)
async def test_whatever_is_asked_for_long_is_answered_as_told(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    seen = await hold_out(watchdog, sandbox, examples=100)
    assert {200, 400, 401, 404, 422} <= set(seen)
    assert sum(seen.values()) > 3000


def _refusals(web: str) -> dict[str, int]:
    event, huge = b'{"id": "inc-1"}', b'{"id": "' + b"a" * 70_000 + b'"}'
    bearer = {"Authorization": f"Bearer {TOKEN}"}

    def posted(body: bytes, headers: dict[str, str], door: str = "events") -> int:
        url = f"{web}/api/v1/{door}"
        return requests.post(url, data=body, headers=headers, timeout=20).status_code

    def by(body: bytes, channel: str = "events-spare", at: float | None = None) -> int:
        return posted(body, signed(body, KEY + channel, at, channel))

    return {
        "no proof": posted(event, {}),
        "forged": posted(event, signed(event, "another key", channel="events-spare")),
        "another channel's kind": by(event, channel="answers-spare"),
        "stale": by(event, at=1_600_000_000.0),
        "too large": by(huge),
        "no JSON": by(b"{"),
        "not UTF-8": by(b'{"id": "\xff"}'),
        "deep": by(b"[" * 30_000 + b"]" * 30_000),
        "a token that is not one": posted(event, {"Authorization": "Bearer x"}, "alertmanager"),
        "too large, by an Alertmanager": posted(b" " * (1 << 21), bearer, "alertmanager"),
        "another method": requests.put(f"{web}/api/v1/events", timeout=20).status_code,
    }
