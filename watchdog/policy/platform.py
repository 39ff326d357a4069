"""The platform's part: sources, actions, playbooks, grants, windows and limits, as core values.

All or nothing: one fault anywhere and there is no new platform. What only the rules can tell
(who uses what) is judged with the owners' parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.drills import DrillPlan
from watchdog.core.naming import family_of
from watchdog.core.procedure import Procedure
from watchdog.core.spec import (
    ActionSpec,
    Endpoint,
    JsonDocument,
    Limits,
    MaintenanceWindow,
    Playbook,
    PrometheusApi,
    Scrape,
    SourceSpec,
)
from watchdog.core.telling.contacts import Contacts
from watchdog.core.verification import NamedCheck
from watchdog.policy.actions import actions_of
from watchdog.policy.alertmanager import KEY as ALERTMANAGER
from watchdog.policy.alertmanager import alertmanager_spec
from watchdog.policy.calendar import window_spec
from watchdog.policy.canon import sha256
from watchdog.policy.channels import channel_spec, check_channels
from watchdog.policy.document import Document, entries_of
from watchdog.policy.drills import KEY as DRILLS
from watchdog.policy.drills import drills_of
from watchdog.policy.expressions import Spot, check_jmespath
from watchdog.policy.http import endpoint
from watchdog.policy.nodes import Node
from watchdog.policy.platform_models import (
    LimitsShape,
    SourceShape,
    WindowShape,
)
from watchdog.policy.playbooks import playbooks_of
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.procedure import KEY as PROCEDURE
from watchdog.policy.procedure import procedure_of
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest, shape_of
from watchdog.policy.verification import KEY as VERIFICATION
from watchdog.policy.verification import verification_of

KEYS = (
    "version", "environment", "environments", "sources", "events", "actions", "playbooks",
    "grants", "maintenance", "limits", ALERTMANAGER, PROCEDURE, DRILLS,
)  # fmt: skip
LATER = {"rules": "rules beside the platform's own things"}
RUN = "run:"
"""Before a program's name in a grant: the owner's probes may run it."""

GRANTS = "grants:"
"""Among what is refused: who may use what is not known. No name has a colon."""

DEFAULT_LIMITS = Limits(budget_actions=4, budget_seconds=86_400.0, blast_radius=5)


@dataclass(frozen=True, slots=True)
class Platform:
    """The compiled platform. `sha256` is over its meaning.

    `refused` are things that are written, and wrong; None where nothing could be read. A platform
    with any is a draft: it is never in force, and serves to tell what else is wrong beside it.
    """

    environment: str
    sources: Mapping[str, SourceSpec]
    actions: Mapping[str, ActionSpec]
    playbooks: Mapping[str, Playbook]
    grants: Mapping[str, frozenset[str]]
    windows: tuple[MaintenanceWindow, ...]
    window_places: Mapping[str, Entry]
    limits: Limits
    sha256: str
    channels: Mapping[str, SourceSpec]
    alertmanager: AlertmanagerSpec | None = None
    contacts: Contacts | None = None
    procedure: Procedure | None = None
    drills: tuple[DrillPlan, ...] = ()
    verification: Mapping[str, tuple[NamedCheck, ...]] = field(default_factory=dict)
    refused: frozenset[str] | None = frozenset()


def compile_platform(
    document: Document, environment: str, findings: Findings, contacts: Contacts | None = None
) -> Platform:
    """The platform of one environment; with any fault in `findings` it is a draft."""
    sources = {e.name: _source(e, findings) for e in entries_of(document, "sources", findings)}
    channels = {e.name: channel_spec(e, findings) for e in entries_of(document, "events", findings)}
    action_entries = entries_of(document, "actions", findings)
    actions = actions_of(action_entries, findings)
    verification = verification_of(action_entries, actions, findings)
    playbooks = playbooks_of(entries_of(document, "playbooks", findings), actions, findings)
    written = ({family_of(name) for name in actions}, {family_of(name) for name in playbooks})
    before = len(findings.errors)
    grants = _grants(document, *written, findings)
    unsure = len(findings.errors) > before
    window_entries = entries_of(document, "maintenance", findings)
    windows = [window_spec(e, shape_of(WindowShape, e, findings), findings) for e in window_entries]
    _check_targets(window_entries, windows, actions, findings)
    check_channels(document, sources, channels, findings)
    limits = _limits(document, findings)
    alertmanager = alertmanager_spec(document, findings)
    procedure = procedure_of(document, findings)
    drills = drills_of(document, findings)
    refused = _refused(sources, channels, actions, playbooks)
    made = {
        "environment": environment,
        "sources": {k: v for k, v in sources.items() if v},
        "actions": {k: v for k, v in actions.items() if v},
        "playbooks": playbooks,
        "grants": {owner: sorted(names) for owner, names in grants.items()},
        "windows": sorted((w for w in windows if w), key=lambda w: w.name),
        "limits": limits,
    }
    further = {
        "channels": {k: v for k, v in channels.items() if v},
        ALERTMANAGER: alertmanager,
        "contacts": contacts,
        PROCEDURE: procedure,
        DRILLS: drills,
        VERIFICATION: verification,
    }
    made |= {key: value for key, value in further.items() if value}
    return Platform(
        environment=environment,
        sources={k: v for k, v in sources.items() if v},
        actions={k: v for k, v in actions.items() if v},
        playbooks=playbooks,
        grants=grants,
        windows=tuple(w for w in windows if w),
        window_places={e.name: e for e in window_entries},
        limits=limits,
        sha256=sha256(made),
        alertmanager=alertmanager,
        contacts=contacts,
        procedure=procedure,
        drills=drills,
        verification=verification,
        channels={k: v for k, v in channels.items() if v},
        refused=refused | {GRANTS} if unsure else refused,
    )


def _refused(
    sources: Mapping[str, SourceSpec | None],
    channels: Mapping[str, SourceSpec | None],
    actions: Mapping[str, ActionSpec | None],
    playbooks: Mapping[str, Playbook],
) -> frozenset[str]:
    """What is written and no value came of it; a playbook falls with an action of its own."""
    things: tuple[Mapping[str, object], ...] = (sources, channels, actions)
    none = {family_of(name) for one in things for name, value in one.items() if value is None}
    none |= {
        family_of(name)
        for name, book in playbooks.items()
        if not book.rungs or any(actions.get(rung.action) is None for rung in book.rungs)
    }
    return frozenset(none)


def _source(entry: Entry, findings: Findings) -> SourceSpec | None:
    shape = shape_of(SourceShape, entry, findings)
    if shape is None:
        return None
    kinds = {"scrape": shape.scrape, "prometheus": shape.prometheus, "json": shape.json_}
    given = [kind for kind, url in kinds.items() if url is not None]
    if len(given) != 1:
        findings.refuse(
            entry.key_at(given[1]) if given else entry.key,
            f"the source {entry.name} is {' and '.join(given) or 'of no kind'}",
            "Write exactly one of scrape, prometheus and json.",
        )
        return None
    kind = given[0]
    belongs = {"scraped_every": "prometheus", "timestamp": "json", "samples": "json"}
    for key, whose in belongs.items():
        if getattr(shape, key) is not None and kind != whose:
            findings.refuse(entry.key_at(key), f"`{key}` is for {whose} sources", "Remove it.")
    address = endpoint(entry, (), str(kinds[kind]), shape.headers, shape.ca, findings)
    how: Scrape | PrometheusApi | JsonDocument | None
    if kind == "scrape":
        how = Scrape(address)
    elif kind == "prometheus":
        how = PrometheusApi(address, shape.scraped_every or shape.every)
        if shape.scraped_every is None:
            findings.advise(
                entry.key,
                f"{entry.name} does not say how often Prometheus itself scrapes",
                "Add `scraped_every:`; until then it is taken to be `every`.",
            )
    else:
        how = _json(entry, shape, findings, address)
    if how is None:
        return None
    return SourceSpec(
        name=entry.name,
        every_seconds=shape.every,
        deadline_seconds=shape.deadline or _deadline(shape.every),
        max_bytes=shape.max_bytes,
        max_series=shape.max_series,
        how=how,
    )


def _deadline(every_seconds: float) -> float:
    """Below two intervals: `for` adds up no longer gaps, also while a target hangs."""
    return min(10.0, max(every_seconds, min(1.0, 1.8 * every_seconds)))


def _json(
    entry: Entry, shape: SourceShape, findings: Findings, address: Endpoint
) -> JsonDocument | None:
    if shape.timestamp is None:
        findings.refuse(
            entry.key,
            f"the source {entry.name} does not say where the document's own time stands",
            "Add `timestamp: PATH`: without it nobody can tell a fresh document from an old one.",
        )
    if not shape.samples:
        findings.refuse(
            entry.key, f"the source {entry.name} takes no samples", "Add samples: {NAME: PATH}."
        )
    if shape.timestamp is None or not shape.samples:
        return None
    check_jmespath(Spot(entry, ("timestamp",), shape.timestamp), findings)
    for name, path in shape.samples.items():
        check_jmespath(Spot(entry, ("samples", name), path), findings)
    return JsonDocument(address, shape.timestamp, tuple(sorted(shape.samples.items())))


def _check_targets(
    entries: list[Entry],
    windows: list[MaintenanceWindow | None],
    actions: Mapping[str, ActionSpec | None],
    findings: Findings,
) -> None:
    """A window over a target that nothing changes would mute nothing."""
    if None in actions.values():
        return  # what a refused one changes is not known
    targets = {action.target for action in actions.values() if action}
    for entry, window in zip(entries, windows, strict=True):
        scope = window.scope if window else None
        if scope and scope.kind == "target" and scope.name not in targets:
            findings.refuse(
                entry.at("scope", "target"),
                f"no action changes {scope.name}",
                closest(scope.name, targets),
            )


def _grants(
    document: Document, actions: set[str], playbooks: set[str], findings: Findings
) -> dict[str, frozenset[str]]:
    grants: dict[str, frozenset[str]] = {}
    for name in sorted(actions & playbooks):
        findings.refuse(
            document.key("playbooks", name),
            f"{name} is an action and a playbook",
            "Give one of them another name: a grant could not tell them apart.",
        )
    for entry in entries_of(document, "grants", findings):
        if entry.node.kind != "list":
            findings.refuse(
                entry.node.place, "a grant is a list", "Write it as [PLAYBOOK, ACTION]."
            )
            continue
        names = [str(node.value) for node in entry.node.items]
        for node in entry.node.items:
            if str(node.value).startswith(RUN):
                _check_program(node, findings)
            elif node.value not in actions | playbooks:
                findings.refuse(
                    node.place,
                    f"there is no playbook or action {shown(str(node.value))}",
                    closest(str(node.value), actions | playbooks),
                )
        grants[entry.name] = frozenset(names)
    return grants


def _check_program(node: Node, findings: Findings) -> None:
    program = str(node.value).removeprefix(RUN)
    relative = "/" in program and not program.startswith("/")
    if not program or relative or not program.isprintable() or " " in program:
        findings.refuse(
            node.place,
            f"{shown(program) or 'nothing'} is no program that probes may run",
            "Write its bare name or whole path: run:check_http.",
        )


def _limits(document: Document, findings: Findings) -> Limits:
    node = document.value("limits")
    if node is None:
        return DEFAULT_LIMITS
    entry = Entry("limits", document.key("limits"), node)
    shape = shape_of(LimitsShape, entry, findings)
    if shape is None:
        return DEFAULT_LIMITS
    return Limits(
        budget_actions=shape.budget.actions if shape.budget else DEFAULT_LIMITS.budget_actions,
        budget_seconds=shape.budget.per if shape.budget else DEFAULT_LIMITS.budget_seconds,
        blast_radius=shape.blast_radius,
        deploy_max_seconds=shape.deploy_max,
    )
