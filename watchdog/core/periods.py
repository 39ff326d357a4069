"""What was measured within the last 30 and 90 days: sums over the measures, made when asked for.

Nothing counts twice: what overlaps is one stretch, also of several episodes, rules or targets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import chain
from types import MappingProxyType

from watchdog.core.measures import Ended, Measures, Proof
from watchdog.core.naming import family_of
from watchdog.core.spans import Span, seconds_in
from watchdog.core.spec import ActionSpec
from watchdog.core.words import Instant

DAY = 86_400.0
PERIODS: Mapping[str, float] = MappingProxyType({"30d": 30 * DAY, "90d": 90 * DAY})

Stretches = Mapping[str, list[Span]]
"""Name -> when; those that go on end now."""


def service_stretches(measures: Measures, now: Instant) -> Stretches:
    """Rule or family -> when its service failed."""
    found = {name: list(spans.kept) for name, spans in measures.services.items()}
    for rule, _, span in _still(measures, now):
        found.setdefault(rule, []).append(span)
    return found


def feature_stretches(measures: Measures, now: Instant) -> Stretches:
    """Target -> when it stood as an action had set it."""
    found = {name: list(spans.kept) for name, spans in measures.paused.items()}
    for target, since in measures.paused_since.items():
        found.setdefault(target, []).append((since, now.steady))
    return found


def target_stretches(measures: Measures, now: Instant) -> Stretches:
    """Target -> when it stood so, or the service of an episode that rolled it back failed."""
    found = {name: list(spans) for name, spans in feature_stretches(measures, now).items()}
    for name, spans in measures.targets.items():
        found.setdefault(name, []).extend(spans.kept)
    for _, targets, span in _still(measures, now):
        for target in targets:
            found.setdefault(target, []).append(span)
    return found


def within(stretches: Stretches, now: Instant, seconds: float) -> dict[str, float]:
    """Name -> how long, of the last so many seconds. Names of which nothing is left are not."""
    sums = {
        name: seconds_in(spans, now.steady - seconds, now.steady)
        for name, spans in stretches.items()
    }
    return {name: lasted for name, lasted in sorted(sums.items()) if lasted > 0}


def together(stretches: Iterable[Stretches], now: Instant, seconds: float) -> float:
    """How long any of it was, of the last so many seconds."""
    every = chain.from_iterable(chain.from_iterable(one.values()) for one in stretches)
    return seconds_in(every, now.steady - seconds, now.steady)


def rollbacks_within(
    measures: Measures, now: Instant, seconds: float
) -> Counter[tuple[str, str, Ended]]:
    """(action, rule, how it ended) -> how many."""
    return Counter(
        (one.action, one.rule, one.ended)
        for one in measures.rollbacks
        if now.steady - one.at.steady <= seconds
    )


def in_time_ratio(ends: Counter[Ended]) -> float | None:
    """The share that was done within the SLA, of all whose SLA is known; None where there is none.

    What failed, or cannot be told, was not done in time.
    """
    known = sum(count for ended, count in ends.items() if ended is not Ended.UNTIMED)
    return ends[Ended.IN_TIME] / known if known else None


def proof_of(measures: Measures, action: ActionSpec) -> Proof | None:
    """That the action works as it is written now: a proof of another text is none of this one."""
    found = measures.proofs.get(action.name)
    if found is None or found.action_sha256 not in {"", action.sha256}:
        return None
    return found


def _still(measures: Measures, now: Instant) -> Iterable[tuple[str, list[str], Span]]:
    """What fails now: rule or family, the targets it rolled back, and since when."""
    for one in measures.episodes.values():
        if one.failing_since is not None and one.lasted:
            yield family_of(one.rule), one.targets, (one.failing_since, now.steady)
