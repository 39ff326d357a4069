"""The same questions to a real Prometheus and a real VictoriaMetrics, while they scrape."""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.core.judge.scene import rule
from tests.real_parts.prometheus import RealPrometheus
from tests.real_parts.victoria_metrics import RealVictoriaMetrics
from tests.sources.conftest import Mycelia, now, spec
from tests.wire.raw_server import RawServer
from watchdog.core.judge import Judge
from watchdog.core.samples import Answer, Fault, Reading
from watchdog.core.spec import Bound, Endpoint, PrometheusApi, ValueThreshold
from watchdog.core.words import Blind, Instant, Status
from watchdog.ports import MetricSource
from watchdog.sources import open_source
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

pytestmark = pytest.mark.asyncio(loop_scope="module")

COUNTER = "redemption_requests_total"
STALE_SECONDS = 200.0  # inside the 5 min for which an instant query still shows a sample

RealApi = RealPrometheus | RealVictoriaMetrics


def source_of(api: RealApi, wire: Wire, deadline_seconds: float = 3.0) -> MetricSource:
    how = PrometheusApi(Endpoint(api.url + "/"), scraped_every_seconds=1.0)
    return open_source(spec(how, deadline_seconds=deadline_seconds), wire)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asking() -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets([]))
    yield wire
    await wire.aclose()


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=[RealPrometheus, RealVictoriaMetrics]
)
async def api(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, asking: Wire
) -> AsyncIterator[RealApi]:
    mycelia = Mycelia()
    mycelia.requests.labels(code="200").inc(99)
    mycelia.requests.labels(code="503").inc(1)
    mycelia.ratio.set(0)
    written_at = time.time() - STALE_SECONDS

    async def page(server: RawServer, writer: asyncio.StreamWriter) -> None:
        text = mycelia.page("")[0] + f"stale_total 7 {int(written_at * 1000)}\n".encode()
        head = "HTTP/1.1 200 So\r\nContent-Type: text/plain; version=0.0.4\r\n"
        head += f"Content-Length: {len(text)}\r\n\r\n"
        await server.send(writer, head.encode() + text)

    folder: Path = tmp_path_factory.mktemp("api")
    # By default VictoriaMetrics hides the newest 30 s: what is pinned must not be moved by that.
    hides = ["-search.latencyOffset=30s"] if request.param is RealVictoriaMetrics else []
    async with (
        RawServer(page) as target,
        request.param.start(folder, targets=[target.url + "/metrics"], options=hides) as api,
    ):
        source = source_of(api, asking)
        await until_scraped(source)
        yield api


async def until_scraped(source: MetricSource) -> None:
    """Until three seconds ago it had samples of its present run: a stop marks series as ended."""
    began = now().wall
    async with asyncio.timeout(40):
        newest = 0.0
        while newest < began:
            await asyncio.sleep(0.2)
            newest = (await ask(source, COUNTER, now().plus(-3))).newest or 0.0


async def ask(source: MetricSource, expression: str, at: Instant | None = None) -> Answer:
    reading = await source.poll(at or now(), [expression])
    assert reading.failure is None, reading.failure
    return reading.answers[expression]


async def test_raw_counters_come_with_their_samples_times(api: RealApi, asking: Wire) -> None:
    at = now()
    answer = await ask(source_of(api, asking), COUNTER, at)
    assert {(dict(point.labels)["code"], point.value) for point in answer.points} == {
        ("200", 99.0),
        ("503", 1.0),
    }
    assert all(name != "slo_watchdog_part" for point in answer.points for name, _ in point.labels)
    for point in answer.points:
        assert point.at is not None
        assert at.wall - 2.5 < point.at <= at.wall
    assert answer.newest == max(point.at or 0 for point in answer.points)


async def test_an_old_sample_is_seen_as_old(api: RealApi, asking: Wire) -> None:
    at = now()
    for expression in ("stale_total", "sum(stale_total)"):
        answer = await ask(source_of(api, asking), expression, at)
        assert [point.value for point in answer.points] == [7.0], "served as if it were fresh"
        assert answer.newest is not None
        assert at.wall - answer.newest == pytest.approx(STALE_SECONDS, abs=30)


async def test_the_whole_is_as_fresh_as_its_stalest_part(api: RealApi, asking: Wire) -> None:
    at = now()
    answer = await ask(source_of(api, asking), f"sum({COUNTER}) / sum(stale_total)", at)
    assert answer.newest is not None
    assert at.wall - answer.newest > STALE_SECONDS - 1


async def test_zero_by_zero_is_never_a_number(api: RealApi, asking: Wire) -> None:
    answer = await ask(source_of(api, asking), "collateralization_ratio / collateralization_ratio")
    if isinstance(api, RealPrometheus):
        assert [math.isnan(point.value) for point in answer.points] == [True]
    else:
        assert answer.points == ()
    assert answer.newest is not None
    assert (answer.missing, answer.failure) == ((), None)


async def test_infinite_and_scalar_results_are_read(api: RealApi, asking: Wire) -> None:
    source = source_of(api, asking)
    infinite = await ask(source, f"sum({COUNTER}) / sum(collateralization_ratio)")
    assert [point.value for point in infinite.points] == [math.inf]
    scalar = await ask(source, f"scalar(sum({COUNTER}))")
    assert [(point.labels, point.value) for point in scalar.points] == [((), 100.0)]


async def test_what_matches_nothing_is_named(api: RealApi, asking: Wire) -> None:
    source = source_of(api, asking)
    nothing = await ask(source, 'nosuch{code="5.."}')
    assert (nothing.points, nothing.newest) == ((), None)
    assert nothing.missing == ('nosuch{code="5.."}',)
    half = await ask(source, f"sum({COUNTER}) - sum(rate(nosuch[1m]))")
    assert half.missing == ("nosuch",)
    # `or vector(0)` would say 0 for what is not there.
    hidden = await ask(source, "sum(nosuch) or vector(0)")
    assert (hidden.missing, hidden.newest) == (("nosuch",), None)


async def test_a_silence_that_is_asked_for_is_an_answer(api: RealApi, asking: Wire) -> None:
    """As on a scraped page: what is asked about, and what something measured stands in for."""
    source, at = source_of(api, asking), now()
    for expression, value in (
        ("absent(nosuch) or vector(0)", 1.0),
        ("absent(nosuch)", 1.0),
        (f"sum({COUNTER} unless on () nosuch)", 100.0),
        (f"sum(nosuch) or 0 * sum({COUNTER})", 0.0),
        (f"sum(rate(nosuch[1m])) or on () 0 * sum({COUNTER})", 0.0),
    ):
        answer = await ask(source, expression, at)
        assert [point.value for point in answer.points] == [value], expression
        assert answer.newest is not None, expression
        bound = Bound("<", -1.0, "< -1")
        judge = Judge(rule(ValueThreshold(expression, bound)))
        verdict = judge.observe(Reading("prom", at, 0.1), {expression: answer}, at)
        blind = "sum(" in expression and "unless" in expression  # half a sum nobody sees
        assert (verdict.status is Status.BLIND) is blind, (expression, verdict.reason)


async def test_looking_back_makes_nothing_stale(api: RealApi, asking: Wire) -> None:
    at = now()
    for expression in (f"sum({COUNTER} offset 3s)", f"max_over_time({COUNTER}[2s:1s] offset 3s)"):
        answer = await ask(source_of(api, asking), expression, at)
        assert answer.newest is not None
        assert at.wall - 2.5 < answer.newest <= at.wall


async def test_every_question_is_pinned_to_the_time_of_the_poll(api: RealApi, asking: Wire) -> None:
    earlier = now().plus(-1.5)
    answer = await ask(source_of(api, asking), COUNTER, earlier)
    assert answer.newest is not None
    assert earlier.wall - 2.5 < answer.newest <= earlier.wall
    before_all = await ask(source_of(api, asking), COUNTER, now().plus(-3600))
    assert before_all.missing == (COUNTER,)


async def test_one_bad_query_does_not_spoil_the_others(api: RealApi, asking: Wire) -> None:
    bad = f'label_replace({COUNTER}, "a", "b", "code", "(")'
    matrix = f"{COUNTER}[5s]"
    reading = await source_of(api, asking).poll(now(), [bad, matrix, COUNTER])
    assert reading.failure is None
    failure = reading.answers[bad].failure
    assert failure is not None
    assert (failure.fault, failure.blind) == (Fault.PROVIDER, Blind.QUERY_ERROR)
    assert "missing closing" in failure.reason or "invalid regular expression" in failure.reason
    failure = reading.answers[matrix].failure
    assert failure is not None
    assert (failure.blind, failure.reason) == (Blind.ODD_ANSWER, "a matrix instead of a vector")
    assert len(reading.answers[COUNTER].points) == 2


async def test_a_hung_and_a_dead_api_are_unreachable_until_they_are_back(
    api: RealApi, asking: Wire
) -> None:
    source = source_of(api, asking, deadline_seconds=1.0)
    api.process.pause()
    try:
        began = time.monotonic()
        reading = await source.poll(now(), [COUNTER, f"sum({COUNTER})"])
        assert time.monotonic() - began < 1.5
    finally:
        api.process.resume()
    assert reading.failure is not None
    assert (reading.failure.fault, reading.failure.blind) == (Fault.PROVIDER, Blind.UNREACHABLE)
    assert "no answer within" in reading.failure.reason
    assert reading.answers == {}
    await api.process.stop()
    reading = await source.poll(now(), [COUNTER])
    assert reading.failure is not None
    assert (reading.failure.fault, reading.failure.blind) == (Fault.PROVIDER, Blind.UNREACHABLE)
    assert "connection refused" in reading.failure.reason
    await api.start_again()
    await until_scraped(source_of(api, asking))
