"""An Alertmanager's silences: read whole or not at all, and matched as Alertmanager does."""

import asyncio
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tests.real_parts.alertmanager import RealAlertmanager
from tests.sources.conftest import now
from tests.wire.raw_server import Behaviour, RawServer, answering, drips, hangs, resets
from watchdog.core.alerting import Alert
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.silences import MOST_STATES, Matching
from watchdog.core.spec import Endpoint
from watchdog.notify import open_alerts
from watchdog.ports import SilencesLook
from watchdog.sources import open_silences
from watchdog.sources.alertmanager import MOST_SILENCES
from watchdog.wire.http import Wire

DEADLINE_SECONDS = 0.4
HOUR = timedelta(hours=1)


def spec(*urls: str, deadline: float = DEADLINE_SECONDS) -> AlertmanagerSpec:
    return AlertmanagerSpec(
        tuple(Endpoint(url) for url in urls),
        every_seconds=1.0,
        deadline_seconds=deadline,
        silences=True,
        alerts=True,
        again_seconds=1.0,
        page_after_seconds=60.0,
        max_bytes=100_000,
    )


async def look(wire: Wire, *urls: str) -> SilencesLook:
    return await open_silences(spec(*urls), wire).look(now())


def row(**different: Any) -> dict[str, Any]:
    """A silence as the API writes it, in force for an hour."""
    at = datetime.now(UTC)
    return {
        "id": "a1",
        "status": {"state": "active"},
        "createdBy": "alice",
        "comment": "migration",
        "startsAt": (at - HOUR).isoformat(),
        "endsAt": (at + HOUR).isoformat(),
        "updatedAt": at.isoformat(),
        "matchers": [{"name": "rule", "value": "peg", "isRegex": False, "isEqual": True}],
        **different,
    }


def telling(*rows: Any, extra: str = "") -> Behaviour:
    return answering(json.dumps(rows), "application/json", extra=extra)


async def test_a_real_one_tells_what_stands_and_what_will(tmp_path: Path, wire: Wire) -> None:
    async with RealAlertmanager.quiet(tmp_path) as alertmanager:
        at = datetime.now(UTC)
        matcher = {"name": "rule", "value": "p.*", "isRegex": True, "isEqual": False}
        coming = await alertmanager.silence_by(
            [matcher, {"name": "x", "value": "y", "isRegex": False}],
            starts=at + HOUR,
            ends=at + 2 * HOUR,
            comment="two\nlines",
        )
        standing = await alertmanager.silence(seconds=3600, rule="peg")
        over = await alertmanager.silence(seconds=3600, rule="third")
        await alertmanager.expire(over)
        found = await look(wire, alertmanager.url + "/")

    assert found.replicas == {alertmanager.url + "/": ""}
    by_id = {one.id: one for one in found.silences or ()}
    assert set(by_id) == {coming, standing}
    assert by_id[coming].matchers == (
        Matching("rule", "p.*", regex=True, equal=False),
        Matching("x", "y"),
    )
    assert (by_id[coming].author, by_id[coming].comment) == ("alice", "two lines")
    moment = now()
    assert by_id[standing].stands(moment)
    assert not by_id[coming].stands(moment)
    assert by_id[coming].stands(moment.plus(3700))
    assert by_id[coming].is_over(moment.plus(7300))


async def test_it_is_judged_as_alertmanager_judges(tmp_path: Path, wire: Wire) -> None:
    """Every matcher on every alert: whom it silences there is whom it covers here."""
    values = ("peg", "pegs", "", "a.b", "zürich")
    labels = [{"rule": rule, "db": db} for rule, db in product(values, ("orders", ""))]
    wanted = ("peg", "", "peg|pegs", "p.*", ".+", "a.b", r"a\.b", "(?i)PEG", "^peg$", "z[ü]rich")
    matchers = [
        Matching(label, value, regex, equal)
        for label, value, regex, equal in product(
            ("rule", "db"), wanted, (False, True), (False, True)
        )
    ]
    async with RealAlertmanager.quiet(tmp_path) as alertmanager:
        at = time.time()
        alerts = [
            Alert((("n", str(n)), *((k, v) for k, v in one.items() if v)), (), at, at + 600)
            for n, one in enumerate(labels)
        ]
        assert set(
            (await open_alerts(spec(alertmanager.url), wire).tell(alerts, now())).values()
        ) == {""}
        made: dict[str, Matching] = {}
        begin, end = datetime.now(UTC), datetime.now(UTC) + HOUR
        for one in matchers:
            also = {"name": "n", "value": ".+", "isRegex": True, "isEqual": True}
            written = {"name": one.label, "value": one.value, "isRegex": one.regex}
            name = await alertmanager.silence_by(
                [also, {**written, "isEqual": one.equal}], starts=begin, ends=end
            )
            made[name] = one
        found = await look(wire, alertmanager.url)
        shown = await alertmanager.alerts()

    assert {s.id: s.matchers[1] for s in found.silences or ()} == made
    assert len(shown) == len(labels)
    for alert in shown:
        by_us = {s.id for s in found.silences or () if s.covers(alert["labels"])}
        by_it = set(alert["status"]["silencedBy"])
        assert {made[name].text for name in by_us ^ by_it} == set(), alert["labels"]


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (hangs, "no answer within 0.4 s"),
        (drips, "0.4 s"),
        (resets, "the connection was closed"),
        (answering("[]", "application/json", status=500), "HTTP 500"),
        (answering("[]", "application/json", status=401), "HTTP 401"),
        (answering("", extra="Location: /login\r\n", status=302), "redirects"),
        (answering("<html>", "text/html"), "text/html instead of JSON"),
        (answering("[{", "application/json"), "not JSON"),
        (answering("[" * 90_000, "application/json"), "not JSON"),
        (answering("[" + "1," * 90_000 + "1]", "application/json"), "100000 bytes"),
        (answering("{}", "application/json"), "no list of silences"),
        (telling(7), "a silence whose state is"),
        (telling(row(status={"state": "odd"})), "'odd'"),
        (telling(row(status=None)), "state is"),
        (telling(row(id="")), "no name"),
        (telling(row(id=["x"])), "id is no text"),
        (telling(row(endsAt="tomorrow")), "endsAt: 'tomorrow' is no time"),
        (telling(row(startsAt=12)), "startsAt is no text"),
        (telling(row(matchers=[])), "without matchers"),
        (telling(row(matchers=[7])), "a matcher that is no mapping"),
        (telling(row(matchers=[{"name": "a", "value": 7}])), "value is no text"),
        (telling(row(matchers=[{"name": "a", "value": "b", "isRegex": 1}])), "neither true"),
        (telling(row(matchers=[{"name": "a", "value": "b" * 70_000}])), "65536 characters"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
async def test_anything_else_is_no_answer(wire: Wire, behaviour: Behaviour, says: str) -> None:
    async with RawServer(behaviour) as server:
        began = time.monotonic()
        found = await look(wire, server.url)
        assert time.monotonic() - began < DEADLINE_SECONDS + 1
    assert found.silences is None
    assert says in found.replicas[server.url]


async def test_nobody_there_is_no_answer(wire: Wire) -> None:
    async with RawServer(hangs) as server:
        url = server.url
    assert "refused" in (await look(wire, url)).replicas[url]


async def test_expired_ones_are_left_out_and_strange_words_are_cut(wire: Wire) -> None:
    told = telling(
        row(id="old", status={"state": "expired"}, endsAt="2000-01-01T00:00:00Z"),
        row(id="over", endsAt="2000-01-01T00:00:00Z"),
        row(comment="x" * 1000 + "\x1b[2J", createdBy=""),
    )
    async with RawServer(told) as server:
        found = await look(wire, server.url)
    (one,) = found.silences or ()
    assert (one.id, one.author, len(one.comment)) == ("a1", "nobody named", 300)


async def test_its_clock_counts_for_its_times(wire: Wire) -> None:
    """Ten minutes ahead of us, it says that a silence has a minute to go: so it has."""
    there = datetime.now(UTC) + timedelta(minutes=10)
    ends = there + timedelta(minutes=1)
    date = f"Date: {format_datetime(there, usegmt=True)}\r\n"
    async with RawServer(telling(row(endsAt=ends.isoformat()), extra=date)) as server:
        found = await look(wire, server.url)
    (one,) = found.silences or ()
    moment = now()
    assert one.stands(moment)
    assert one.stands(moment.plus(55))
    assert one.is_over(moment.plus(65))
    assert one.ends.utc == ends.replace(tzinfo=UTC)


async def test_any_replica_answers_and_each_ones_word_counts(wire: Wire) -> None:
    longer = (datetime.now(UTC) + 2 * HOUR).isoformat()

    async def late(server: RawServer, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        await telling(row(id="b", endsAt=longer), row(id="c"))(server, writer)

    async with (
        RawServer(telling(row(id="b"))) as quick,
        RawServer(late) as slow,
        RawServer(resets) as dead,
        RawServer(hangs) as stuck,
    ):
        urls = (quick.url, slow.url, dead.url, stuck.url)
        began = time.monotonic()
        found = await open_silences(spec(*urls, deadline=20.0), wire).look(now())
        assert time.monotonic() - began < 5
    assert [one.id for one in found.silences or ()] == ["b", "c"]
    assert (found.silences or ())[0].ends.utc == datetime.fromisoformat(longer)
    assert [bool(found.replicas[url]) for url in urls] == [False, False, True, True]
    assert found.replicas[stuck.url] == "no answer 0.5 s after that of another replica"


async def test_a_long_answer_is_read_whole_beside_the_loop(wire: Wire) -> None:
    many = [row(id=f"s{n}", comment="x" * 100) for n in range(3000)]
    wide = replace(spec(), max_bytes=4_000_000, deadline_seconds=20.0)
    async with RawServer(telling(*many)) as server:
        found = await open_silences(replace(wide, endpoints=(Endpoint(server.url),)), wire).look(
            now()
        )
    assert len(found.silences or ()) == len(many)


async def test_regular_expressions_that_take_too_much_together_are_no_answer(wire: Wire) -> None:
    large = {"name": "rule", "value": "a{1000}b{1000}c{1000}d{900}", "isRegex": True}
    assert (matcher := Matching("rule", str(large["value"]), regex=True)).is_understood
    many = [row(id=f"s{n}", matchers=[large] * 65) for n in range(2)]
    assert 65 * matcher.size <= MOST_STATES < 130 * matcher.size
    async with RawServer(telling(*many)) as server:
        found = await look(wire, server.url)
    assert found.silences is None
    assert "states in its silences' regular expressions" in found.replicas[server.url]
    async with RawServer(telling(*many[:1])) as server:
        found = await look(wire, server.url)
    assert [one.id for one in found.silences or ()] == ["s0"]


async def test_more_silences_than_can_be_meant_are_no_answer(wire: Wire) -> None:
    many = [row(id=f"s{n}", comment="") for n in range(MOST_SILENCES + 1)]
    wide = replace(spec(), max_bytes=64_000_000, deadline_seconds=20.0)
    async with RawServer(telling(*many)) as server:
        asked = replace(wide, endpoints=(Endpoint(server.url),))
        found = await open_silences(asked, wire).look(now())
    assert found.silences is None
    assert f"more than {MOST_SILENCES}" in found.replicas[server.url]
