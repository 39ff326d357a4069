"""A JSON document: its own time, numbers only, and no reading where there is none."""

import json

import pytest

from tests.sources.conftest import now, spec
from tests.wire.raw_server import Behaviour, RawServer, answering, hangs
from watchdog.core.samples import Fault, Reading
from watchdog.core.spec import Endpoint, JsonDocument
from watchdog.core.words import Blind
from watchdog.sources import open_source
from watchdog.wire.http import Wire

PATHS = (
    ("ratio", "peg.collateralization"),
    ("age_minutes", "proofOfReserves.ageMinutes"),
    ("redemption_on", "featureFlags.btc_mainnet_redemption"),
    ("operational", "status == 'operational'"),
    ("first_age", "feeds[?name=='btc'].age | [0]"),
    ("first_ok", "feeds[?name=='btc'].ok | [0]"),
    ("sum_of_text", "sum(status)"),
)
STATUS = {
    "timestamp": 1_700_000_000_500,
    "status": "operational",
    "peg": {"collateralization": 1.02},
    "proofOfReserves": {"ageMinutes": 7},
    "featureFlags": {"btc_mainnet_redemption": True},
    "feeds": [{"name": "btc", "age": 3, "ok": False}],
}


async def poll(
    wire: Wire, behaviour: Behaviour, *wanted: str, deadline_seconds: float = 2.0
) -> tuple[Reading, str]:
    async with RawServer(behaviour) as server:
        how = JsonDocument(Endpoint(server.url + "/ops/status.json"), "timestamp", PATHS)
        source = open_source(spec(how, deadline_seconds=deadline_seconds), wire)
        return await source.poll(now(), wanted or [name for name, _ in PATHS]), server.instance


def document(**changed: object) -> Behaviour:
    return answering(json.dumps(STATUS | changed), "application/json")


async def values(wire: Wire, behaviour: Behaviour, *wanted: str) -> dict[str, float]:
    reading, _ = await poll(wire, behaviour, *wanted)
    assert reading.failure is None, reading.failure
    return {sample.name: sample.value for sample in reading.samples}


async def test_paths_become_samples_at_the_documents_own_time(wire: Wire) -> None:
    reading, instance = await poll(wire, document(), "ratio < 1", "age_minutes")
    assert {(each.name, each.value, each.at) for each in reading.samples} == {
        ("ratio", 1.02, 1_700_000_000.5),
        ("age_minutes", 7.0, 1_700_000_000.5),
    }
    assert reading.up == {instance: True}


@pytest.mark.parametrize(
    "written", ["2023-11-14T22:13:20Z", "2023-11-14T23:13:20.000+01:00", 1_700_000_000_000]
)
async def test_times_are_iso_8601_or_milliseconds(wire: Wire, written: object) -> None:
    reading, _ = await poll(wire, document(timestamp=written))
    assert {sample.at for sample in reading.samples} == {1_700_000_000.0}


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (None, "leads to nothing"),
        ("yesterday", "'yesterday' is not ISO 8601"),
        ("2023-11-14T22:13:20", "has no offset from UTC"),
        (1_700_000_000, "is not a time in milliseconds"),
        (True, "leads to neither a number nor text"),
        ({"ms": 1}, "leads to neither a number nor text"),
        (10**400, "beyond what can be counted"),
    ],
)
async def test_a_document_without_a_valid_time_is_not_used(
    wire: Wire, written: object, reason: str
) -> None:
    reading, _ = await poll(wire, document(timestamp=written))
    assert reading.failure is not None
    assert (reading.failure.fault, reading.failure.blind) == (Fault.PROVIDER, Blind.ODD_ANSWER)
    assert "timestamp path 'timestamp'" in reading.failure.reason or "counted" in reason
    assert reason in reading.failure.reason
    assert (reading.samples, reading.up) == ((), {})


@pytest.mark.parametrize("peg", [{}, {"collateralization": None}, {"collateralization": "1.02"}])
async def test_what_is_no_number_is_left_out(wire: Wire, peg: object) -> None:
    found = await values(wire, document(peg=peg))
    assert "ratio" not in found
    assert found["age_minutes"] == 7


async def test_truths_count_only_where_the_document_holds_them(wire: Wire) -> None:
    found = await values(wire, document())
    assert (found["redemption_on"], found["first_age"], found["first_ok"]) == (1, 3, 0)
    # `status == 'operational'` is false for an error document as well: no reading at all.
    assert "operational" not in found
    assert "sum_of_text" not in found
    assert "redemption_on" not in await values(wire, document(featureFlags={}))


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        ("<html>", "text/html; charset=utf-8", "text/html; charset=utf-8 instead of JSON"),
        ('{"timestamp": 1', "application/json", "not JSON"),
        ('{"timestamp": NaN}', "application/json", "NaN is no JSON value"),
        ("[" * 100_000, "application/json", "not JSON"),
        ("[]", "application/problem+json", "leads to nothing"),
    ],
)
async def test_what_is_no_document_is_odd(
    wire: Wire, body: str, content_type: str, reason: str
) -> None:
    reading, _ = await poll(wire, answering(body, content_type))
    assert reading.failure is not None
    assert reading.failure.blind is Blind.ODD_ANSWER
    assert reason in reading.failure.reason


async def test_a_service_that_hangs_is_down(wire: Wire) -> None:
    reading, instance = await poll(wire, hangs, deadline_seconds=0.3)
    assert reading.failure is not None
    assert (reading.failure.fault, reading.up) == (Fault.SERVICE, {instance: False})
    broken, instance = await poll(wire, answering("{}", "application/json", status=500))
    assert broken.failure is not None
    assert (broken.failure.fault, broken.up) == (Fault.SERVICE, {instance: False})


async def test_the_same_document_tells_what_nobody_judges(wire: Wire) -> None:
    reading, _ = await poll(wire, document(), "ratio")
    assert [sample.name for sample in reading.samples] == ["ratio"]
    assert reading.aside is not None
    beside = await reading.aside(["age_minutes * 2"])
    assert [(each.name, each.value) for each in beside.samples] == [("age_minutes", 7.0)]
