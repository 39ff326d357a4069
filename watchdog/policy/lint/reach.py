"""Lints of what an action reaches: the very thing that is down, another environment's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from watchdog.core.origins import served_at
from watchdog.core.probes import CommandProbe
from watchdog.core.releases import DeployRelease, FieldOf
from watchdog.core.spec import (
    ActionSpec,
    Check,
    Command,
    How,
    HttpCall,
    Kind,
    PrometheusApi,
    RuleSpec,
    SourceSpec,
    Step,
)
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.verification import NamedCheck
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground
from watchdog.policy.nodes import Place
from watchdog.policy.problem import Path

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}
_NEEDED = frozenset({"read_back", "do", "present", "anchor", "deployable"})
"""What must answer, or nothing is done and nothing proven."""

_WORD = re.compile(r"[a-z0-9]+")


def origin(url: str) -> tuple[str, int]:
    """Host and port: where it lives, whatever the path."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    return "localhost" if host in _LOOPBACK else host, parts.port or _PORTS.get(parts.scheme, 0)


def address_of(source: SourceSpec) -> str:
    """What it asks, as an address; empty where that is no endpoint (a command, a file)."""
    how = source.how
    endpoint = getattr(how, "endpoint", None)
    if endpoint is not None:
        return str(endpoint.url)
    if getattr(how, "port", None):
        return f"tcp://{getattr(how, 'host', '')}:{getattr(how, 'port', 0)}"
    return str(getattr(how, "url", ""))


def _addresses(action: ActionSpec) -> Iterator[tuple[Path, str, str]]:
    """(path in the action, what it is, address) of all that an action asks and calls."""
    yield ("read_back", "get"), "is read back at", action.read_back.url
    for word, step in action.written_steps:
        by = _by(step)
        if isinstance(by, HttpCall):
            yield (word, "call", "url"), "calls", by.endpoint.url
    yield from _asked_of(action.do.how)
    for index, check in enumerate(action.contained_when):
        yield ("contained_when", index, "get"), "is proven at", check.endpoint.url
    for index, check in enumerate(action.resume_when):
        yield ("resume_when", index, "get"), "is resumed by", check.endpoint.url
    for index, check in enumerate(action.ready_when):
        yield ("ready_when", index, "get"), "is made ready by", check.endpoint.url


def _by(step: Step) -> How:
    """The command or the call itself."""
    return step.how.by if isinstance(step.how, DeployRelease) else step.how


def _asked_of(how: How) -> Iterator[tuple[Path, str, str]]:
    """What a release is asked for before it is deployed."""
    if not isinstance(how, DeployRelease):
        return
    for word, telling in (("present", how.present), ("anchor", how.anchor)):
        if isinstance(telling, FieldOf):
            yield (word, "get"), "is told its version by", telling.endpoint.url
    if isinstance(how.deployable, Check):
        yield ("deployable", "get"), "is proven deployable at", how.deployable.endpoint.url


def _needed(action: ActionSpec) -> frozenset[str]:
    """Whose addresses must answer for it to be done and proven.

    What is put back as a whole (a configuration, a release, a system) brings its read-back with it.
    """
    whole = isinstance(action.do.how, SwapTree | DeployRelease | RestoreSystem)
    return _NEEDED - {"read_back"} if whole else _NEEDED


def _lives_on_what_dies(ground: Ground) -> Iterator[Hit]:
    for rule in ground.policy.rules.values():
        source = ground.source_of(rule)
        asked = address_of(source)
        if rule.kind != Kind.LIVENESS or isinstance(source.how, PrometheusApi) or not asked:
            continue
        dead = origin(asked)
        for action in ground.reach_of(rule):
            for path, does, url in _addresses(action):
                if path[0] in _needed(action) and origin(url) == dead:
                    yield Hit(
                        ground.at(rule, "playbook"),
                        f"{rule.name} acts when {dead[0]}:{dead[1]} is dead, and {action.name} "
                        f"{does} {url}, which is dead then",
                        "Choose another playbook or another read-back, or write `mode: observe` "
                        "without a playbook: people must look at a service that does not answer.",
                    )
                    break


def _same_place_elsewhere(ground: Ground) -> Iterator[Hit]:
    for environment, policy in sorted(ground.others.items()):
        theirs = {
            url: other
            for other in policy.actions.values()
            for path, _, url in _addresses(other)
            if path[0] in {"read_back", "do"}
        }
        for action in ground.policy.actions.values():
            for path, does, url in _addresses(action):
                if path[0] == "resume_when" or origin(url)[0] == "localhost":
                    continue
                if url in theirs and theirs[url].target == action.target:
                    yield Hit(
                        ground.actions[action.name].at(*path),
                        f"{action.name} {does} {url} in {ground.policy.environment} and in "
                        f"{environment} alike: one of them changes {action.target} of the other",
                        "Put the address into vars/ENVIRONMENT.yaml, with a value of its own each.",
                    )
                    break


def _named_after_another(ground: Ground) -> Iterator[Hit]:
    here = ground.policy.environment
    strange = set(ground.others) - {here}
    for place, what, text in _texts(ground):
        words = set(_WORD.findall(text.lower()))
        for other in sorted(strange & words if here not in words else ()):
            yield Hit(
                place,
                f"{what} is {text}, which is named after {other}, in {here}",
                f"If it belongs to {other}, give {here} its own in vars/{here}.yaml.",
            )


def _texts(ground: Ground) -> Iterator[tuple[Place, str, str]]:
    for name, source in ground.policy.sources.items():
        if name in ground.sources:  # a probe is written in its rule
            yield ground.sources[name].key, f"the source {name}", address_of(source)
    for name, action in ground.policy.actions.items():
        entry = ground.actions[name]
        for path, _, url in _addresses(action):
            yield entry.at(*path), f"the {path[0]} of {name}", url
        for check in ground.policy.verification.get(name, ()):
            yield entry.at("verification", check.name), f"the check {check.name}", _asked_by(check)
        for word, step in action.written_steps:
            by = _by(step)
            if isinstance(by, Command):
                text = " ".join((by.cwd or "", *by.argv)).strip()
                yield entry.at(word), f"the command of {name}", text


def _asked_by(check: NamedCheck) -> str:
    """The address or the command of a check."""
    if isinstance(check.how, CommandProbe):
        return " ".join((check.how.command.cwd or "", *check.how.command.argv)).strip()
    endpoint = served_at(check.how)
    return endpoint.url if endpoint is not None else check.about


def _alone(ground: Ground) -> Iterator[Hit]:
    rules = ground.policy.rules
    for rule in rules.values():
        for index, name in enumerate(_written(ground, rule)):
            if name in rules and rules[name].source == rule.source:
                yield Hit(
                    ground.at(rule, "corroborate", index),
                    f"{name} reads {rule.source}, as {rule.name} does",
                    "Corroborate by a rule of another source.",
                )


def _written(ground: Ground, rule: RuleSpec) -> list[str]:
    return list(ground.rules[rule.name].node.plain().get("corroborate") or [])


LINTS = (
    Lint(
        "lives-on-what-dies",
        Level.ERROR,
        "An action or its read-back lives on the endpoint whose death triggers it",
        "The action cannot be done or cannot be proven in the one case that it is for; it ends "
        "with a person every time.",
        _lives_on_what_dies,
    ),
    Lint(
        "environments-share-a-target",
        Level.ERROR,
        "Two environments change the same thing",
        "A breach in a test environment would roll back production.",
        _same_place_elsewhere,
    ),
    Lint(
        "another-environment-named",
        Level.WARNING,
        "An address or a command is named after another environment",
        "Two environments mixed: what is measured is not what is rolled back.",
        _named_after_another,
    ),
    Lint(
        "corroborated-by-the-same-source",
        Level.WARNING,
        "The corroborating rule reads the same source",
        "When the source is wrong both are wrong together, so the second proves nothing.",
        _alone,
    ),
)
