"""What the simulated watchdog is told to watch: a ladder of three rungs, and rules beside it.

Several texts of one policy: people edit `for`, bounds and modes while episodes are open.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from random import Random

from tests.simulation.outside import FLAGS, STATUS
from tests.simulation.restorer import TARGET as SYSTEM
from tests.simulation.telling import contacts
from tests.simulation.trees import TARGET as CONFIG
from watchdog.core.spec import (
    ActionSpec,
    Bound,
    Check,
    Command,
    Endpoint,
    HttpCall,
    Limits,
    Playbook,
    Policy,
    PrometheusApi,
    Publish,
    RuleSpec,
    Rung,
    SourceSpec,
    Step,
    ValueThreshold,
)
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.words import Mode, Severity

_OWNERS = {"errors": "payments", "latency": "payments", "peg": "treasury", "canary": "lab"}


@dataclass(frozen=True, slots=True)
class Text:
    """What people may edit."""

    for_seconds: float = 6.0
    limit: float = 0.05
    peg_mode: Mode = Mode.ARMED
    errors_mode: Mode = Mode.ARMED
    config_mode: Mode = Mode.ARMED
    approvals: int = 2
    cooldown_seconds: float = 300.0
    budget: int = 5
    on_call_after_seconds: float = 20.0

    def edited(self, chance: Random) -> Text:
        field, values = chance.choice(
            (
                ("for_seconds", (4.0, 6.0, 12.0)),
                ("limit", (0.05, 0.1, 0.9)),
                ("peg_mode", (Mode.ARMED, Mode.APPROVE, Mode.SHADOW)),
                ("errors_mode", (Mode.ARMED, Mode.ARMED, Mode.SHADOW, Mode.OBSERVE)),
                ("config_mode", (Mode.ARMED, Mode.APPROVE)),
                ("cooldown_seconds", (120.0, 300.0, 600.0)),
                ("budget", (3, 5)),
                ("on_call_after_seconds", (0.0, 20.0, 90.0)),
            )
        )
        different: dict[str, object] = {field: chance.choice(values)}
        return replace(self, **different)  # type: ignore[arg-type]  # fields by name


def policy_of(text: Text) -> Policy:
    rules = {
        "errors": _rule("errors", text, text.errors_mode, "ladder"),
        "latency": _rule("latency", text, Mode.ARMED, "pause-only"),
        "peg": _rule("peg", text, text.peg_mode, "peg"),
        "canary": _rule("canary", text, Mode.SHADOW, "canary"),
    }
    actions = {a.name: a for a in (_flag("a"), _flag("b"), _flag("c"), _config(), _system())}
    ladder = (
        Rung("pause-a", Mode.ARMED, 15.0),
        Rung("config", text.config_mode, 30.0, approvals=1, approve_within_seconds=120.0),
        Rung("system", Mode.APPROVE, 60.0, text.approvals, 180.0),
    )
    playbooks = {
        "ladder": ladder,
        "pause-only": (Rung("pause-a", Mode.ARMED, 15.0),),
        "peg": (Rung("pause-b", Mode.ARMED, 15.0, 1, 60.0),),
        "canary": (Rung("pause-c", Mode.ARMED, 15.0),),
    }
    return Policy(
        environment="sim",
        sha256=hashlib.sha256(repr(text).encode()).hexdigest(),
        parts=(),
        sources={name: _source(name) for name in ("app", "status")},
        actions=actions,
        playbooks={name: Playbook(name, rungs) for name, rungs in playbooks.items()},
        rules=rules,
        windows=(),
        limits=Limits(text.budget, 3600.0, 5),
        contacts=contacts(text.on_call_after_seconds),
    )


def _source(name: str) -> SourceSpec:
    how = PrometheusApi(Endpoint(f"http://{name}"), 2.0)
    return SourceSpec(name, 2.0, 1.5, 1_000_000, 100, how)


def _rule(name: str, text: Text, mode: Mode, playbook: str) -> RuleSpec:
    rule = RuleSpec(
        name=name,
        owner=_OWNERS[name],
        kind="threshold",
        severity=Severity.P0,
        source="app" if name in {"errors", "latency"} else "status",
        signal=ValueThreshold(name, Bound(">", text.limit, f"> {text.limit:g}")),
        every_seconds=2.0,
        stale_after_seconds=5.0,
        for_seconds=text.for_seconds,
        keep_firing_seconds=4.0,
        minimum_events=0.0,
        page_after_seconds=30.0,
        playbook=playbook,
        up_to=None,
        mode=mode,
        mode_reason="",
        corroborate=(),
        cooldown_seconds=text.cooldown_seconds,
        watch_seconds=30.0,
        runbook="",
        labels=(),
        summary="",
        sha256="",
        where="rules.yaml:1:1",
    )
    return replace(rule, sha256=hashlib.sha256(repr(rule).encode()).hexdigest())


def _flag(name: str) -> ActionSpec:
    url = f"{FLAGS}{name}"

    def put(*, enabled: bool) -> Step:
        word = str(enabled).lower()
        call = HttpCall("PUT", Endpoint(url), f'{{"enabled": {word}}}')
        return Step(call, f"enabled == `{word}`")

    shows = "errors < `0.05`" if name == "a" else "peg < `0.05`"
    return ActionSpec(
        name=f"pause-{name}",
        target=f"flag:{name}",
        read_back=Endpoint(url),
        do=put(enabled=False),
        undo=put(enabled=True),
        contained_when=(Check(Endpoint(STATUS), shows),) if name != "c" else (),
        resume_when=(Check(Endpoint(STATUS), shows),),
        deadline_seconds=10.0,
        sla_seconds=30.0,
        host="any",
        sha256=f"sha of pause-{name}",
    )


def _config() -> ActionSpec:
    tree = SwapTree(CONFIG.removeprefix("config:"), "/release/previous")
    serves = "buildSha == '${anchor.build_sha}'"
    return ActionSpec(
        name="config",
        target=CONFIG,
        read_back=Endpoint(STATUS),
        do=Step(tree, serves),
        undo=Step(replace(tree, displaced=True), serves),
        contained_when=(Check(Endpoint(STATUS), "errors < `0.05`"),),
        resume_when=(),
        deadline_seconds=15.0,
        sla_seconds=60.0,
        host="any",
        sha256="sha of config",
        verify=(Command(("verify",)),),
        publish=Publish(Command(("publish",)), idempotent=True),
        anchor_margin_seconds=0.0,
    )


def _system() -> ActionSpec:
    restore = RestoreSystem("/backup/*.tar.gz", "/", ("mycelia-*",), 1e9)
    return ActionSpec(
        name="system",
        target=SYSTEM,
        read_back=Endpoint(STATUS),
        do=Step(restore, "system == 'up'"),
        undo=None,
        contained_when=(Check(Endpoint(STATUS), "errors < `0.05`"),),
        resume_when=(),
        deadline_seconds=60.0,
        sla_seconds=300.0,
        host="any",
        sha256="sha of system",
    )
