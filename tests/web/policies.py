"""Policies as values: what the faces are asked to show."""

from dataclasses import replace
from datetime import UTC, datetime

from watchdog.core.spec import (
    ActionSpec,
    Bound,
    BurnPair,
    Check,
    Command,
    Counters,
    Endpoint,
    JsonDocument,
    Limits,
    Part,
    Playbook,
    Policy,
    RatioThreshold,
    RuleSpec,
    Rung,
    Scrape,
    Slo,
    SourceSpec,
    Step,
    ValueThreshold,
)
from watchdog.core.words import Mode, Severity
from watchdog.sandbox.handle import Sandbox

REDEMPTIONS = Counters('redemption_requests_total{code=~"5.."}', "redemption_requests_total")

ERROR_RATE = RuleSpec(
    name="redemption-error-rate",
    owner="redemption-team",
    kind="threshold",
    severity=Severity.P0,
    source="app",
    signal=RatioThreshold(REDEMPTIONS, 5.0, Bound(">", 0.05, "> 5%")),
    every_seconds=0.5,
    stale_after_seconds=2.0,
    for_seconds=1.0,
    keep_firing_seconds=5.0,
    minimum_events=20,
    page_after_seconds=60.0,
    playbook="redemption",
    up_to=None,
    mode=Mode.ARMED,
    mode_reason="launch decision",
    corroborate=(),
    cooldown_seconds=600.0,
    watch_seconds=60.0,
    runbook="docs/runbooks/redemption.md",
    labels=(("team", "redemption"),),
    summary="Redemptions fail",
    sha256="r1" * 32,
    where="redemption-team/rules.yaml:4:3",
)

AVAILABILITY = replace(
    ERROR_RATE,
    name="redemption-availability",
    labels=(("alertname", "RedemptionErrors"), ("severity", "critical")),
    kind="slo",
    signal=Slo(
        REDEMPTIONS,
        0.999,
        30 * 86400.0,
        (BurnPair(0.02, 3600.0, 300.0, 14.4), BurnPair(0.05, 21600.0, 1800.0, 6.0)),
    ),
    severity=Severity.P1,
    for_seconds=0.0,
    mode=Mode.OBSERVE,
    mode_reason="until its record convinces",
    playbook=None,
    where="redemption-team/rules.yaml:24:3",
)

OBSERVED = replace(
    ERROR_RATE,
    name="redemption-observed",
    mode=Mode.OBSERVE,
    mode_reason="until its record convinces",
    where="redemption-team/rules.yaml:40:3",
)

QUIET = replace(
    ERROR_RATE,
    name="app-answers",
    owner="platform-team",
    kind="liveness",
    signal=ValueThreshold("sum(redemption_requests_total)", Bound("<", 0.0, "< 0")),
    playbook=None,
    mode=Mode.SHADOW,
    where="platform-team/rules.yaml:3:3",
)

ODD = replace(
    QUIET,
    name="odd-document",
    kind="integrity",
    source="odd",
    signal=ValueThreshold("anything", Bound("<", 1.0, "< 1")),
    where="platform-team/rules.yaml:12:3",
)


def source(name: str, how: Scrape | JsonDocument) -> SourceSpec:
    return SourceSpec(name, 0.5, 1.0, 4_000_000, 10_000, how)


def pause(sandbox: Sandbox) -> ActionSpec:
    """Pausing redemption by the sandbox's own tool."""

    def step(word: str, expect: str) -> Step:
        argv = (str(sandbox.bin / "mycelia-launchctl"), word, "redemption")
        return Step(Command(argv, cwd=str(sandbox.root)), expect)

    return ActionSpec(
        name="pause-redemption",
        target="flag:btc_mainnet_redemption",
        read_back=Endpoint(f"{sandbox.url}/api/feature-flags/btc_mainnet_redemption"),
        do=step("pause", "enabled == `false`"),
        undo=step("resume", "enabled == `true`"),
        contained_when=(
            Check(
                Endpoint(f"{sandbox.url}/ops/status.json"),
                "featureFlags.btc_mainnet_redemption == `false`",
            ),
        ),
        resume_when=(Check(Endpoint(f"{sandbox.url}/health"), "status == 'ok'"),),
        deadline_seconds=10.0,
        sla_seconds=30.0,
        host="any",
        sha256="a1" * 32,
    )


def policy(
    sources: dict[str, SourceSpec],
    rules: tuple[RuleSpec, ...],
    actions: tuple[ActionSpec, ...] = (),
) -> Policy:
    loaded = datetime(2026, 1, 2, tzinfo=UTC)
    rungs = tuple(Rung(action.name, Mode.ARMED, 20.0) for action in actions)
    return Policy(
        environment="sandbox",
        sha256="b1" * 32,
        parts=(Part("platform", "c1" * 32, loaded), Part("redemption-team", "d1" * 32, loaded)),
        sources=sources,
        actions={action.name: action for action in actions},
        playbooks={"redemption": Playbook("redemption", rungs)} if rungs else {},
        rules={rule.name: rule for rule in rules},
        windows=(),
        limits=Limits(4, 86400.0, 5),
    )
