"""Secrets reach the endpoint, anew for each request, and nothing else. TLS with an own CA."""

import asyncio
import logging
from pathlib import Path

import pytest

from tests.wire.authority import make_authority
from tests.wire.raw_server import RawServer, answering
from watchdog.core.spec import Endpoint, Header
from watchdog.wire.http import HttpAnswer, HttpProblem, Trouble, Wire

BEARER = (Header("Authorization", "Bearer ", secret="token"),)


async def ask(wire: Wire, endpoint: Endpoint) -> HttpAnswer | HttpProblem:
    return await wire.ask(endpoint, deadline_seconds=2.0, max_bytes=1000)


async def test_a_rotated_token_is_used_at_the_next_request(wire: Wire, credentials: Path) -> None:
    async with RawServer(answering("ok")) as server:
        for token in ("first-token", "second-token"):
            (credentials / "token").write_text(token + "\n")
            await ask(wire, Endpoint(server.url, BEARER))
    assert "Authorization: Bearer first-token\r\n" in server.requests[0]
    assert "Authorization: Bearer second-token\r\n" in server.requests[1]


async def test_without_its_token_nothing_is_sent(wire: Wire) -> None:
    async with RawServer(answering("ok")) as server:
        outcome = await ask(wire, Endpoint(server.url, BEARER))
    assert isinstance(outcome, HttpProblem)
    assert (outcome.kind, outcome.sent) == (Trouble.SECRET_MISSING, False)
    assert "credential token does not exist" in outcome.reason
    assert server.connections == 0


@pytest.mark.parametrize("token", ["hush\nX-Admin: 1", "hush\x00", "hush\x7f", "hüsh"])
async def test_a_token_that_no_header_may_hold_is_refused_and_not_shown(
    wire: Wire, credentials: Path, token: str
) -> None:
    (credentials / "token").write_text(token)
    async with RawServer(answering("ok")) as server:
        outcome = await ask(wire, Endpoint(server.url, BEARER))
    assert isinstance(outcome, HttpProblem)
    assert outcome.kind is Trouble.SECRET_MISSING
    assert token[:4] not in outcome.reason
    assert server.connections == 0


async def test_no_secret_is_in_a_reason_a_repr_or_a_log(
    wire: Wire, credentials: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    (credentials / "token").write_text("tok-en-hush")
    shown: list[str] = []
    # The server throws the token back at us, as login pages do.
    extra = "Location: /login/tok-en-hush/cm9ib3Q6cGFzcy1odXNo?next=tok-en-hush\r\n"
    extra += "Set-Cookie: session=tok-en-hush\r\n"
    async with RawServer(answering("tok-en-hush", status=302, extra=extra)) as server:
        url = server.url.replace("//", "//robot:pass-hush@") + "/path?key=query-hush"
        shown.append(repr(await ask(wire, Endpoint(url, BEARER))))
        server.behaviour = answering("tok-en-hush", extra=extra)
        shown.append(repr(await ask(wire, Endpoint(url, BEARER))))
        assert "GET /path?key=query-hush HTTP/1.1" in server.requests[0]
        assert "tok-en-hush" in server.requests[0]
    shown.append(repr(await ask(wire, Endpoint(url, BEARER))))  # refused by now
    assert "/login/***/***" in shown[0]
    told = " ".join([*shown, repr(wire), caplog.text])
    assert "hush" not in told
    assert "cm9ib3Q6cGFzcy1odXNo" not in told
    assert "/path?..." in told


async def test_a_password_in_the_url_becomes_basic_auth(wire: Wire) -> None:
    async with RawServer(answering("ok")) as server:
        await ask(wire, Endpoint(server.url.replace("//", "//robot:p%40ss@")))
    assert "authorization: Basic cm9ib3Q6cEBzcw==\r\n" in server.requests[0]


async def test_headers_of_the_endpoint_win(wire: Wire) -> None:
    async with RawServer(answering("ok")) as server:
        await wire.ask(
            Endpoint(server.url, (Header("Accept", "text/special"),)),
            headers={"accept": "text/plain", "Idempotency-Key": "k-1"},
            deadline_seconds=2.0,
            max_bytes=1000,
        )
    assert "accept: text/special\r\n" in server.requests[0].lower()
    assert "idempotency-key: k-1\r\n" in server.requests[0].lower()


# -- TLS -------------------------------------------------------------------------------------------


async def test_an_own_ca_is_trusted_and_no_other(wire: Wire, tmp_path: Path) -> None:
    own, other = make_authority(tmp_path, "own"), make_authority(tmp_path, "other")
    async with RawServer(answering("ok"), tls=own.server) as server:
        assert isinstance(await ask(wire, Endpoint(server.url, ca_file=own.ca_file)), HttpAnswer)
        for ca_file in (None, other.ca_file):
            outcome = await ask(wire, Endpoint(server.url, ca_file=ca_file))
            assert isinstance(outcome, HttpProblem)
            assert (outcome.kind, outcome.sent) == (Trouble.TLS, False)
            assert "self-signed certificate" in outcome.reason
    assert len(server.requests) == 1


async def test_a_certificate_of_another_host_is_refused(wire: Wire, tmp_path: Path) -> None:
    own = make_authority(tmp_path, host="DNS:mycelia.test")
    async with RawServer(answering("ok"), tls=own.server) as server:
        outcome = await ask(wire, Endpoint(server.url, ca_file=own.ca_file))
    assert isinstance(outcome, HttpProblem)
    assert outcome.kind is Trouble.TLS
    assert "IP address mismatch" in outcome.reason


async def test_a_replaced_ca_file_is_used_without_a_restart(wire: Wire, tmp_path: Path) -> None:
    old, new = make_authority(tmp_path, "old"), make_authority(tmp_path, "new")
    trusted = tmp_path / "trusted.pem"
    trusted.symlink_to(old.ca_file)
    async with RawServer(answering("ok"), tls=new.server) as server:
        endpoint = Endpoint(server.url, ca_file=str(trusted))
        assert isinstance(await ask(wire, endpoint), HttpProblem)
        trusted.unlink()
        trusted.symlink_to(new.ca_file)
        assert isinstance(await ask(wire, endpoint), HttpAnswer)


async def test_an_unusable_ca_file_is_named(wire: Wire, tmp_path: Path) -> None:
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    for path in (str(broken), str(tmp_path / "absent.pem")):
        outcome = await ask(wire, Endpoint("https://127.0.0.1:1", ca_file=path))
        assert isinstance(outcome, HttpProblem)
        assert outcome.kind is Trouble.TLS
        assert f"our CA file {path} cannot be used" in outcome.reason


async def test_tls_to_a_plain_port_is_named(wire: Wire) -> None:
    def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 this is not TLS\r\n")
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        outcome = await ask(wire, Endpoint(f"https://127.0.0.1:{port}"))
    assert isinstance(outcome, HttpProblem)
    assert (outcome.kind, outcome.sent) == (Trouble.TLS, False)
