"""Scraping: both formats, only what is wanted, and whose fault it is when nothing comes."""

import asyncio
import math
import time
from pathlib import Path

import pytest

from tests.sources.conftest import Mycelia, now, scrape, spec
from tests.wire.authority import make_authority
from tests.wire.raw_server import (
    Behaviour,
    RawServer,
    answering,
    drips,
    floods,
    hangs,
    resets,
    sending,
)
from watchdog.core.samples import Fault, Reading
from watchdog.core.spec import Endpoint, Header, Scrape
from watchdog.core.words import Blind
from watchdog.sources import open_source
from watchdog.wire.http import Wire

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
ERRORS = 'sum(rate(redemption_requests_total{code=~"5.."}[30s]))'


async def poll(wire: Wire, behaviour: Behaviour, *wanted: str, **limits: float) -> Reading:
    async with RawServer(behaviour) as server:
        source = open_source(spec(scrape(server.url), **limits), wire)  # type: ignore[arg-type]  # whole numbers
        return await source.poll(now(), wanted or ("metric",))


def numbers(reading: Reading) -> dict[str, float]:
    assert reading.failure is None
    return {
        "".join([each.name, *(f"|{name}={value}" for name, value in each.labels)]): each.value
        for each in reading.samples
    }


# -- both formats ----------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", [None, "text/plain;version=0.0.4"])
async def test_a_real_registry_is_read_in_both_formats(
    wire: Wire, mycelia: Mycelia, accept: str | None
) -> None:
    mycelia.requests.labels(code="200").inc(99)
    mycelia.requests.labels(code="503").inc(1)
    mycelia.quotes.observe(0.05)
    async with RawServer(mycelia.answer) as server:
        headers = (Header("Accept", accept),) if accept else ()
        source = open_source(spec(Scrape(Endpoint(server.url + "/metrics", headers))), wire)
        at = now()
        reading = await source.poll(at, [ERRORS, 'redemption_quote_seconds_bucket{le="0.1"}'])
    assert numbers(reading) == {
        "redemption_requests_total|code=200": 99,
        "redemption_requests_total|code=503": 1,
        "redemption_quote_seconds_bucket|le=0.1": 1,
        "redemption_quote_seconds_bucket|le=1.0": 1,
        "redemption_quote_seconds_bucket|le=+Inf": 1,
    }
    assert {sample.at for sample in reading.samples} == {at.wall}
    assert reading.up == {server.instance: True}
    assert reading.at == at
    assert 0 < reading.took_seconds < 2


async def test_openmetrics_is_asked_for_first(wire: Wire) -> None:
    async with RawServer(answering("metric 1\n", TEXT)) as server:
        await open_source(spec(scrape(server.url)), wire).poll(now(), ["metric"])
    assert "application/openmetrics-text;version=1.0.0,text/plain;" in server.requests[0]


async def test_a_selector_without_an_exact_name_keeps_everything(
    wire: Wire, mycelia: Mycelia
) -> None:
    reading = await poll(wire, mycelia.answer, '{__name__=~"redemption_.*"}')
    assert {"collateralization_ratio", "process_start_time_seconds"} < numbers(reading).keys()


async def test_lines_of_other_names_are_not_even_parsed(wire: Wire) -> None:
    page = "# of all\nmetric_of_others{ broken\nmetric 1\nmetric_2 2\nxmetric 3\n"
    assert numbers(await poll(wire, answering(page, TEXT))) == {"metric": 1}


async def test_times_of_the_page_are_kept_and_nan_is_a_sample(wire: Wire) -> None:
    text = await poll(wire, answering("metric NaN 1700000000500\n", TEXT))
    assert [sample.at for sample in text.samples] == [1700000000.5]
    assert math.isnan(text.samples[0].value)
    body = 'metric{a="x"} +Inf 1700000000.25\nmetric{a="y"} -2e3\n# EOF\n'
    open_metrics = await poll(wire, answering(body, OPENMETRICS))
    assert numbers(open_metrics) == {"metric|a=x": math.inf, "metric|a=y": -2000}
    assert open_metrics.samples[0].at == 1700000000.25


async def test_exemplars_escapes_and_odd_spacing_are_read(wire: Wire) -> None:
    body = (
        'metric{path="a\\\\b\\"c}d # {e=1} \\n",le="1"} 17 # {trace_id="KOO5S4vxi0o"} 0.67 1.5\n'
        "metric 4 1700000000 # {} 0.5\n# EOF\n"
    )
    reading = await poll(wire, answering(body, OPENMETRICS))
    assert numbers(reading) == {'metric|le=1|path=a\\b"c}d # {e=1} \n': 17, "metric": 4}
    spaced = '  metric\t{ a = "x" , }   3\t\n\n# a comment\n'
    assert numbers(await poll(wire, answering(spaced, TEXT))) == {"metric|a=x": 3}


async def test_of_several_points_of_a_series_the_newest_counts(wire: Wire) -> None:
    body = "metric 1 1700000000\nmetric 2 1700000060\n# EOF\n"
    assert numbers(await poll(wire, answering(body, OPENMETRICS))) == {"metric": 2}


# -- pages that cannot be believed -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        ("<html>log in</html>", "text/html", "text/html instead of metrics"),
        ("<html>\nlog in\n", TEXT, "line 1: not a sample: '<html>'"),
        ('{"metric": 1}\n', "application/json", "application/json instead of metrics"),
        ("metric 1\n", "", "no content type instead of metrics"),
        ("metric 1\n", "text/plain; version=1.0.0", "version=1.0.0 instead of metrics"),
        ("metric 1\n", "text/plain; charset=utf-16", "charset=utf-16 instead of metrics"),
        ("metric 1\nmetric 123", TEXT, "may have been cut"),
        ("metric 1\n", OPENMETRICS, "the last line is not '# EOF'"),
        ("# a\nother 1\nmetric{ 1\n", TEXT, "line 3: not a sample: 'metric{ 1'"),
        ("# a\nmetric one\n", TEXT, "line 2: could not convert"),
        ("# a\nmetric 1_0\n", TEXT, "line 2: not a number"),
        ("# a\nmetric 1 soon\n", TEXT, "line 2: "),
        ("metric 1 NaN\n# EOF\n", OPENMETRICS, "line 1: not a time"),
        ('# a\nmetric{a="1",a="2"} 1\n', TEXT, "line 2: "),
        ("# a\n\nmetric 1\nmetric 2\n", TEXT, "line 4: this series is given twice"),
        ('metric{a="1"} 1\nmetric{ a="1" } 2\n', TEXT, "line 2: this series is given twice"),
        (b"metric 1\nother \xff\n", TEXT, "line 2: not UTF-8"),
    ],
)
async def test_an_odd_page_is_blind_and_names_the_line(
    wire: Wire, body: bytes | str, content_type: str, reason: str
) -> None:
    reading = await poll(wire, answering(body, content_type))
    assert reading.failure is not None
    assert (reading.failure.fault, reading.failure.blind) == (Fault.PROVIDER, Blind.ODD_ANSWER)
    assert reason in reading.failure.reason
    assert (reading.samples, reading.up) == ((), {})


async def test_too_many_series_are_blind(wire: Wire) -> None:
    page = "".join(f'metric{{n="{n}"}} 1\n' for n in range(11))
    reading = await poll(wire, answering(page, TEXT), max_series=10)
    assert reading.failure is not None
    assert reading.failure.blind is Blind.TOO_MANY_SERIES
    assert reading.failure.reason.startswith("11 series, more than 10 (the source's max_series)")
    assert "recording rule" in reading.failure.reason
    assert reading.failure.fault is Fault.OURS
    unwanted = page.replace("metric", "other") + "metric 1\n"
    assert numbers(await poll(wire, answering(unwanted, TEXT), max_series=10)) == {"metric": 1}


# -- whose fault -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (hangs, "no answer within 0.4 s"),
        (drips, "the body did not end within 0.4 s"),
        (resets, "the connection was closed"),
        (
            sending(b"HTTP/1.1 200 So\r\nContent-Length: 9\r\n\r\ncut"),
            "before the answer was whole",
        ),
        (answering("metric 1\n", TEXT, status=500), "HTTP 500"),
        (answering("<html>", "text/html", status=503), "HTTP 503"),
    ],
)
async def test_a_silent_service_is_down(wire: Wire, behaviour: Behaviour, reason: str) -> None:
    reading = await poll(wire, behaviour, deadline_seconds=0.4)
    assert reading.failure is not None
    assert (reading.failure.fault, reading.failure.blind) == (Fault.SERVICE, Blind.SOURCE_DOWN)
    assert reason in reading.failure.reason
    assert list(reading.up.values()) == [False]
    assert reading.took_seconds < 1


async def test_nobody_listening_is_down_too(wire: Wire) -> None:
    async with RawServer(hangs) as server:
        source = open_source(spec(scrape(server.url)), wire)
    reading = await source.poll(now(), ["metric"])
    assert reading.failure is not None
    assert (reading.failure.fault, reading.up) == (Fault.SERVICE, {server.instance: False})


@pytest.mark.parametrize(
    ("behaviour", "blind"),
    [
        (answering("", status=404), Blind.QUERY_ERROR),
        (answering("", status=401), Blind.QUERY_ERROR),
        (answering("", TEXT, status=204), Blind.ODD_ANSWER),
        (answering("", status=302, extra="Location: /login\r\n"), Blind.ODD_ANSWER),
        (sending(b"220 mail\r\n\r\n"), Blind.ODD_ANSWER),
    ],
)
async def test_a_wrong_answer_says_nothing_about_the_service(
    wire: Wire, behaviour: Behaviour, blind: Blind
) -> None:
    reading = await poll(wire, behaviour)
    assert reading.failure is not None
    assert (reading.failure.fault, reading.failure.blind) == (Fault.PROVIDER, blind)
    assert reading.up == {}


async def test_our_own_limits_and_lateness_are_ours(wire: Wire) -> None:
    flooded = await poll(wire, floods, max_bytes=100_000)
    assert flooded.failure is not None
    assert (flooded.failure.fault, flooded.failure.blind) == (Fault.OURS, Blind.OURS)
    asyncio.get_running_loop().call_later(0.1, time.sleep, 0.5)
    late = await poll(wire, hangs, deadline_seconds=0.4)
    assert late.failure is not None
    assert (late.failure.fault, late.failure.blind) == (Fault.OURS, Blind.OURS)
    nameless = await open_source(spec(Scrape(Endpoint("http://no.invalid/"))), wire).poll(now(), [])
    assert nameless.failure is not None
    assert (nameless.failure.fault, nameless.failure.blind) == (Fault.OURS, Blind.UNREACHABLE)
    assert (flooded.up, late.up, nameless.up) == ({}, {}, {})


async def test_a_token_and_an_own_ca_are_used(
    wire: Wire, tmp_path: Path, credentials: Path
) -> None:
    own = make_authority(tmp_path)
    (credentials / "metrics-token").write_text("hush\n")
    headers = (Header("Authorization", "Bearer ", "metrics-token"),)
    async with RawServer(answering("metric 7\n", TEXT), tls=own.server) as server:
        trusting = Endpoint(server.url, headers, own.ca_file)
        reading = await open_source(spec(Scrape(trusting)), wire).poll(now(), ["metric"])
        assert numbers(reading) == {"metric": 7}
        distrusting = Endpoint(server.url, headers)
        refused = await open_source(spec(Scrape(distrusting)), wire).poll(now(), ["metric"])
    assert "Bearer hush" in server.requests[0]
    assert refused.failure is not None
    assert (refused.failure.fault, refused.up) == (Fault.OURS, {})


# -- restarts --------------------------------------------------------------------------------------


async def test_another_process_behind_the_same_port_is_a_restart(
    wire: Wire, mycelia: Mycelia
) -> None:
    async with RawServer(mycelia.answer) as server:
        source = open_source(spec(scrape(server.url)), wire)

        async def restarted() -> bool:
            reading = await source.poll(now(), ["collateralization_ratio"])
            assert numbers(reading).keys() == {"collateralization_ratio"}
            return reading.restarted == {server.instance}

        mycelia.started.set(1_700_000_000.5)
        assert not await restarted()  # the first poll knows of no process before
        assert not await restarted()
        mycelia.started.set(1_700_000_001.5)  # the clock was set right, the process is the same
        assert not await restarted()
        for nothing_about_it in (answering("", status=503), answering("metric 1\n", TEXT)):
            server.behaviour = nothing_about_it
            await source.poll(now(), ["collateralization_ratio"])
        server.behaviour = mycelia.answer
        mycelia.started.set(1_700_000_090)  # and this is another one, after an outage
        assert await restarted()
        assert not await restarted()


async def test_an_expression_that_cannot_be_parsed_is_ours_and_raises_nothing(wire: Wire) -> None:
    reading = await poll(wire, answering("metric 1\n", TEXT), "sum(")
    assert reading.failure is not None
    assert reading.failure.fault is Fault.OURS


async def test_a_page_of_4_mb_with_few_wanted_lines_is_read_quickly(wire: Wire) -> None:
    noise = "".join(f'noise_total{{path="/p{n}",code="200"}} {n}\n' for n in range(100_000))
    began = time.monotonic()
    reading = await poll(wire, answering("metric 1\n" + noise, TEXT), max_bytes=10_000_000)
    assert numbers(reading) == {"metric": 1}
    assert time.monotonic() - began < 1.0  # all lines through the parser take about 2.5 s


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ("\n".join(f'user{{n="{n}"}} 1' for n in range(20)), "20 series, more than 10"),
        ("user 1\nuser 2", "twice"),
        ("user 1 2 3 4", "not a sample"),
    ],
)
async def test_what_nobody_judges_takes_no_room_and_spoils_no_page(
    wire: Wire, lines: str, why: str
) -> None:
    page = f"metric 1\n{lines}\n"
    async with RawServer(answering(page)) as server:
        source = open_source(spec(scrape(server.url), max_series=10), wire)
        reading = await source.poll(now(), ["metric"])
        assert [sample.value for sample in reading.samples] == [1.0]
        assert reading.aside is not None
        beside = await reading.aside(["sum(user)"])
        assert len(server.requests) == 1, "it is the same page"
    assert beside.failure is not None
    assert why in beside.failure.reason


async def test_the_same_page_tells_what_nobody_judges(wire: Wire) -> None:
    async with RawServer(answering("metric 1\nuser 2\nother 3\n")) as server:
        reading = await open_source(spec(scrape(server.url)), wire).poll(now(), ["metric"])
    assert reading.aside is not None
    beside = await reading.aside(["sum(user)"])
    assert [(sample.name, sample.value) for sample in beside.samples] == [("user", 2.0)]
    assert (beside.at, beside.up, beside.failure) == (reading.at, reading.up, None)
