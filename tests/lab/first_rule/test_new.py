"""`new`: a first rule from what a provider holds; from a hostile one an error and no file."""

import asyncio
import gc
import json
import time
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.cli.conftest import Ended, here
from tests.lab.first_rule.holding import Holding, counted
from tests.wire.raw_server import Behaviour, RawServer, answering, hangs
from watchdog.core.promql.selector import Selector
from watchdog.core.spec import Endpoint, Liveness, Policy, RatioThreshold
from watchdog.lab.first_rule.asking import Asking
from watchdog.policy import load_folder
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

SHOP = counted("shop", "code", _200=9.9, _500=0.1)


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[RawServer]:
    async with RawServer(Holding()) as server:
        yield server


async def new(provider: RawServer, into: Path, *more: str) -> Ended:
    given = ("new", "--prometheus", provider.url, "--into", str(into), *more)
    return await asyncio.to_thread(here, *given, socket=into / "none")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def policy(into: Path) -> Policy:
    load = load_folder(into, "production")
    assert load.complete, load.errors
    assert load.policy is not None
    return load.policy


def one_rule(into: Path) -> Any:
    (rule,) = policy(into).rules.values()
    return rule


async def test_the_counter_with_the_most_traffic_is_taken_and_the_rest_is_named(
    provider: RawServer, tmp_path: Path
) -> None:
    provider.behaviour = Holding(
        {
            "http_requests_total": [*SHOP, *counted("quiet", "code", _200=2.0)],
            "prometheus_http_requests_total": counted("prometheus", "code", _200=500.0),
            "pay_requests_total": counted("pay", "result", ok=5.0, error=0.2),
            "jobs_total": [({"job": "batch"}, 3.0)],
        },
        up={"shop": (2, 2)},
    )
    ended = await new(provider, tmp_path / "rules", "--json")
    assert ended.status == 0, ended.err
    told = ended.json
    assert told["watches"]["total"] == 'http_requests_total{job="shop"}'
    assert [one["what"] for one in told["alternatives"]] == [
        'pay_requests_total{job="pay"}',
        'http_requests_total{job="quiet"}',
        'prometheus_http_requests_total{job="prometheus"}',
        'up{job="shop"}',
    ]
    assert told["dismissed"][0]["what"] == 'jobs_total{job="batch"}'
    for command in (("check", "--strict"), ("test",)):
        shown = here(*command, str(tmp_path / "rules"), socket=tmp_path / "none")
        assert shown.status == 0, shown.out
    rule = one_rule(tmp_path / "rules")
    assert (rule.name, rule.owner, rule.mode.word) == ("shop-errors", "shop-team", "shadow")
    assert rule.every_seconds == 15
    assert rule.for_seconds == 45
    other = await new(
        provider, tmp_path / "b" / "rules", *told["alternatives"][0]["take_it_with"].split()
    )
    assert other.status == 0, other.err
    assert "pay_requests_total" in one_rule(tmp_path / "b" / "rules").signal.counters.total


async def test_a_histogram_is_either_taken_or_not(provider: RawServer, tmp_path: Path) -> None:
    """Its count tells no failures, and it may tell slow events all the same."""
    buckets = [({"job": "quotes", "le": le}, rate) for le, rate in (("0.5", 7.9), ("+Inf", 8.0))]
    seconds = "quote_requests_seconds"
    provider.behaviour = Holding(
        {f"{seconds}_bucket": buckets, f"{seconds}_count": [({"job": "quotes"}, 8.0)]},
        up={"quotes": (1, 1)},
    )
    ended = await new(provider, tmp_path / "rules", "--json")
    assert ended.status == 0, ended.err
    assert ended.json["watches"]["total"] == f'{seconds}_count{{job="quotes"}}'
    assert ended.json["dismissed"] == []


async def test_of_other_jobs_nothing_is_told_where_one_was_named(
    provider: RawServer, tmp_path: Path
) -> None:
    provider.behaviour = Holding(
        {
            "http_requests_total": SHOP,
            "jobs_total": [({"job": "batch"}, 3.0), ({"job": "shop"}, 3.0)],
        },
        up={"shop": (2, 2), "batch": (0, 1)},
    )
    ended = await new(provider, tmp_path / "rules", "--job", "shop", "--json")
    assert ended.status == 0, ended.err
    assert [one["what"] for one in ended.json["dismissed"]] == ['jobs_total{job="shop"}']


async def test_what_little_is_known_yet_is_said(provider: RawServer, tmp_path: Path) -> None:
    provider.behaviour = Holding({"http_requests_total": SHOP}, up={"shop": (1, 1)}, samples=4)
    ended = await new(provider, tmp_path / "rules")
    assert ended.status == 0, ended.err
    # Prometheus divides by all of the 5m that it was asked for: 10 a second.
    assert "50 events a second over the last 1m;" in ended.out
    assert "going by 1m: no more is known of it yet" in ended.out
    text = (tmp_path / "rules" / "shop-team" / "rules.yaml").read_text()
    assert "15000 in 5m, going by the last 1m" in text
    assert "in the last 1m, which is all that is known" in text


async def test_questions_that_are_cut_off_are_put_away(provider: RawServer) -> None:
    provider.behaviour = hangs
    wire = Wire(FileSecrets([]))
    asking = Asking(Endpoint(provider.url), wire, 0.0)
    try:
        with warnings.catch_warnings(record=True) as told:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await asking.each(asking.rows("up") for _ in range(50))
            gc.collect()
        assert told == []
    finally:
        await wire.aclose()


async def test_two_counters_stand_for_a_label_that_is_not_there(
    provider: RawServer, tmp_path: Path
) -> None:
    provider.behaviour = Holding(
        {
            "shop_requests_total": [({"job": "shop"}, 10.0)],
            "shop_request_errors_total": [({"job": "shop"}, 0.1)],
        }
    )
    assert (await new(provider, tmp_path / "rules")).status == 0
    signal = one_rule(tmp_path / "rules").signal
    assert isinstance(signal, RatioThreshold)
    assert signal.counters.events == 'shop_request_errors_total{job="shop"}'


async def test_latency_stands_for_failures_that_nothing_counts(
    provider: RawServer, tmp_path: Path
) -> None:
    provider.behaviour = Holding(
        {
            "shop_duration_seconds_count": [({"job": "shop"}, 10.0)],
            "shop_duration_seconds_bucket": counted(
                "shop", "le", **{"0.1": 6.0, "0.5": 9.95, "+Inf": 10.0}
            ),
        }
    )
    assert (await new(provider, tmp_path / "rules")).status == 0
    signal = one_rule(tmp_path / "rules").signal
    assert isinstance(signal, RatioThreshold)
    assert signal.counters.good
    assert 'le="0.5"' in signal.counters.events


async def test_up_is_the_last_resort(provider: RawServer, tmp_path: Path) -> None:
    provider.behaviour = Holding({}, up={"prometheus": (1, 1), "shop": (2, 2), "torn": (1, 2)})
    ended = await new(provider, tmp_path / "rules", "--json")
    assert ended.status == 0, ended.err
    assert ended.json["dismissed"][0]["why"] == "1 of 2 targets are down now"
    assert one_rule(tmp_path / "rules").signal == Liveness('up{job="shop"}')


@pytest.mark.parametrize(
    "job", ['a"b', "two\nlines\n  armed: true", "{{ app }}", "\\", "é\x00'#: "]
)
async def test_what_a_label_holds_stays_a_label(
    provider: RawServer, tmp_path: Path, job: str
) -> None:
    provider.behaviour = Holding(
        {"requests_total": counted(job, "code", _200=10.0)}, up={job: (1, 1)}
    )
    ended = await new(provider, tmp_path / "rules")
    assert ended.status == 0, ended.err
    (matcher,) = Selector.parse(one_rule(tmp_path / "rules").signal.counters.total).matchers
    assert matcher.value == job


async def test_a_name_that_yaml_reads_as_something_else_stays_a_name(
    provider: RawServer, tmp_path: Path
) -> None:
    provider.behaviour = Holding({"requests_total": SHOP})
    names = ("--name", "null", "--owner", "true", "--environment", "false")
    ended = await new(provider, tmp_path / "rules", *names)
    assert ended.status == 0, ended.err
    load = load_folder(tmp_path / "rules", "false")
    assert load.complete
    assert load.policy is not None
    assert [(rule.name, rule.owner) for rule in load.policy.rules.values()] == [("null", "true")]


async def test_what_cannot_be_judged_is_dismissed_with_its_reason(
    provider: RawServer, tmp_path: Path
) -> None:
    provider.behaviour = Holding(
        {
            "a_requests_total": counted("a", "code", _200=10.0),
            "b_requests_total": counted("b", "code", _200=9.0),
            "c_requests_total": counted("c", "code", _200=0.0001),
            "d_requests_total": counted("d", "code", _200=0.0),
            "e_requests_total": counted("e", "code", _200=7.0),
        },
        kinds={"a_requests_total": "gauge"},
        failing_share={"b_requests_total": 0.4},
        series={"e_requests_total": 20_000},
    )
    ended = await new(provider, tmp_path / "rules")
    assert ended.status == 1
    for reason in (
        "it is a gauge, no counter",
        "40% of its events are bad already",
        "too little traffic",
        "no traffic in the last 5m",
        "20000 series",
        "Looked for counters like *_requests_total",
        "There are 6 metrics",
    ):
        assert reason in ended.err
    assert files(tmp_path) == []


async def floods(server: RawServer, writer: asyncio.StreamWriter) -> None:
    head = b"HTTP/1.1 200 So\r\nContent-Type: application/json\r\nContent-Length: 104857600\r\n\r\n"
    await server.send(writer, head)
    for _ in range(100):
        await server.send(writer, b'"' * (1 << 20))


JSON = "application/json"


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (hangs, "not done answering within 500ms"),
        (floods, "more than 33554432 bytes"),
        (answering("<html>Sign in</html>", "text/html"), "text/html instead of JSON"),
        (answering("no", JSON, status=401), "HTTP 401"),
        (answering("{", JSON), "not JSON"),
        (answering("[" * 100_000, JSON), "not JSON"),
        (answering('{"status": "success", "data": {"a": 1}}', JSON), "no list of names"),
        (answering('{"status": "success", "data": [1, 2]}', JSON), "no list of names"),
        (answering('{"status": "error", "errorType": "x", "error": "y"}', JSON), "x: y"),
    ],
)
async def test_a_hostile_provider_gets_no_file_written(
    provider: RawServer, tmp_path: Path, behaviour: Behaviour, says: str
) -> None:
    provider.behaviour = behaviour
    began = time.monotonic()
    within = "500ms" if behaviour is hangs else "20s"  # a flood takes its time on a busy machine
    ended = await new(provider, tmp_path / "rules", "--deadline", within)
    assert time.monotonic() - began < 12
    assert (ended.status, ended.out) == (1, "")
    assert says in ended.err
    assert "Nothing was written" in ended.err
    assert files(tmp_path) == []


async def test_nothing_that_exists_is_overwritten(provider: RawServer, tmp_path: Path) -> None:
    provider.behaviour = Holding({"requests_total": SHOP})
    rules = tmp_path / "rules"
    (rules / "shop-team").mkdir(parents=True)
    (rules / "shop-team" / "rules.yaml").write_text("mine\n")
    ended = await new(provider, rules)
    assert ended.status == 4
    assert "shop-team/rules.yaml" in ended.err
    assert files(tmp_path) == ["rules.yaml"]
    (rules / "shop-team" / "rules.yaml").rename(rules / "shop-team" / "broken.yaml")
    ended = await new(provider, rules)
    assert ended.status == 4
    assert "it would not load" in ended.err
    (rules / "shop-team" / "broken.yaml").unlink()
    (tmp_path / "watchdog.toml").write_text('environment = "elsewhere"\n')
    ended = await new(provider, rules)
    assert ended.status == 0, ended.err
    assert 'environment = "production"' in ended.out
    assert (tmp_path / "watchdog.toml").read_text() == 'environment = "elsewhere"\n'


async def test_a_flag_must_be_readable_before_it_is_written_down(
    provider: RawServer, tmp_path: Path
) -> None:
    provider.behaviour = Holding({"requests_total": SHOP})
    async with RawServer(answering(json.dumps({"name": "checkout"}), JSON)) as flags:
        given = ("--flag-api", f"{flags.url}/flags", "--flag", "checkout")
        ended = await new(provider, tmp_path / "rules", *given)
        assert ended.status == 1
        assert "the flag cannot be read there" in ended.err
        assert files(tmp_path) == []
        flags.behaviour = answering(json.dumps({"enabled": True}), JSON)
        ended = await new(provider, tmp_path / "rules", *given, "--flag-secret", "token")
        assert ended.status == 0, ended.err
        assert flags.requests[-1].startswith("GET /flags/checkout ")
    action = policy(tmp_path / "rules").actions["switch-off-checkout"]
    assert action.target == "flag:checkout"
    assert f'secrets_dir = "{tmp_path}/secrets"' in (tmp_path / "watchdog.toml").read_text()


async def test_a_prometheus_behind_a_credential_is_asked_with_it(
    provider: RawServer, tmp_path: Path
) -> None:
    provider.behaviour = Holding({"requests_total": SHOP})
    given = ("--secret", "reader")
    ended = await new(provider, tmp_path / "rules", *given)
    assert ended.status == 1
    assert "credential reader does not exist" in ended.err
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "reader").write_text("s3cret\n")
    ended = await new(provider, tmp_path / "rules", *given)
    assert ended.status == 0, ended.err
    assert all("authorization: bearer s3cret" in one.lower() for one in provider.requests)
    (header,) = policy(tmp_path / "rules").sources["prometheus"].how.endpoint.headers  # type: ignore[union-attr]  # it is a Prometheus
    assert (header.value, header.secret) == ("Bearer ", "reader")
    assert "s3cret" not in "".join(
        path.read_text() for path in (tmp_path / "rules").rglob("*.yaml")
    )
