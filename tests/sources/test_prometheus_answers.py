"""What an API may answer besides a clean vector, and what becomes of it."""

import asyncio
import json
import math
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.sources.conftest import now, spec
from tests.wire.raw_server import RawServer, answering
from watchdog.core.samples import Answer, Fault, Reading
from watchdog.core.spec import Endpoint, PrometheusApi
from watchdog.core.words import Blind
from watchdog.sources import open_source
from watchdog.wire.http import Wire

RATIO = "sum(errors) / sum(requests)"


def asked(server: RawServer) -> tuple[str, float]:
    """The last request's query and time."""
    head, _, body = server.requests[-1].partition("\r\n\r\n")
    form = parse_qs(body or urlsplit(head.split()[1]).query)
    return form["query"][0], float(form["time"][0])


class ScriptedApi:
    """Answers each query with one element, unless `script` says otherwise for its text."""

    def __init__(self, script: Callable[[str, float], object] | None = None) -> None:
        self.script = script or (lambda _query, _at: None)
        self.queries: list[str] = []
        self.under_way = 0
        self.most_under_way = 0

    async def __call__(self, server: RawServer, writer: asyncio.StreamWriter) -> None:
        query, at = asked(server)
        self.queries.append(query)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await asyncio.sleep(0.01)
        scripted = self.script(query, at)
        if scripted == "hang":
            await asyncio.sleep(3600)
        number = at - 1 if query.startswith("timestamp(") else 0.5
        plain = vector({"metric": {}, "value": [at, str(number)]})
        answer = (
            scripted
            if callable(scripted)
            else answering(json.dumps(plain if scripted is None else scripted), "application/json")
        )
        await answer(server, writer)
        self.under_way -= 1


def vector(*rows: object, **more: object) -> dict[str, object]:
    data = {"resultType": "vector", "result": list(rows)}
    return {"status": "success", "data": data, **more}


async def poll(wire: Wire, api: ScriptedApi, *wanted: str, **limits: float) -> Reading:
    async with RawServer(api) as server:
        how = PrometheusApi(Endpoint(server.url + "/prefix?tenant=mycelia"), 1.0)
        source = open_source(spec(how, **limits), wire)  # type: ignore[arg-type]  # whole numbers
        reading = await source.poll(now(), wanted or (RATIO,))
        assert all("/prefix/api/v1/query" in each for each in server.requests)
        assert all("tenant=mycelia" in each for each in server.requests)
        return reading


async def answer(wire: Wire, script: Callable[[str, float], object], **limits: float) -> Answer:
    reading = await poll(wire, ScriptedApi(script), **limits)
    assert reading.failure is None, reading.failure
    return reading.answers[RATIO]


def to_main(what: object) -> Callable[[str, float], object]:
    return lambda query, at: (what(at) if callable(what) else what) if query == RATIO else None


async def test_a_clean_answer_is_handed_on(wire: Wire) -> None:
    clean = await answer(wire, lambda _query, _at: None)
    assert [point.value for point in clean.points] == [0.5]
    assert (clean.missing, clean.failure) == ((), None)


@pytest.mark.parametrize("asked_for", ["sum(errors)", "timestamp(errors{})"])
@pytest.mark.parametrize(
    "notice", [{"warnings": ["1 of 3 stores did not answer"]}, {"isPartial": True}]
)
async def test_a_partial_answer_is_blind_even_where_only_its_freshness_is_partial(
    wire: Wire, notice: dict[str, object], asked_for: str
) -> None:
    def partial(query: str, at: float) -> object:
        row = {"metric": {}, "value": [at, "1"]}
        return vector(row, **notice) if query.startswith(asked_for) else None

    failure = (await answer(wire, partial)).failure
    assert failure is not None
    assert (failure.fault, failure.blind) == (Fault.PROVIDER, Blind.PARTIAL)


async def test_infos_and_empty_warnings_are_no_reason_to_be_blind(wire: Wire) -> None:
    notes = {"warnings": [], "isPartial": False, "infos": ["metric might not be a counter"]}
    script = to_main(lambda at: vector({"metric": {}, "value": [at, "2"]}, **notes))
    assert [point.value for point in (await answer(wire, script)).points] == [2.0]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({"resultType": "matrix", "result": []}, "a matrix instead of a vector"),
        ({"resultType": "string", "result": [1, "x"]}, "a string instead of a vector"),
        ({"resultType": "vector", "result": {}}, "a vector that is no list"),
        ({"resultType": "vector", "result": [{"value": [1, "1"]}]}, "an element without labels"),
        ({"resultType": "vector", "result": [{"metric": {}, "value": "1"}]}, "a value that is not"),
        ({"resultType": "vector", "result": [{"metric": {}, "value": [1]}]}, "a value that is not"),
        (
            {"resultType": "vector", "result": [{"metric": {}, "value": [10**400, "1"]}]},
            "a value that is not",
        ),
        ({"resultType": "vector", "result": [{"metric": {"a": 1}}]}, "a label that is not text"),
        ({"resultType": "vector", "result": [{"metric": {}, "histogram": []}]}, "a histogram"),
        ([], "an answer without data"),
    ],
)
async def test_odd_forms_are_blind(wire: Wire, data: object, reason: str) -> None:
    failure = (await answer(wire, to_main({"status": "success", "data": data}))).failure
    assert failure is not None
    assert (failure.fault, failure.blind) == (Fault.PROVIDER, Blind.ODD_ANSWER)
    assert failure.reason.startswith(reason)


@pytest.mark.parametrize(
    ("value", "reason"), [("1_0", "'1_0' is not a number"), ("many", "'many' is not a number")]
)
async def test_numbers_are_read_strictly(wire: Wire, value: str, reason: str) -> None:
    script = to_main(lambda at: vector({"metric": {}, "value": [at, value]}))
    failure = (await answer(wire, script)).failure
    assert failure is not None
    assert failure.reason == reason


async def test_an_answer_for_another_time_is_odd(wire: Wire) -> None:
    script = to_main(lambda at: vector({"metric": {}, "value": [at - 30, "1"]}))
    failure = (await answer(wire, script)).failure
    assert failure is not None
    assert "answered for the time" in failure.reason


@pytest.mark.parametrize("status", [200, 400, 422, 503])
async def test_an_error_said_by_the_api_is_a_query_error(wire: Wire, status: int) -> None:
    error = {"status": "error", "errorType": "timeout", "error": "query timed out"}
    script = to_main(lambda _at: answering(json.dumps(error), "application/json", status))
    failure = (await poll_answer(wire, script)).failure
    assert failure is not None
    assert (failure.fault, failure.blind) == (Fault.PROVIDER, Blind.QUERY_ERROR)
    assert failure.reason == "timeout: query timed out"


async def poll_answer(wire: Wire, script: Callable[[str, float], object]) -> Answer:
    return (await poll(wire, ScriptedApi(script))).answers[RATIO]


async def test_more_series_than_the_cap_are_ours(wire: Wire) -> None:
    def rows(at: float) -> object:
        return vector(*({"metric": {"n": str(n)}, "value": [at, "1"]} for n in range(11)))

    failure = (await answer(wire, to_main(rows), max_series=10)).failure
    assert failure is not None
    assert (failure.fault, failure.blind) == (Fault.OURS, Blind.TOO_MANY_SERIES)
    assert failure.reason.startswith(
        "11 series, more than 10 (the source's max_series): watch a rec"
    )
    huge = (await answer(wire, to_main({"status": "x" * 200_000}), max_bytes=100_000)).failure
    assert huge is not None
    assert (huge.fault, huge.blind) == (Fault.OURS, Blind.OURS)


async def test_a_time_without_its_value_is_not_a_number(wire: Wire) -> None:
    def only_time(_query: str, at: float) -> object:
        labels = {"__name__": "x", "code": "200", "slo_watchdog_part": "at"}
        return vector({"metric": labels, "value": [at, str(at - 1)]})

    reading = await poll(wire, ScriptedApi(only_time), "errors")
    (point,) = reading.answers["errors"].points
    assert math.isnan(point.value)
    assert point.labels == (("code", "200"),)


# -- the whole API or one query --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("behaviour", "blind", "reason"),
    [
        (answering("<html>log in", "text/html"), Blind.ODD_ANSWER, "text/html instead of JSON"),
        (answering("", status=302, extra="Location: /login\r\n"), Blind.ODD_ANSWER, "302 redir"),
        (answering("{}", "application/json"), Blind.ODD_ANSWER, "JSON without the API's status"),
        (answering("<html>", "text/html", 502), Blind.UNREACHABLE, "HTTP 502"),
        (answering("no", "text/plain", 401), Blind.QUERY_ERROR, "HTTP 401"),
    ],
)
async def test_what_is_not_the_api_speaking_fails_the_whole_reading(
    wire: Wire, behaviour: object, blind: Blind, reason: str
) -> None:
    reading = await poll(wire, ScriptedApi(lambda _query, _at: behaviour), RATIO, "errors")
    assert reading.failure is not None
    assert (reading.failure.fault, reading.failure.blind) == (Fault.PROVIDER, blind)
    assert reason in reading.failure.reason
    assert reading.answers == {}


async def test_slow_queries_are_told_from_a_dead_api_by_a_control_query(wire: Wire) -> None:
    api = ScriptedApi(lambda query, _at: None if query == "1" else "hang")
    reading = await poll(wire, api, deadline_seconds=0.6)
    assert reading.failure is None
    failure = reading.answers[RATIO].failure
    assert failure is not None
    assert (failure.fault, failure.blind) == (Fault.PROVIDER, Blind.UNREACHABLE)
    assert reading.took_seconds < 0.9
    dead = await poll(wire, ScriptedApi(lambda _query, _at: "hang"), deadline_seconds=0.6)
    assert dead.failure is not None
    assert (dead.failure.fault, dead.failure.blind) == (Fault.PROVIDER, Blind.UNREACHABLE)
    assert dead.took_seconds < 0.9


async def test_one_slow_query_costs_only_its_own_answer(wire: Wire) -> None:
    api = ScriptedApi(lambda query, _at: "hang" if query == "sum(slow)" else None)
    reading = await poll(wire, api, "sum(slow)", RATIO, deadline_seconds=0.6)
    assert reading.failure is None
    assert reading.answers["sum(slow)"].failure is not None
    assert reading.answers[RATIO].failure is None
    assert "1" not in api.queries  # another answer shows already that the API lives


# -- how it asks -----------------------------------------------------------------------------------


async def test_each_selector_is_asked_once_however_often_it_occurs(wire: Wire) -> None:
    api = ScriptedApi()
    wanted = [RATIO, "sum(rate(errors[5m]))", "max(errors)", "avg_over_time(errors[5m:] offset 1h)"]
    await poll(wire, api, *wanted)
    freshness = sorted(query for query in api.queries if query.startswith("timestamp("))
    # Once for the present, once for an hour ago.
    assert freshness == ["timestamp(errors{})", "timestamp(errors{})", "timestamp(requests{})"]
    assert len(api.queries) == len(wanted) + len(freshness)


async def test_many_queries_go_out_a_few_at_a_time(wire: Wire) -> None:
    api = ScriptedApi()
    reading = await poll(wire, api, *(f"sum(metric_{n})" for n in range(30)))
    assert all(each.failure is None for each in reading.answers.values())
    assert 1 < api.most_under_way <= 8


async def test_a_long_expression_goes_as_a_form(wire: Wire) -> None:
    long = "sum(errors) + " + " + ".join(["sum(requests)"] * 400)
    async with RawServer(ScriptedApi()) as server:
        source = open_source(spec(PrometheusApi(Endpoint(server.url), 1.0)), wire)
        reading = await source.poll(now(), [long])
    assert [point.value for point in reading.answers[long].points] == [0.5]
    posted = [each for each in server.requests if each.startswith("POST ")]
    assert len(posted) == 1
    assert "application/x-www-form-urlencoded" in posted[0]


async def test_an_expression_that_cannot_be_parsed_is_ours_and_raises_nothing(wire: Wire) -> None:
    reading = await poll(wire, ScriptedApi(), "sum(")
    assert reading.failure is not None
    assert reading.failure.fault is Fault.OURS


# -- what nobody judges ----------------------------------------------------------------------------


async def test_what_nobody_judges_is_asked_one_query_after_the_other_at_the_same_time(
    wire: Wire,
) -> None:
    times: list[float] = []
    api = ScriptedApi(lambda _query, at: times.append(at))
    async with RawServer(api) as server:
        source = open_source(spec(PrometheusApi(Endpoint(server.url), 1.0)), wire)
        reading = await source.poll(now(), ["errors"])
        assert api.queries == [query for query in api.queries if "users" not in query]
        api.most_under_way = 0
        assert reading.aside is not None
        beside = await reading.aside(["sum(users) / sum(all)", "users"])
    assert api.most_under_way == 1
    assert len(set(times)) == 1
    assert beside.at == reading.at
    assert [point.value for point in beside.answers["sum(users) / sum(all)"].points] == [0.5]


async def test_what_nobody_judges_has_a_deadline_of_its_own(wire: Wire) -> None:
    api = ScriptedApi(lambda query, _at: "hang" if "users" in query else None)
    async with RawServer(api) as server:
        how = PrometheusApi(Endpoint(server.url), 1.0)
        reading = await open_source(spec(how, deadline_seconds=0.3), wire).poll(now(), ["errors"])
        assert reading.aside is not None
        beside = await reading.aside(["sum(users)"])
    failure = beside.answers["sum(users)"].failure
    assert failure is not None
    assert "no answer within" in failure.reason
    assert 0.2 < beside.took_seconds < 0.5
