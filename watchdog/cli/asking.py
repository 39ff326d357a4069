"""Asks sources and actions, for `check --live`. Reads only; every question has its deadline.

What they said becomes plain values (policy/lint/live.py); what they could not say is one of them.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from watchdog.actions import open_actuator, open_probe
from watchdog.actions.restore import RestoreActuator
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.clock import SystemClock
from watchdog.core.book import Book
from watchdog.core.channels import Channel
from watchdog.core.draft import Draft
from watchdog.core.judge import queries
from watchdog.core.memory import Memory
from watchdog.core.promql import Selector
from watchdog.core.rule_memory import RuleMemory
from watchdog.core.samples import Answer, Reading
from watchdog.core.spec import (
    PRESENT,
    ActionSpec,
    Kind,
    Policy,
    PrometheusApi,
    RatioThreshold,
    RuleSpec,
    Slo,
    SourceSpec,
    ValueThreshold,
)
from watchdog.core.telling.contacts import Contacts
from watchdog.core.telling.credentials import missing_of
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.core.words import Blind, Instant, Status, Truth
from watchdog.engine import ready_now
from watchdog.notify import unknown_service
from watchdog.policy.channels import PREFIX
from watchdog.policy.lint.asked import Live, Seen, Wanted
from watchdog.policy.lint.ground import Ground
from watchdog.policy.lint.selected import MOST_VALUES
from watchdog.policy.lint.selecting import selectors, written
from watchdog.sources import open_silences, open_source
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets, lacks

EVERYTHING = '{__name__!=""}'
_TOO_SOON = frozenset({Blind.NEWBORN, Blind.NOT_YET})  # more than one look would tell


async def ask(ground: Ground, secrets: Path | None) -> Live:
    """Every source once, and every action that this host may execute."""
    policy = ground.policy
    wanted = tuple(one for rule in policy.rules.values() for one in _wanted(rule))
    wire = Wire(FileSecrets.of_service(*([secrets] if secrets else [])))
    try:
        names = sorted({rule.source for rule in policy.rules.values()} & set(ground.sources))
        seen = await asyncio.gather(
            *(_source(policy, policy.sources[name], wanted, wire) for name in names)
        )
        here = [a for a in policy.actions.values() if a.host in {"any", socket.gethostname()}]
        reasons = await asyncio.gather(*(_not_ready(action, wire) for action in here))
        replicas = await _alertmanager(policy, wire)
        deaf = await _deaf(policy, wire)
        untold = missing_of(policy.contacts, lambda name: lacks(wire.secrets, name))
        unknown = await _unknown(policy.contacts, wire)
    finally:
        await wire.aclose()
    not_ready = {a.name: reason for a, reason in zip(here, reasons, strict=True) if reason}
    answers = dict(zip(names, seen, strict=True))
    host = socket.gethostname()
    return Live(answers, wanted, not_ready, replicas, deaf, untold, host, unknown)


async def _unknown(contacts: Contacts | None, wire: Wire) -> Mapping[str, str]:
    """Channels whose URL the service that tells by it cannot read, and why."""
    if contacts is None:
        return {}
    reasons = await asyncio.gather(
        *(
            unknown_service(channel, wire.secrets, channel.to or _somebody(contacts, name))
            for name, channel in contacts.channels.items()
        )
    )
    return {name: why for name, why in zip(contacts.channels, reasons, strict=True) if why}


def _somebody(contacts: Contacts, channel: str) -> str:
    """The address of one who is reached by it."""
    reached = (dict(person.reach).get(channel) for person in contacts.people.values())
    return next(filter(None, reached), "")


async def _deaf(policy: Policy, wire: Wire) -> Mapping[str, str]:
    """Channels by which nobody could be believed, and why."""
    found = {}
    for spec in policy.sources.values():
        if isinstance(spec.how, Channel):
            reading = await open_source(spec, wire).poll(SystemClock().now(), ())
            if reading.failure is not None:
                found[spec.name.removeprefix(PREFIX)] = reading.failure.reason
    return found


async def _alertmanager(policy: Policy, wire: Wire) -> Mapping[str, str]:
    """Each replica by itself, and why it does not answer; empty where it does."""
    spec = policy.alertmanager
    if spec is None:
        return {}
    alone = [replace(spec, endpoints=(one,)) for one in spec.endpoints]
    now = SystemClock().now()
    looks = await asyncio.gather(*(open_silences(one, wire).look(now) for one in alone))
    return {url: why for look in looks for url, why in look.replicas.items()}


def _wanted(rule: RuleSpec) -> Iterator[Wanted]:
    """Every selector with an exact name, and where it is written."""
    signal = rule.signal
    absent = isinstance(signal, ValueThreshold) and signal.bound.op == PRESENT
    for path, text in written(rule):
        for one in selectors(text):
            if one.name is not None and one.name != "up":
                labels = tuple(m.label for m in one.matchers if m.operator in {"=", "=~"})
                yield Wanted(rule.name, path, text, one.name, labels, one.text, absent)


async def _source(policy: Policy, spec: SourceSpec, wanted: Iterable[Wanted], wire: Wire) -> Seen:
    rules = [rule for rule in policy.rules.values() if rule.source == spec.name]
    mine = [one for one in wanted if policy.rules[one.rule].source == spec.name]
    asked = list(dict.fromkeys(text for rule in rules for text in queries(rule)))
    source, clock = open_source(spec, wire), SystemClock()
    try:
        if isinstance(spec.how, PrometheusApi):
            more = _questions(rules, mine)
            reading = await source.poll(clock.now(), [*asked, *more.texts])
            seen = _of_answers(reading, more)
            return _with_verdicts(seen, policy, spec, reading)
        reading = await source.poll(clock.now(), [*asked, EVERYTHING])
        if reading.failure is not None and reading.failure.blind is Blind.TOO_MANY_SERIES:
            reading = await source.poll(clock.now(), asked)
            return _with_verdicts(_of_samples(reading, mine, whole=False), policy, spec, reading)
        return _with_verdicts(_of_samples(reading, mine, whole=True), policy, spec, reading)
    finally:
        await source.aclose()


@dataclass(frozen=True, slots=True)
class _Questions:
    """What a provider is asked besides the rules' own expressions; each answers with a count."""

    names: dict[str, str]  # question -> metric
    labels: dict[str, tuple[str, str]]  # question -> (metric, label)
    past: dict[str, tuple[str, float]]  # question -> (rule, seconds ago)
    selectors: dict[str, Wanted]  # question -> what it selects
    values: dict[str, tuple[str, str]]  # question -> (metric, label)

    @property
    def texts(self) -> list[str]:
        every = (self.names, self.labels, self.past, self.selectors, self.values)
        return list(dict.fromkeys(question for one in every for question in one))


def _questions(rules: Iterable[RuleSpec], wanted: Iterable[Wanted]) -> _Questions:
    found = _Questions({}, {}, {}, {}, {})
    for one in wanted:
        found.names[f"count({one.name})"] = one.name
        for label in one.labels:
            found.labels[f'count({one.name}{{{label}!=""}})'] = one.name, label
            some = f"topk({MOST_VALUES}, count by ({label}) ({one.name}))"
            found.values[some] = one.name, label
        found.selectors[f"count({one.selector})"] = one
    for rule in rules:
        signal = rule.signal
        if isinstance(signal, Slo | RatioThreshold):
            longest = max(
                [pair.long_seconds for pair in signal.pairs]
                if isinstance(signal, Slo)
                else [signal.over_seconds]
            )
            question = f"count({signal.counters.total} offset {round(longest)}s)"
            found.past[question] = rule.name, longest
    return found


def _of_answers(reading: Reading, more: _Questions) -> Seen:
    if reading.failure is not None:
        return Seen(failure=reading.failure.reason)
    answers = reading.answers
    unanswered = [a.failure.reason for a in answers.values() if a.failure is not None]
    known = {metric for question, metric in more.names.items() if _there(answers.get(question))}
    silent = {m for question, m in more.names.items() if not _told(answers.get(question))}
    labels: dict[str, set[str]] = {name: set() for name in known}
    for question, (metric, label) in more.labels.items():
        if metric in known and (_there(answers.get(question)) or not _told(answers.get(question))):
            labels[metric].add(label)
    return Seen(
        failure=f"not all could be asked: {unanswered[0]}" if unanswered else "",
        names=frozenset(known | silent),
        labels={name: frozenset(found) for name, found in labels.items()},
        past={
            rule: (seconds, _there(answers.get(question)))
            for question, (rule, seconds) in more.past.items()
            if _told(answers.get(question)) and _there(answers.get(_total_now(question)))
        },
        unmatched=frozenset(
            one.selector
            for question, one in more.selectors.items()
            if one.name in known
            and _told(answers.get(question))
            and not _there(answers.get(question))
        ),
        values={
            of: _values(answers[question], of[1])
            for question, of in more.values.items()
            if _there(answers.get(question))
        },
        whole=False,
    )


def _values(answer: Answer, label: str) -> tuple[str, ...]:
    found = (dict(point.labels).get(label, "") for point in answer.points)
    return tuple(sorted(filter(None, found)))


def _total_now(question: str) -> str:
    return question.removeprefix("count(").rpartition(" offset ")[0]


def _told(answer: Answer | None) -> bool:
    return answer is not None and answer.failure is None


def _there(answer: Answer | None) -> bool:
    return answer is not None and answer.failure is None and bool(answer.points)


def _of_samples(reading: Reading, wanted: Iterable[Wanted], *, whole: bool) -> Seen:
    if reading.failure is not None:
        return Seen(failure=reading.failure.reason)
    labels: dict[str, set[str]] = {}
    values: dict[tuple[str, str], set[str]] = {}
    unmatched = {one.selector: Selector.parse(one.selector) for one in wanted}
    for sample in reading.samples:
        labels.setdefault(sample.name, set()).update(name for name, _ in sample.labels)
        for name, value in sample.labels:
            values.setdefault((sample.name, name), set()).add(value)
        for text, one in list(unmatched.items()):
            if one.matches(sample.name, dict(sample.labels)):
                del unmatched[text]
    return Seen(
        names=frozenset(labels),
        labels={name: frozenset(found) for name, found in labels.items()},
        unmatched=frozenset(text for text, one in unmatched.items() if one.name in labels),
        values={of: tuple(sorted(found)) for of, found in values.items()},
        whole=whole,
    )


def _with_verdicts(seen: Seen, policy: Policy, spec: SourceSpec, reading: Reading) -> Seen:
    """What this one look says of each rule; a ratio needs more than one, and says nothing yet.

    Nothing where the source as a whole did not answer: that is said already.
    """
    memory = Memory()
    memory.adopt(policy)
    answers = memory.sources[spec.name].answers(reading)
    breached, blind = {}, {}
    looks = _judged(memory, spec, reading, answers) if reading.failure is None else ()
    for rule, given in looks:
        verdict = rule.observe(reading, given, None).verdict
        fires = verdict.status is Status.BREACHED and not rule.spec.is_family
        if fires and rule.spec.kind != Kind.LIVENESS:
            breached[rule.spec.name] = verdict.reason
        unseen = verdict.status is Status.BLIND and not rule.spec.member
        if unseen and verdict.blind not in _TOO_SOON:
            blind[rule.spec.name] = verdict.reason
    sets = {family.spec.name: family.label_sets for family in memory.families_of(spec.name)}
    return replace(seen, breached=breached, blind=blind, label_sets=sets)


def _judged(
    memory: Memory, spec: SourceSpec, reading: Reading, answers: Mapping[str, Answer]
) -> Iterator[tuple[RuleMemory, Mapping[str, Answer]]]:
    """Each rule with what it is given; each member of a family, and then the family."""
    for rule in memory.rules_of(spec.name):
        yield rule, answers
    for family in memory.families_of(spec.name):
        family.read(reading, answers, Draft(Book(), reading.at))
        for member in family.members.values():
            yield member, family.share(member.spec)
        family.judge()
        yield family.whole, answers


async def _not_ready(action: ActionSpec, wire: Wire) -> str:
    """As the daemon's preflight looks; empty where all is ready."""
    at: Instant = SystemClock().now()
    actuator = open_actuator(
        wire, {SwapTree: TreeActuator(stages=False), RestoreSystem: RestoreActuator()}
    )
    ready = await ready_now(action, actuator, open_probe(wire), at)
    return "" if ready.reading.truth is Truth.TRUE else ready.reading.reason
