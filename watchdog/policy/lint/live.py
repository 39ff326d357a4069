"""Lints that need answers: what the sources and the actions say of themselves, here and now.

Pure: who asks is the command's business. What could not be asked is itself a finding, so that
"nothing found" never means "nothing seen".
"""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.naming import family_of, values_in
from watchdog.core.spec import PRESENT, ValueThreshold
from watchdog.core.telling.status_pages import ANY_HOST
from watchdog.core.text import duration
from watchdog.policy.lint import selected
from watchdog.policy.lint.asked import Live, LiveLint
from watchdog.policy.lint.finding import Finding, Hit, Level
from watchdog.policy.lint.ground import Ground
from watchdog.policy.lint.selected import explained


def live_findings(ground: Ground, live: Live) -> Iterator[Finding]:
    for one in LINTS:
        yield from (one.finding(hit) for hit in one.look(ground, live))


def _silent(ground: Ground, live: Live) -> Iterator[Hit]:
    for name, seen in live.seen.items():
        if seen.failure:
            yield Hit(
                ground.sources[name].key,
                f"{name}: {seen.failure}",
                "Is the address right, and reachable from here?",
            )


def _short_history(ground: Ground, live: Live) -> Iterator[Hit]:
    for source, seen in live.seen.items():
        for rule, (seconds, there) in seen.past.items():
            if not there:
                yield Hit(
                    ground.rules[rule].key,
                    f"{source} has nothing of {rule} from {duration(seconds)} ago, where its "
                    "longest window begins",
                    "Keep more history there, shorten the window, or wait until it is full.",
                )


_TURNED = "turn the comparison round, or write the per cent sign"


def _breached(ground: Ground, live: Live) -> Iterator[Hit]:
    for seen in live.seen.values():
        for rule, reason in seen.breached.items():
            signal = ground.policy.rules[family_of(rule)].signal
            present = isinstance(signal, ValueThreshold) and signal.bound.op == PRESENT
            remedy = "correct what it selects" if present else _TURNED
            yield Hit(
                ground.rules[family_of(rule)].key,
                f"{rule} is breached now: {reason}",
                f"Is that so? Else {remedy}.",
            )


def _blind(ground: Ground, live: Live) -> Iterator[Hit]:
    """Where a missing metric or label explains it, that is said, and not this too."""
    said = explained(ground, live)
    for seen in live.seen.values():
        for rule, reason in seen.blind.items():
            places = {ground.rules[rule].at(*one.path) for one in live.wanted if one.rule == rule}
            if not places & said:
                yield Hit(
                    ground.rules[rule].key,
                    f"{rule} is blind now: {reason}",
                    "Is that so only at times? Else correct what it selects, or what joins it.",
                )


def _not_ready(ground: Ground, live: Live) -> Iterator[Hit]:
    for action, reason in live.not_ready.items():
        yield Hit(
            ground.actions[action].key,
            f"{action} is not ready: {reason}",
            "Run this on the host that executes it, as the daemon's user; or mend it.",
        )


def _no_alertmanager(ground: Ground, live: Live) -> Iterator[Hit]:
    if ground.alertmanager is None:
        return
    for url, reason in live.alertmanager.items():
        if reason:
            yield Hit(
                ground.alertmanager.at("url"),
                f"the Alertmanager {url}: {reason}",
                "Is this the address of its own page, and reachable from here?",
            )


def _deaf(ground: Ground, live: Live) -> Iterator[Hit]:
    for channel, reason in live.deaf.items():
        yield Hit(
            ground.channels[channel].key,
            f"{channel}: {reason}",
            "Put the credential there on the host of the daemon: openssl rand -hex 32 makes one. "
            "`--secrets-dir` says where credentials lie.",
        )


def _untold(ground: Ground, live: Live) -> Iterator[Hit]:
    for name, reason in live.untold.items():
        yield Hit(
            ground.tells[name].key,
            f"{name}: {reason}",
            "Put the credential there on the host of the daemon. `--secrets-dir` says where "
            "credentials lie.",
        )


def _by_no_service(ground: Ground, live: Live) -> Iterator[Hit]:
    for name, reason in live.unknown.items():
        entry = ground.tells[name]
        inside = "apprise" in entry.node.entries
        yield Hit(
            entry.at("apprise" if inside else "url"),
            f"{name}: {reason}",
            f"Correct {'what stands in that credential' if inside else 'it'}: docs/telling.md has "
            "the URLs by service.",
        )


def _tended_by_nobody(ground: Ground, live: Live) -> Iterator[Hit]:
    """A host is known that this is, or that the policy names for an action."""
    contacts = ground.policy.contacts
    known = {ANY_HOST, live.host, *(action.host for action in ground.policy.actions.values())}
    for page in contacts.status_pages.values() if contacts is not None and live.host else ():
        if page.host not in known:
            yield Hit(
                ground.tells[page.name].at("host"),
                f"the daemon of {page.host} alone tells {page.name}, and this is {live.host}",
                "Does a daemon run on a host of that name? It is what `hostname` prints there, or "
                "`host` in its settings.",
            )


def _limit_reached(ground: Ground, live: Live) -> Iterator[Hit]:
    for seen in live.seen.values():
        for name, sets in seen.label_sets.items():
            rule = ground.policy.rules[name]
            if len(sets) >= rule.limit:
                yield Hit(
                    ground.rules[name].at("limit" if rule.limit else "each"),
                    f"there are {len(sets)} sets of {', '.join(rule.each)} now, and `limit` is "
                    f"{rule.limit}",
                    "Raise `limit`, select fewer, or aggregate them in a recording rule.",
                )


def _value_unseen(ground: Ground, live: Live) -> Iterator[Hit]:
    for seen in live.seen.values():
        for name, sets in seen.label_sets.items():
            rule = ground.policy.rules[name]
            there = [frozenset(values) for values in sets]
            for action in dict.fromkeys(one.name for one in ground.reach_of(rule)):
                values = frozenset(values_in(action))
                if there and values and not any(values <= one for one in there):
                    yield Hit(
                        ground.actions[action].key,
                        f"{action} is for a value that {name} does not see now",
                        f"Is it written as {rule.source} writes it? If it may come, leave it: "
                        f"{family_of(action)} is done for listed values only.",
                    )


LINTS = (
    LiveLint(
        "source-silent",
        Level.WARNING,
        "A source does not answer",
        "Its metrics and labels could not be looked at, and its rules would be blind.",
        _silent,
    ),
    *selected.LINTS,
    LiveLint(
        "window-beyond-history",
        Level.WARNING,
        "A window longer than the history that the source keeps",
        "What is not there counts as good: for that long after a start the rule sees less than "
        "is meant.",
        _short_history,
    ),
    LiveLint(
        "breached-now",
        Level.WARNING,
        "The rule is breached as things are",
        "Either there is trouble, or the comparison is turned round or lacks a per cent sign; "
        "armed now, it would hold as already burning.",
        _breached,
    ),
    LiveLint(
        "blind-now",
        Level.WARNING,
        "The rule is blind as things are",
        "It can neither fire nor be healthy: it never acts, and people are told of its blindness.",
        _blind,
    ),
    LiveLint(
        "action-not-ready",
        Level.WARNING,
        "An action would not work from here",
        "A rule that relies on it is held in the hour in which it is needed.",
        _not_ready,
    ),
    LiveLint(
        "channel-deaf",
        Level.WARNING,
        "A channel whose credential cannot be read from here",
        "Nobody can be believed by it: its rules are blind, and senders are told to try again.",
        _deaf,
    ),
    LiveLint(
        "told-without-credential",
        Level.WARNING,
        "A channel of the contacts, or a status page, whose credential cannot be read from here",
        "People, or the public, are told nothing by it, in the hour in which it is needed.",
        _untold,
    ),
    LiveLint(
        "told-by-no-service",
        Level.WARNING,
        "A channel of the contacts whose URL Apprise cannot read",
        "People are told nothing by it, in the hour in which it is needed.",
        _by_no_service,
    ),
    LiveLint(
        "page-of-unknown-host",
        Level.WARNING,
        "A status page of a host that is neither this one nor any that an action names",
        "Where no daemon has that name, nobody tells the page, and it shows that all is well.",
        _tended_by_nobody,
    ),
    LiveLint(
        "alertmanager-silent",
        Level.WARNING,
        "An Alertmanager does not answer",
        "Silences that people make there would stop nothing, and nobody there would see episodes.",
        _no_alertmanager,
    ),
    LiveLint(
        "each-limit-reached",
        Level.WARNING,
        "As many label sets as are watched, or more",
        "Nobody new is watched, and the family is blind.",
        _limit_reached,
    ),
    LiveLint(
        "each-value-unseen",
        Level.WARNING,
        "An action for a value that no label set has",
        "A misspelt value pauses nothing in the hour in which it is needed.",
        _value_unseen,
    ),
)
