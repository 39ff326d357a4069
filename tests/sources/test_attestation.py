"""Attestations: signed by the stand-in in its own way, verified here by libsodium."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.sources.conftest import now
from tests.wire.raw_server import Behaviour, RawServer, answering, drips, floods, hangs
from watchdog.core.probes import AttestationProbe
from watchdog.core.samples import Fault, Reading
from watchdog.core.spec import Endpoint, SourceSpec
from watchdog.core.words import Blind
from watchdog.sandbox import attestation as stand_in
from watchdog.sandbox import ed25519
from watchdog.sources import open_source
from watchdog.sources.attestation_format import attestation_of, javascript_number
from watchdog.wire.http import Wire

SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))
SIGNER = ed25519.public_key(SECRET).hex()


def snapshot(**different: Any) -> dict[str, Any]:
    return {
        "timestamp": int(time.time() * 1000),
        "lockedSats": "850000000",
        "outstandingBloom": "85000000",
        "collateralizationRatio": 1.0,
        "headerHash": "00" * 32,
        "merkleRoot": "ab" * 32,
        "utxoCount": 412,
        **different,
    }


def signed(secret: bytes = SECRET, **different: Any) -> dict[str, Any]:
    text = stand_in.attestation(secret, snapshot(**different))
    document: dict[str, Any] = json.loads(text)
    return document


async def look(
    wire: Wire, written: dict[str, Any] | bytes | None, folder: Path, least: float | None = 1.0
) -> Reading:
    path = folder / "por.json"
    if written is not None:
        path.write_bytes(written if isinstance(written, bytes) else json.dumps(written).encode())
    return await ask(wire, None, str(path), least)


async def ask(
    wire: Wire, served: Endpoint | None, path: str = "", least: float | None = 1.0
) -> Reading:
    how = AttestationProbe(served, path, (SIGNER,), 1800.0, least)
    spec = SourceSpec("probe:por", 60.0, 0.5, 1_000_000, 1, how)
    return await open_source(spec, wire).poll(now(), ())


def failing(reading: Reading) -> str:
    assert reading.look is not None, reading.failure
    assert not reading.look.holds, reading.look
    return reading.look.reason.partition("por.json: ")[2]


def blind(reading: Reading) -> tuple[Blind, str]:
    assert reading.failure is not None, reading.look
    assert reading.failure.fault is not Fault.SERVICE
    return reading.failure.blind, reading.failure.reason.partition("por.json")[2]


async def test_a_fresh_attestation_by_a_pinned_signer_holds(wire: Wire, tmp_path: Path) -> None:
    reading = await look(wire, signed(), tmp_path)
    assert reading.look is not None, reading.failure
    assert reading.look.holds
    assert (reading.look.value, reading.look.bound) == (1.0, "< 1")


async def test_a_file_as_the_service_really_writes_it_holds(wire: Wire, tmp_path: Path) -> None:
    """Not read and written anew by us on the way."""
    text = stand_in.attestation(SECRET, snapshot(collateralizationRatio=1.0000001))
    assert (await look(wire, text.encode(), tmp_path)).look is not None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lockedSats", "850000001"),
        ("collateralizationRatio", 1.5),
        ("utxoCount", 413),
        ("headerHash", "01" * 32),
        ("timestamp", int(time.time() * 1000) - 1000),
    ],
    ids=["lockedSats", "collateralizationRatio", "utxoCount", "headerHash", "timestamp"],
)
async def test_one_changed_value_breaks_the_signature(
    wire: Wire, tmp_path: Path, key: str, value: object
) -> None:
    document = signed()
    document["snapshot"][key] = value
    reason = failing(await look(wire, document, tmp_path))
    assert reason == f"the signature of {SIGNER[:8]}... does not fit what it says"


async def test_somebody_elses_signature_under_a_pinned_name_is_a_breach(
    wire: Wire, tmp_path: Path
) -> None:
    forged = signed(OTHER) | {"publicKey": SIGNER}
    assert "does not fit" in failing(await look(wire, forged, tmp_path))


async def test_the_key_inside_the_document_proves_nothing(wire: Wire, tmp_path: Path) -> None:
    reason, told = blind(await look(wire, signed(OTHER), tmp_path))
    assert reason is Blind.ODD_ANSWER
    assert "none of the rule's signers" in told


async def test_age_counts_by_the_attestations_own_time(wire: Wire, tmp_path: Path) -> None:
    def made(seconds_ago: float) -> dict[str, Any]:
        return signed(timestamp=int((time.time() - seconds_ago) * 1000))

    assert (await look(wire, made(1790), tmp_path)).look is not None
    reading = await look(wire, made(1810), tmp_path)
    assert failing(reading) == "30m10s old, more than 30m"
    assert reading.look is not None
    assert reading.look.value == pytest.approx(1810, abs=2)
    assert blind(await look(wire, made(-120), tmp_path))[0] is Blind.FUTURE
    assert (await look(wire, made(-30), tmp_path)).look is not None


async def test_too_little_collateral_is_a_breach_where_the_rule_says_so(
    wire: Wire, tmp_path: Path
) -> None:
    reading = await look(wire, signed(collateralizationRatio=0.9999), tmp_path)
    assert failing(reading) == "collateralised 0.9999, below 1"
    reading = await look(wire, signed(collateralizationRatio=0.2), tmp_path, least=None)
    assert reading.look is not None
    assert reading.look.holds


def without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        (b"", "it is empty"),
        (b"hello", "Expecting value"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"[]", "it holds no `snapshot`"),
        (b"[" * 60_000, "nested too deeply"),
        (b'{"snapshot": {}, "snapshot": {}}', "a name occurs twice"),
        (b'{"snapshot": NaN}', "NaN is no JSON number"),
        (without(signed(), "signature"), "its signature is not 64 bytes in hex"),
        (signed() | {"signature": "zz" * 64}, "its signature is not 64 bytes in hex"),
        (signed() | {"publicKey": SIGNER[:-2]}, "its publicKey is not 32 bytes in hex"),
        (signed() | {"snapshot": without(snapshot(), "utxoCount")}, "has no utxoCount"),
        (signed() | {"snapshot": snapshot(more=1)}, "holds a key that nobody signs"),
        (signed() | {"snapshot": snapshot(utxoCount="412")}, "its utxoCount is no number"),
        (signed() | {"snapshot": snapshot(utxoCount=True)}, "its utxoCount is no number"),
        (signed() | {"snapshot": snapshot(lockedSats=850)}, "its lockedSats is no decimal text"),
        (signed() | {"snapshot": snapshot(timestamp=1_700_000_000)}, "time in milliseconds"),
        (
            json.dumps(signed()).replace('"utxoCount": 412', '"utxoCount": 1e999').encode(),
            "its utxoCount is no number",
        ),
        (
            json.dumps(signed()).replace('"merkleRoot": "ab', '"merkleRoot": "\\\\ud800').encode(),
            "half of a character",
        ),
        (b" " * 100_000, "has more than 65536 bytes"),
    ],
)
async def test_what_is_no_attestation_is_blind(
    wire: Wire, tmp_path: Path, written: dict[str, Any] | bytes, says: str
) -> None:
    if isinstance(written, bytes):
        written = written.replace(b"\\\\ud800", b"\\ud800")
    reason, told = blind(await look(wire, written, tmp_path))
    assert (reason, says in told) == (Blind.ODD_ANSWER, True), told


async def test_a_missing_file_and_a_pipe_are_blind(wire: Wire, tmp_path: Path) -> None:
    assert blind(await look(wire, None, tmp_path))[0] is Blind.NO_DATA
    os.mkfifo(tmp_path / "por.json")
    began = time.monotonic()
    assert blind(await look(wire, None, tmp_path))[0] is Blind.ODD_ANSWER
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (answering(json.dumps(signed()), "application/json"), None),
        (answering("", "text/plain", status=503), Blind.UNREACHABLE),
        (answering("", "text/plain", status=404), Blind.QUERY_ERROR),
        (hangs, Blind.UNREACHABLE),
        (drips, Blind.UNREACHABLE),
        (floods, Blind.OURS),
    ],
    ids=["served", "503", "404", "hangs", "drips", "floods"],
)
async def test_a_server_that_does_not_show_it_is_blind(
    wire: Wire, behaviour: Behaviour, reason: Blind | None
) -> None:
    began = time.monotonic()
    async with RawServer(behaviour) as server:
        reading = await ask(wire, Endpoint(server.url + "/por.json?token=hunter2"))
    assert (reading.failure.blind if reading.failure else None) is reason
    assert "hunter2" not in str(reading)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-7, "1.25e-7"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (5e-324, "5e-324"),
        (1704067200000.0, "1704067200000"),
        (0.30000000000000004, "0.30000000000000004"),
    ],
)
def test_numbers_are_written_as_javascript_writes_them(number: float, text: str) -> None:
    assert javascript_number(number) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
@settings(max_examples=300)
def test_two_writers_of_javascripts_numbers_agree(number: float) -> None:
    assert javascript_number(number) == stand_in.javascript_number(number)
    assert float(javascript_number(number)) == number


@given(st.text(st.characters(codec="utf-8"), max_size=40), st.floats(0.001, 1e9))
@settings(max_examples=100)
def test_what_was_signed_is_found_again_to_the_letter(text: str, ratio: float) -> None:
    content = snapshot(headerHash=text, collateralizationRatio=ratio)
    document = {"snapshot": content, "signature": "00" * 64, "publicKey": SIGNER}
    found = attestation_of(json.dumps(document).encode())
    assert found.message == stand_in.signed_message(content)
