"""`check --live`: sources and actions are asked, and what they do not say is told as well."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.policy.lint_examples import well
from tests.real_parts.prometheus import RealPrometheus
from tests.wire.raw_server import RawServer, answering
from watchdog.cli import app
from watchdog.cli.asking import ask
from watchdog.policy.check import check, grounds
from watchdog.policy.lint.finding import Finding
from watchdog.policy.lint.live import live_findings

PAGE = """\
# TYPE requests_total counter
requests_total{code="200",zone="a"} 900
requests_total{code="500",zone="a"} 3
# TYPE busy gauge
busy{zone="a"} 0.2
"""


@pytest.fixture
async def service() -> AsyncIterator[RawServer]:
    async with RawServer(answering(PAGE)) as server:
        yield server


def written(folder: Path, app_url: str, prometheus_url: str, **changed: str) -> Path:
    files = well()
    for environment in ("production", "staging"):
        files[f"vars/{environment}.yaml"] = f"app: {app_url}\nzone: {environment}.invalid\n"
    files["platform.yaml"] = files["platform.yaml"].replace("http://localhost:9090", prometheus_url)
    flags = files["platform.yaml"].replace("http://flags.{{ zone }}", app_url)
    files["platform.yaml"] = flags
    for right, wrong in changed.items():
        texts = RIGHT[right]
        assert texts in files["team-a/rules.yaml"]
        files["team-a/rules.yaml"] = files["team-a/rules.yaml"].replace(texts, wrong)
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


RIGHT = {
    "total": "      total: requests_total",
    "bad": "{bad: 'requests_total{code=~\"5..\"}'",
    "bound": 'breach_when: "> 90%"',
    "expr": "expr: max(busy)",
}


async def found_live(folder: Path) -> dict[str, list[Finding]]:
    (ground,) = grounds(check(folder, "production"), folder).values()
    found: dict[str, list[Finding]] = {}
    for finding in live_findings(ground, await ask(ground, None)):
        found.setdefault(finding.id, []).append(finding)
    return found


async def test_a_service_that_shows_all_passes_and_an_action_that_cannot_work_is_told(
    tmp_path: Path, service: RawServer
) -> None:
    found = await found_live(written(tmp_path, service.url, service.url))
    assert set(found) == {"source-silent", "action-not-ready", "told-without-credential"}
    (silent,) = found["source-silent"]
    assert silent.problem.what.startswith("prom: "), "a metrics page is no Prometheus"
    (not_ready,) = found["action-not-ready"]
    assert "no executable 'resume'" in not_ready.problem.what
    assert all(request.startswith("GET ") for request in service.requests)


async def test_a_misspelt_metric_and_label_are_found_with_what_there_is(
    tmp_path: Path, service: RawServer
) -> None:
    folder = written(
        tmp_path,
        service.url,
        service.url,
        total="      total: request_total",
        bad="{bad: 'requests_total{status=~\"5..\"}'",
    )
    found = await found_live(folder)
    (metric,) = found["unknown-metric"]
    assert metric.problem.remedy == "Did you mean requests_total?"
    (label,) = found["unknown-label"]
    assert label.problem.what == "no series of requests_total has a label status"
    assert label.problem.remedy == "It has: code, zone."
    lines = (folder / label.problem.file).read_text().splitlines()
    assert "status" in lines[label.problem.line - 1][label.problem.column - 1 :]


async def test_label_sets_are_counted_and_listed_values_looked_for(
    tmp_path: Path, service: RawServer
) -> None:
    folder = written(tmp_path, service.url, service.url)
    platform, rules = folder / "platform.yaml", folder / "team-a/rules.yaml"
    text = platform.read_text().replace("flag: redemption\n", 'flag: "{{ zone }}"\n', 1)
    text = text.replace("  pause:\n", "  pause:\n    each: {zone: [a, c]}\n", 1)
    platform.write_text(text.replace("/redemption", "/{{ zone }}"))
    for environment in ("production", "staging"):
        (folder / f"vars/{environment}.yaml").write_text(f"app: {service.url}\n")
    one = (
        "version: 1\nrules:\n  busy-zone:\n    severity: P1\n    source: app\n"
        '    threshold: {expr: busy, breach_when: "> 0.1"}\n    each: [zone]\n    limit: 1\n'
        "    playbook: redemption\n    mode: shadow\n"
    )
    rules.write_text(one)
    found = await found_live(folder)
    (limit,) = found["each-limit-reached"]
    assert limit.problem.what == "there are 1 sets of zone now, and `limit` is 1"
    (value,) = found["each-value-unseen"]
    assert value.problem.what == ('pause{zone="c"} is for a value that busy-zone does not see now')
    (breached,) = found["breached-now"]
    assert breached.problem.what.startswith('busy-zone{zone="a"} is breached now: busy is 0.2')


async def test_a_label_that_only_failures_have_is_no_slip(
    tmp_path: Path, service: RawServer
) -> None:
    folder = written(tmp_path, service.url, service.url, bad="{bad: 'requests_total{code=\"599\"}'")
    found = await found_live(folder)
    assert "unknown-label" not in found, "none has failed so yet, and the label exists"
    (nothing,) = found["nothing-selected"]
    assert nothing.problem.what == (
        'app shows requests_total, and no series of it is requests_total{code="599"}'
    )
    assert nothing.problem.remedy == (
        "There code is 200, 500. Is it counted only once it happens? Else correct the value."
    )


async def test_a_source_that_hangs_is_waited_for_no_longer_than_its_deadline(
    tmp_path: Path,
) -> None:
    async def hang(server: RawServer, writer: asyncio.StreamWriter) -> None:
        del server, writer
        await asyncio.sleep(600)

    async with RawServer(hang) as server:
        folder = written(tmp_path, server.url, "http://127.0.0.1:9")
        async with asyncio.timeout(20):
            found = await found_live(folder)
    assert {f.problem.what.partition(":")[0] for f in found["source-silent"]} == {"app", "prom"}


async def test_a_channel_that_nobody_is_believed_by_is_told_and_a_probe_is_no_metric(
    tmp_path: Path, service: RawServer
) -> None:
    folder = written(tmp_path, service.url, service.url)
    platform, rules = folder / "platform.yaml", folder / "team-a" / "rules.yaml"
    channel = "events: {security: {hmac: security-webhook}}\nactions:\n"
    platform.write_text(platform.read_text().replace("actions:\n", channel))
    rules.write_text(
        f"{rules.read_text()}  told: {{severity: P2, event: {{from: security}}}}\n"
        "  knocked: {severity: P2, liveness: {tcp: '127.0.0.1:9'}}\n"
    )
    found = await found_live(folder)
    (deaf,) = found["channel-deaf"]
    assert "credential security-webhook does not exist" in deaf.problem.what
    assert "unknown-metric" not in found


CONTACTS = """\
version: 1
channels:
  chat: {apprise: apprise-chat}
  mail: {url: "mailto://localhost?from=a@example.org&to={to}", to: b@example.org}
  pipeline: {webhook: "https://ci.invalid/hook", hmac: pipeline-key}
audiences: {team: {to: [chat, mail, pipeline]}}
status-pages:
  public:
    statuspage: kctbh9vrtdwd
    token: statuspage-token
    components: {reading: {name: Reading, rules: [reads], id: b13yz5g2cw10}}
"""


async def test_channels_and_status_pages_whose_credentials_are_missing_are_told(
    tmp_path: Path, service: RawServer
) -> None:
    folder = written(tmp_path / "rules", service.url, service.url)
    (folder / "contacts.yaml").write_text(CONTACTS)
    found = (await found_live(folder))["told-without-credential"]
    told = {one.problem.what.partition(":")[0]: one.problem.what for one in found}
    assert told.keys() == {"chat", "pipeline", "public"}
    assert "credential statuspage-token does not exist" in told["public"]
    assert {str(one.problem.file) for one in found} == {"contacts.yaml"}

    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("apprise-chat", "pipeline-key", "statuspage-token"):
        (secrets / name).write_text("a secret")
    (ground,) = grounds(check(folder, "production"), folder).values()
    told_now = live_findings(ground, await ask(ground, secrets))
    assert "told-without-credential" not in {one.id for one in told_now}


@pytest.mark.parametrize("host", [socket.gethostname(), "any", "web-1.invalid"])
async def test_a_status_page_of_a_host_that_nobody_knows_is_told(
    tmp_path: Path, service: RawServer, host: str
) -> None:
    folder = written(tmp_path / "rules", service.url, service.url)
    site = f"  site: {{file: /srv/status.json, host: {host}, components: {{reading: {{name: R, "
    site += "rules: [reads]}}}\n"
    (folder / "contacts.yaml").write_text(CONTACTS + site)
    found = (await found_live(folder)).get("page-of-unknown-host", [])
    told = [one.problem.what for one in found]
    here = socket.gethostname()
    nobody = [f"the daemon of web-1.invalid alone tells site, and this is {here}"]
    assert told == (nobody if host == "web-1.invalid" else [])
    assert all(one.problem.line == len(CONTACTS.splitlines()) + 1 for one in found)


def test_the_command_asks_only_when_told_to(tmp_path: Path) -> None:
    folder = written(tmp_path, "http://127.0.0.1:9", "http://127.0.0.1:9")
    words = ["check", str(folder), "--environment", "production"]
    assert CliRunner().invoke(app, [*words, "--strict"]).exit_code == 0
    shown = CliRunner().invoke(app, [*words, "--live", "--json"])
    assert shown.exit_code == 0, "warnings do not fail"
    ids = {finding["id"] for finding in json.loads(shown.output)["findings"]}
    assert {"source-silent", "action-not-ready"} <= ids
    assert CliRunner().invoke(app, [*words, "--live", "--strict"]).exit_code == 1


async def test_a_prometheus_says_what_it_knows_and_how_far_back(
    tmp_path: Path, service: RawServer
) -> None:
    async with RealPrometheus.start(tmp_path, targets=[service.url]) as prometheus:
        folder = written(tmp_path / "rules", service.url, prometheus.url, expr="expr: max(bussy)")
        text = (folder / "team-a/rules.yaml").read_text()
        text = text.replace("    source: app\n    slo:", "    source: prom\n    slo:")
        text = text.replace('requests_total{code=~"5.."}\n', 'requests_total{status=~"5.."}\n', 1)
        (folder / "team-a/rules.yaml").write_text(text)
        async with asyncio.timeout(40):
            while True:
                found = await found_live(folder)
                if "unknown-label" in found:  # it has scraped by now
                    break
                await asyncio.sleep(0.5)
        wrong = text.replace("total: requests_total", "total: 'requests_total{code=\"2..\"}'")
        (folder / "team-a/rules.yaml").write_text(wrong)
        (nothing, *_) = (await found_live(folder))["nothing-selected"]
    assert [f.problem.what for f in found["unknown-metric"]] == ["prom shows no bussy"]
    assert [f.problem.what for f in found["unknown-label"]] == [
        "no series of requests_total has a label status"
    ]
    assert nothing.problem.what.endswith('no series of it is requests_total{code="2.."}')
    assert nothing.problem.remedy.startswith("There code is 200, 500. ")
    (history,) = found["window-beyond-history"]
    assert "has nothing of promise from 6h ago" in history.problem.what


async def test_a_comparison_turned_round_shows_as_breached_now(
    tmp_path: Path, service: RawServer
) -> None:
    folder = written(tmp_path, service.url, service.url, bound='breach_when: "< 90%"')
    text = (folder / "team-a/rules.yaml").read_text()
    (folder / "team-a/rules.yaml").write_text(text.replace("source: prom", "source: app"))
    (breached,) = (await found_live(folder))["breached-now"]
    assert "saturated is breached now: max(busy) is 20%" in breached.problem.what
    assert "turn the comparison round" in breached.problem.remedy


async def test_what_only_has_to_be_present_is_not_told_to_turn_a_comparison_round(
    tmp_path: Path, service: RawServer
) -> None:
    absent = "expr: 'absent(requests_total{zone=\"b\"})'"
    folder = written(tmp_path, service.url, service.url, expr=absent, bound="breach_when: present")
    text = (folder / "team-a/rules.yaml").read_text()
    (folder / "team-a/rules.yaml").write_text(text.replace("source: prom", "source: app"))
    (breached,) = (await found_live(folder))["breached-now"]
    assert breached.problem.remedy == "Is that so? Else correct what it selects."


async def test_an_alertmanager_that_does_not_answer_is_told_at_its_address(
    tmp_path: Path, service: RawServer
) -> None:
    folder = written(tmp_path, service.url, service.url)
    platform = folder / "platform.yaml"
    async with RawServer(answering("[]", "application/json")) as alertmanager:
        section = f'alertmanager:\n  url: ["{alertmanager.url}", "{service.url}"]\n'
        platform.write_text(platform.read_text() + section)
        (silent,) = (await found_live(folder))["alertmanager-silent"]
    assert f"{service.url}: text/plain instead of JSON" in silent.problem.what
    assert all(request.startswith("GET ") for request in alertmanager.requests)
    lines = platform.read_text().splitlines()
    assert lines[silent.problem.line - 1][silent.problem.column - 1 :].startswith("[")


@pytest.mark.parametrize(
    ("expr", "says"),
    [
        ("max(busy{zone=~'b'})", ""),  # said as a selector without series
        ("max(busy / ignoring () requests_total)", "gives no result, though everything in it"),
        ("max(bussy)", ""),  # said as a metric that is not there, and not twice
    ],
)
async def test_a_rule_that_could_not_be_judged_now_is_told(
    tmp_path: Path, service: RawServer, expr: str, says: str
) -> None:
    folder = written(tmp_path, service.url, service.url, expr=f'expr: "{expr}"')
    text = (folder / "team-a/rules.yaml").read_text()
    (folder / "team-a/rules.yaml").write_text(text.replace("source: prom", "source: app"))
    found = await found_live(folder)
    if not says:
        assert "blind-now" not in found
        (told,) = found.get("unknown-metric") or found["nothing-selected"]
        assert told.problem.what.startswith("app shows ")
        return
    (blind,) = found["blind-now"]
    assert blind.problem.what.startswith("saturated is blind now: ")
    assert says in blind.problem.what


URLS = {
    "right": ("slack://TokenAAAA/TokenBBBB/TokenCCCC", ""),
    "scheme": ("slak://TokenAAAA/TokenBBBB/TokenCCCC", "begins with no service that Apprise knows"),
    "rest": ("slack://", "cannot read what stands behind slack:// in its URL"),
    "none": ("TokenAAAA", "begins with no service that Apprise knows"),
    "split": ("mailto://[TokenAAAA", "cannot read what stands behind mailto:// in its URL"),
    "to": ("mailto://u:TokenAAAA@example.org?to={to}", ""),
}


async def test_urls_that_apprise_cannot_read_are_told_and_never_shown(
    tmp_path: Path, service: RawServer
) -> None:
    folder = written(tmp_path / "rules", service.url, service.url)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, (url, _) in URLS.items():
        (secrets / name).write_text(url)
    channels = ", ".join(f"{name}: {{apprise: {name}}}" for name in URLS)
    (folder / "contacts.yaml").write_text(
        f"version: 1\nchannels: {{{channels}, plain: {{url: 'slak://x/y'}}}}\n"
        "people: {ada: {name: Ada, reach: {to: ada@example.org}}}\n"
        "audiences: {team: {to: [right, ada]}}\n"
    )
    (ground,) = grounds(check(folder, "production"), folder).values()
    found = [
        one
        for one in live_findings(ground, await ask(ground, secrets))
        if one.id == "told-by-no-service"
    ]
    told = {one.problem.what.partition(":")[0]: one.problem for one in found}
    assert told.keys() == {name for name, (_, why) in URLS.items() if why} | {"plain"}
    for name, (_, why) in URLS.items():
        assert name not in told or why in told[name].what
    assert "what stands in that credential" in told["rest"].remedy
    assert {problem.line for problem in told.values()} == {2}
    assert not any("Token" in one.problem.text for one in found)
