"""The whole comparison: which rules, beside which alerts of which Prometheus, member by member.

A family (`each`) has an episode for each set of its labels, and none itself: each of its members is
compared with those series of the alert that carry the same labels. Members are those that had an
episode, and those whose alert fired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from watchdog.core.naming import family_of, labelled, values_in
from watchdog.core.spec import Endpoint, Policy, PrometheusApi, RuleSpec
from watchdog.lab.compare.asking import Asked, How, ask
from watchdog.lab.compare.comparison import Compared, compare_rule, judged, rules_of
from watchdog.lab.compare.names import SAME_NAME, Named, alert_names
from watchdog.lab.compare.record import Record
from watchdog.lab.compare.why import Sides
from watchdog.lab.history import Bad, Span
from watchdog.policy import Load

Loads = Mapping[str, Load]
LeftOut = tuple[str, str]  # a rule, and why it was not compared


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be compared; no rules mean all."""

    span: Span
    how: How
    rules: Sequence[str] = ()
    alerts: Mapping[str, str] | None = None  # rule -> alert, as a person says
    prometheus: str | None = None  # else the source of each rule
    tolerance_seconds: float | None = None


def compare_all(record: Record, loads: Loads, wish: Wish) -> tuple[list[Compared], list[LeftOut]]:
    """Rule by rule, and which rules could not be compared. Raises Bad."""
    span = Span(max(wish.span.start, record.span.start), wish.span.end)
    if span.seconds <= 0:
        raise Bad("our record begins after the time that was asked for")
    given = wish.alerts or {}
    rules = rules_of(record, loads, span)
    _check_names([*wish.rules, *given], rules, loads)
    files = [file for one in record.applied for file in one.files]
    named = alert_names(rules, files, given)
    left_out: list[LeftOut] = []
    asked_of: dict[str, list[str]] = {}
    endpoints: dict[str, Endpoint] = {}
    for name in [name for name in rules if not wish.rules or name in wish.rules]:
        endpoint = _endpoint(rules[name], record, loads, wish)
        if endpoint is None:
            left_out.append((name, "its source is no Prometheus. Name one: --prometheus URL"))
            continue
        endpoints[endpoint.url] = endpoint
        asked_of.setdefault(endpoint.url, []).append(name)
    compared = []
    for url, names in asked_of.items():
        asked = ask(endpoints[url], [named[name].alert for name in names], span, wish.how)
        for name in names:
            if named[name].by == SAME_NAME and not asked.knows(named[name].alert):
                why = f"Prometheus has no alert {name}. Say which it is: --map {name}=ALERT"
                left_out.append((name, why))
                continue
            notes = _notes(asked, named[name], record, wish.span)
            for sides in _sides(rules[name], named[name], record, loads, asked):
                by, tolerance = named[name].by, wish.tolerance_seconds
                compared.append(compare_rule(sides, by, span, tolerance, notes))
    return sorted(compared, key=lambda one: one.rule), sorted(left_out)


def _check_names(names: Sequence[str], rules: Mapping[str, RuleSpec], loads: Loads) -> None:
    unread = [load.errors[0].text for load in loads.values() if load.errors]
    for name in names:
        if name not in rules:
            raise Bad("\n".join([f"no policy of that time has a rule {name}", *unread[:1]]))
    if not rules:
        said = "\n".join(["no rule of that time can be loaded", *unread[:1]])
        raise Bad(f"{said}\nVariables of the settings are given with --var NAME=VALUE")


def _endpoint(rule: RuleSpec, record: Record, loads: Loads, wish: Wish) -> Endpoint | None:
    if wish.prometheus is not None:
        return Endpoint(wish.prometheus)
    for policy in _newest_first(record, loads):
        source = policy.sources.get(rule.source)
        if source is not None:
            return source.how.endpoint if isinstance(source.how, PrometheusApi) else None
    return None


def _newest_first(record: Record, loads: Loads) -> Iterator[Policy]:
    for one in reversed(record.applied):
        policy = loads[one.sha256].policy
        if policy is not None:
            yield policy


def _sides(
    rule: RuleSpec, named: Named, record: Record, loads: Loads, asked: Asked
) -> Iterator[Sides]:
    """Of the rule, or of each member where it is a family."""
    for one in [rule] if not rule.is_family else _members(rule, named, record, loads, asked):
        yield Sides(
            one,
            named.alert,
            record,
            judged(record, loads, one.name),
            asked.alerts(named.alert, one.member),
            asked.pulse,
            asked.named(named.alert),
            narrowed=tuple({**asked.labels, **dict(one.member)}.items()),
        )


def _members(
    rule: RuleSpec, named: Named, record: Record, loads: Loads, asked: Asked
) -> Iterator[RuleSpec]:
    names = {ep.rule for ep in record.episodes if family_of(ep.rule) == rule.name}
    names |= {labelled(rule.name, values) for values in asked.values(named.alert, rule.each)}
    policy = next(p for p in _newest_first(record, loads) if rule.name in p.rules)
    for name in sorted(names):
        values = values_in(name)
        if tuple(label for label, _ in values) == rule.each:
            yield policy.member(rule, values)


def _notes(asked: Asked, named: Named, record: Record, wanted: Span) -> list[str]:
    found = []
    if record.span.start > wanted.start:
        found.append("compared from where our record begins")
    if asked.untold:
        found.append(f"Prometheus does not tell its rules: {asked.untold}")
    if not asked.pulse.known:
        found.append("Prometheus has no `up`: nothing tells whether it was at work")
    known = asked.named(named.alert) or ()
    if len(known) > 1:
        found.append(f"{len(known)} alerts are named {named.alert}: --match tells them apart")
    if known and asked.steps[named.alert] > max(one.every_seconds for one in known):
        found.append("looked at more rarely than it is evaluated: a short alert may be missed")
    return found
