"""`/metrics` after a real breach, read as scrapers read it."""

import asyncio
import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from tests.real_parts import RealPrometheus, program
from tests.web.conftest import MARKUP, Paused
from tests.web.policies import AVAILABILITY, ERROR_RATE, OBSERVED, ODD
from watchdog.core.words import Truth
from watchdog.web.metrics import CATALOG, reference

pytestmark = pytest.mark.asyncio(loop_scope="session")

DOCUMENT = Path(__file__).parents[2] / "docs" / "metrics.md"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class Page:
    """What a scraper got."""

    def __init__(self, families: Iterable[Family]) -> None:
        self.families = {family.name: family for family in families}
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, short: str, **labels: str) -> float:
        return self._values[f"slo_watchdog_{short}", frozenset(labels.items())]

    def has(self, short: str, **labels: str) -> bool:
        return (f"slo_watchdog_{short}", frozenset(labels.items())) in self._values


async def scraped(paused: Paused) -> Page:
    return Page(plain((await paused.watch.get("/metrics")).text))


async def test_a_verdict_is_one_of_three(paused: Paused) -> None:
    page = await scraped(paused)
    for rule in paused.watch.engine.in_force().rules:
        shown = [
            page("rule_verdict", rule=rule, status=s) for s in ("healthy", "breached", "blind")
        ]
        assert sorted(shown) == [0, 0, 1]
    assert page("rule_verdict", rule="app-answers", status="healthy") == 1


async def test_why_a_rule_is_blind_stands_beside_it(paused: Paused) -> None:
    await paused.markup_is_read()
    page = await scraped(paused)
    assert page("rule_blind", rule=ODD.name, reason="odd_answer") == 1
    assert not page.has("rule_blind", rule="app-answers", reason="not_yet")
    assert page("blindness_total", reason="odd_answer") >= 1
    assert page("source_errors_total", source="odd", reason="odd_answer") >= 2
    assert page("source_failing", source="odd") == 1
    assert page("source_failing", source="app") == 0
    assert page("source_polls_total", source="app") >= 4
    assert page("source_poll_duration_seconds_count", source="app") >= 4


async def test_burn_is_told_for_each_window(paused: Paused) -> None:
    page = await scraped(paused)
    for window, factor in {"1h": 14.4, "5m": 14.4, "6h": 6.0, "30m": 6.0}.items():
        labels = {"rule": AVAILABILITY.name, "window": window}
        assert page("rule_burn", **labels) > 0
        assert page("rule_burn_limit", **labels) == factor
        assert 0 < page("rule_window_coverage_ratio", **labels) < 1


async def test_what_is_left_of_an_error_budget_is_told(paused: Paused) -> None:
    page = await scraped(paused)
    rule = AVAILABILITY.name
    found = paused.watch.engine.memory.budget(rule, paused.watch.engine.ports.clock.now())
    assert found is not None
    assert page("slo_objective_ratio", rule=rule) == found.objective
    assert page("slo_period_seconds", rule=rule) == found.period_seconds
    left = page("slo_error_budget_remaining_ratio", rule=rule)
    assert left < 1
    assert left == pytest.approx(found.remaining, abs=0.2)
    assert 0 < page("slo_error_budget_coverage_ratio", rule=rule) < 1
    lasts = page("slo_error_budget_exhaustion_seconds", rule=rule)
    assert lasts == 0 if left <= 0 else lasts > 0
    assert not page.has("slo_error_budget_remaining_ratio", rule=ERROR_RATE.name)


async def test_the_pause_is_counted_from_breach_to_effect(paused: Paused) -> None:
    page = await scraped(paused)
    done = {"action": "pause-redemption", "direction": "do"}
    assert page("actions_total", **done, outcome="done") == 1
    assert page("actions_total", **done, outcome="failed") == 0
    assert page("action_duration_seconds_count", **done) == 1
    assert page("breach_to_effect_seconds_count", action="pause-redemption") == 1
    took = page("breach_to_effect_seconds_sum", action="pause-redemption")
    assert ERROR_RATE.for_seconds <= took < 10
    assert page("decisions_total", world="live", ruling="allowed") == 1
    assert page("episodes_open", world="live", state="contained") == 1
    assert page("action_ready", action="pause-redemption") == 1
    assert page("action_claimed", action="pause-redemption") == 1


async def test_the_numbers_of_the_procedure_are_told(paused: Paused) -> None:
    page = await scraped(paused)
    action, flag = "pause-redemption", "flag:btc_mainnet_redemption"
    assert page("rollbacks_total", action=action, ended="in_time") == 1
    assert page("rollbacks_total", action=action, ended="late") == 0
    assert page("rollback_duration_seconds_count", action=action) == 1
    took = page("rollback_duration_seconds_sum", action=action)
    from_breach = page("breach_to_effect_seconds_sum", action=action)
    from_first_bad = page("first_bad_to_effect_seconds_sum", action=action)
    assert 0 < took < from_breach < from_first_bad
    assert page("breach_to_contained_seconds_count", severity="P0") == 1
    assert page("breach_to_recovered_seconds_count", severity="P3") == 0
    engine = paused.watch.engine
    (paused_it,) = engine.book.measures.rollbacks
    age = page("action_proof_age_seconds", action=action)
    assert 0 <= age <= engine.ports.clock.now().steady - paused_it.at.steady
    assert 0 <= page("preflight_age_seconds") < float("inf")
    for period in ("30d", "90d"):
        about = {"action": action, "rule": ERROR_RATE.name, "period": period}
        assert page("rollback_frequency", **about) == 1
        assert page("rollback_in_time_ratio", action=action, period=period) == 1
        paused_for = page("feature_downtime_seconds", target=flag, period=period)
        failed = page("service_downtime_seconds", rule=ERROR_RATE.name, period=period)
        down = page("target_downtime_seconds", target=flag, period=period)
        assert 0 < paused_for < down
        assert 0 < failed < down
        assert down < paused_for + failed, "what overlaps counts once"
        assert page("downtime_seconds", period=period) >= down
    assert page("rule_affected", rule=ERROR_RATE.name, of="failed events") > 0


async def test_an_episode_and_an_action_show_their_numbers(paused: Paused) -> None:
    episodes = (await paused.watch.get("/api/v1/episodes")).json()
    (one,) = [ep["measures"] for ep in episodes if ep["id"] == paused.episode]
    (act,) = one["rollbacks"]
    assert (act["ended"], act["sla_seconds"]) == ("in_time", 30.0)
    assert one["seconds_breach_to_contained"] < one["seconds_first_bad_to_contained"]
    assert (one["affected"]["by"], one["affected"]["of"]) == ("counters", "failed events")
    assert one["told"][0].startswith("pause-redemption took ")
    (action,) = (await paused.watch.get("/api/v1/actions")).json()
    assert action["last_proof"]["ref"] == act["intent"]
    assert action["rollbacks"]["30d"]["in_time"] == 1
    front = (await paused.watch.get("/")).text
    assert "proven" in front
    assert "pause-redemption took" in front


async def test_a_refusal_is_counted_by_its_gate(paused: Paused) -> None:
    await paused.watch.episode(OBSERVED.name, state="held")
    page = await scraped(paused)
    assert page("refusals_total", world="live", gate="mode") == 1
    assert page("refusals_total", world="live", gate="budget") == 0


async def test_it_tells_that_it_watches_and_records(paused: Paused) -> None:
    page = await scraped(paused)
    assert page("passes_total") > 4
    assert page("last_pass_age_seconds") < 2
    assert 0 < page("pass_longest_seconds") < 2
    assert page("journal_stuck") == 0
    assert page("journal_reserve_ready") == 1
    assert page("journal_last_seq") == paused.watch.engine.recorder.last_seq
    assert page("journal_entries_total", kind="policy.applied") == 1
    assert page("holds_standing") == 1
    assert page("policy_info", environment="sandbox", sha256="b1" * 32) == 1
    assert page("rule_mode_declared", rule=ERROR_RATE.name) == 3
    resident = page.families["process_resident_memory_bytes"].samples[0].value
    assert resident > 10_000_000


async def test_what_holds_every_start_back_is_told(paused: Paused) -> None:
    engine = paused.watch.engine
    page = await scraped(paused)
    limits = engine.in_force().limits
    assert page("action_budget_left") == limits.budget_actions - 1, "one pause was started"
    assert not page.has("clock_synced"), "nobody asks for it here"
    here = engine.process
    try:
        engine.process = replace(here, time_sync_required=True)
        assert (await scraped(paused))("clock_synced") == 0
        engine.time_synced = Truth.TRUE
        assert (await scraped(paused))("clock_synced") == 1
    finally:
        engine.process, engine.time_synced = here, Truth.UNKNOWN


async def test_nothing_that_was_answered_becomes_a_label(paused: Paused) -> None:
    await paused.markup_is_read()
    text = (await paused.watch.get("/metrics")).text
    assert MARKUP in str((await paused.watch.get(f"/api/v1/why/{ODD.name}")).json())
    assert "<" not in text


async def test_the_page_and_the_catalog_name_the_same_metrics(paused: Paused) -> None:
    page = await scraped(paused)
    ours = {name for name in page.families if name.startswith("slo_watchdog_")}
    assert {m.name.removesuffix("_total") for m in CATALOG.values()} == {
        name.removesuffix("_info") for name in ours
    }
    for metric in CATALOG.values():
        base = metric.name.removesuffix("_total")
        family = page.families.get(base) or page.families[f"{base}_info"]
        assert family.documentation == metric.help
        for sample in family.samples:
            assert set(sample.labels) - {"le"} == set(metric.labels), sample


async def test_openmetrics_is_given_to_who_accepts_it(paused: Paused) -> None:
    answer = await paused.watch.get("/metrics", Accept=OPENMETRICS)
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert answer.text.endswith("# EOF\n")
    page = Page(openmetrics(answer.text))  # type: ignore[no-untyped-call]  # the library's own
    assert page("decisions_total", world="live", ruling="allowed") == 1
    text = await paused.watch.get("/metrics")
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "_created" not in text.text


async def test_promtool_finds_nothing_to_say(paused: Paused) -> None:
    text = (await paused.watch.get("/metrics")).content
    ours = b"".join(
        line + b"\n" for line in text.splitlines() if b"python_gc" not in line
    )  # whose names are the client library's
    assert await asyncio.to_thread(promtool_says, ours) == (0, b"")


def promtool_says(page: bytes) -> tuple[int, bytes]:
    checked = subprocess.run(
        [program("promtool", "prometheus"), "check", "metrics"],
        input=page,
        capture_output=True,
        timeout=20,
        check=False,
    )
    return checked.returncode, checked.stdout + checked.stderr


async def test_a_real_prometheus_takes_it(paused: Paused, tmp_path: Path) -> None:
    query = f'slo_watchdog_rule_verdict{{rule="{ERROR_RATE.name}"}}'
    targets = [f"{paused.watch.url}/metrics"]
    async with (
        RealPrometheus.start(tmp_path, targets=targets) as prometheus,
        httpx.AsyncClient(base_url=prometheus.url, trust_env=False) as client,
    ):
        found: list[object] = []

        async def stored() -> None:
            while len(found) < 3:
                answer = await client.get("/api/v1/query", params={"query": query})
                found[:] = answer.json()["data"]["result"]

        await paused.watch.within(stored(), 12.0)
        up = (await client.get("/api/v1/query", params={"query": "up"})).json()
        assert [one["value"][1] for one in up["data"]["result"]] == ["1"]


async def test_the_document_is_made_from_the_catalog() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == reference()
