"""Looks at what a Prometheus holds: which counters have traffic now, and what tells failures.

Reads only. Every question has its deadline and its size, all together have one more, and what
comes back is not trusted: names that are none are passed over, values are quoted where they are
written. Raises NotSeen with a sentence when it does not answer as a Prometheus does.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from watchdog.core.spec import Endpoint
from watchdog.core.text import duration, percent, seconds_of
from watchdog.lab.first_rule.asking import Asking, NotSeen, Rows
from watchdog.lab.first_rule.choosing import HOUR, RATE_SECONDS, Candidate, Dismissed, Form
from watchdog.lab.first_rule.outcomes import STATUS_LABELS, nearly_all, telling_of
from watchdog.lab.first_rule.promql import LONGEST_VALUE, Condition, selector
from watchdog.wire.http import Wire

MOST_COUNTERS = 60
MOST_EXAMINED = 10
USUAL_SECONDS = 15.0
"""How often a Prometheus scrapes that does not tell."""

LOOKED_FOR = (
    "counters like *_requests_total or *_requests_seconds_count with a label like code or status, "
    "pairs like *_requests_total and *_errors_total, histograms like *_duration_seconds_bucket, up"
)

_EVENTS = frozenset({
    "request", "requests", "response", "responses", "call", "calls", "rpc", "rpcs", "handled",
    "queries", "operations", "transactions", "orders", "payments", "jobs", "tasks", "messages",
})  # fmt: skip
_FAILED = ("errors", "failures", "failed", "exceptions")
_NO_COUNTER = frozenset({"gauge", "gaugehistogram", "info", "stateset"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person has said already: then nothing else is looked at."""

    metric: str | None = None
    job: str | None = None


@dataclass(slots=True)
class Seen:
    """What was found. `every_seconds` by job: how often it is scraped."""

    candidates: tuple[Candidate, ...] = ()
    dismissed: list[Dismissed] = field(default_factory=list)
    every_seconds: dict[str, float] = field(default_factory=dict)
    names: int = 0
    targets: dict[str, tuple[float, float]] = field(default_factory=dict)  # job -> up, all

    def every(self, job: str) -> float:
        return self.every_seconds.get(job, USUAL_SECONDS)


async def look(endpoint: Endpoint, wire: Wire, at: float, wish: Wish, within: float) -> Seen:
    """All of it within so many seconds. Raises NotSeen."""
    try:
        async with asyncio.timeout(within):
            return await _Looking(endpoint, wire, at, wish).look()
    except TimeoutError:
        raise NotSeen(f"{endpoint.url}: not done answering within {duration(within)}") from None


class _Looking:
    """One look; `seen` grows while it goes on."""

    def __init__(self, endpoint: Endpoint, wire: Wire, at: float, wish: Wish) -> None:
        self._asking, self._wish = Asking(endpoint, wire, at), wish
        self.seen = Seen()

    async def look(self) -> Seen:
        names = await self._asking.names()
        wish = self._wish
        if wish.metric is not None and wish.metric not in names:
            raise NotSeen(f"{self._asking.url}: it has no metric {wish.metric}")
        self.seen.names = len(names)
        await self._targets()
        asked = sorted(names if wish.metric is None else {wish.metric} - {"up"})
        counters = self._some([n for n in asked if is_counter(n) or n == wish.metric])
        found = await self._all(self._ratios(n, names) for n in counters if not is_bucket(n))
        if not any(not one.monitoring for one in found):
            buckets = self._some([name for name in asked if is_bucket(name)])
            found += await self._all(self._latencies(name, names) for name in buckets)
        if wish.metric in {None, "up"}:
            found += self._ups()
        found = [one for one in found if wish.job in {None, one.job}]
        self.seen.dismissed = [
            each for each in self.seen.dismissed if wish.job is None or each.job in {None, wish.job}
        ]
        self.seen.candidates = await self._examined(sorted(found, key=lambda one: one.order))
        return self.seen

    async def _all(
        self, questions: Iterable[Coroutine[Any, Any, list[Candidate]]]
    ) -> list[Candidate]:
        return [one for found in await self._asking.each(questions) for one in found]

    # -- what there is -----------------------------------------------------------------------------

    async def _targets(self) -> None:
        """How many of each job are up, and how often they are scraped, where that is told."""
        for place, query in enumerate(("sum by (job) (up)", "count by (job) (up)")):
            for labels, value in await self._asking.rows(query) or []:
                was = self.seen.targets.get(labels.get("job", ""), (0.0, 0.0))
                now = (value, was[1]) if place == 0 else (was[0], value)
                self.seen.targets[labels.get("job", "")] = now
        every: defaultdict[str, Counter[float]] = defaultdict(Counter)
        for target in await self._asking.targets():
            about = target.get("labels") if isinstance(target, dict) else None
            text = target.get("scrapeInterval") if isinstance(target, dict) else None
            seconds = seconds_of(text) if isinstance(text, str) else None
            if seconds and isinstance(about, dict):
                every[str(about.get("job", ""))][seconds] += 1
        self.seen.every_seconds = {
            job: min(max(one, 1.0), 3600.0)
            for job, counts in every.items()
            for one in [counts.most_common(1)[0][0]]
        }

    def _some(self, names: Sequence[str]) -> Sequence[str]:
        if rest := names[MOST_COUNTERS:]:
            why = f"only {MOST_COUNTERS} are asked about, by their names: take one with --metric"
            self.seen.dismissed.append(Dismissed(f"{rest[0]} and {len(rest) - 1} more", why))
        return names[:MOST_COUNTERS]

    # -- counters ----------------------------------------------------------------------------------

    async def _ratios(self, name: str, names: frozenset[str]) -> list[Candidate]:
        labels = ", ".join(("job", *STATUS_LABELS))
        found = []
        for job, rows in (
            await self._by_job(f"sum by ({labels}) (rate({name}[5m]))", name)
        ).items():
            rate = sum(value for _, value in rows)
            values = {label: {one.get(label, "") for one, _ in rows} for label in STATUS_LABELS}
            told = telling_of(values)
            here = Candidate(
                form=Form.RATIO,
                metric=name,
                events=name,
                scope=_scope(job),
                counted=(),
                rate=rate,
                usual=0.0,
                series=0,
                why="",
                job=job,
            )
            if told is not None:
                counted = ((told.label, told.operator, told.value),)
                label = (told.label, told.good, told.bad)
                why = f"{told.label}: {told.why}"
                found.append(replace(here, counted=counted, why=why, told=label))
            else:
                beside = await self._beside(here, names)
                found += [beside] if beside is not None else []
        return found

    async def _beside(self, here: Candidate, names: frozenset[str]) -> Candidate | None:
        """A counter without a telling label, with another one beside it that counts failures."""
        stem = re.sub(r"_(total|count)\Z", "", here.metric)
        noun = re.sub(r"requests?\Z", "request", stem)
        base = re.sub(r"_?[a-z]+\Z", "", stem)
        for word in _FAILED:
            for first in dict.fromkeys((stem, noun, base)):
                other = f"{first}_{word}_total".lstrip("_")
                if other in names and other != here.metric:
                    text = f"sum(rate({selector(other, here.scope)}[5m]))"
                    if await self._asking.rows(text):
                        return replace(here, events=other, why=f"{other} counts the failures")
        where = selector(here.metric, here.scope)
        why = "no label of it and no counter beside it tells failures"
        self.seen.dismissed.append(Dismissed(where, why, here.job))
        return None

    # -- latency and liveness ----------------------------------------------------------------------

    async def _latencies(self, name: str, names: frozenset[str]) -> list[Candidate]:
        total = name.removesuffix("_bucket") + "_count"
        if total not in names:
            return []
        found = []
        for job, rows in (await self._by_job(f"sum by (job, le) (rate({name}[5m]))", name)).items():
            best = nearly_all(rows)
            if best is None:
                what = selector(name, _scope(job))
                why = "no bucket of it holds 95 % of the events now"
                self.seen.dismissed.append(Dismissed(what, why, job))
                continue
            text, bad, rate = best
            found.append(
                Candidate(
                    form=Form.LATENCY,
                    metric=total,
                    events=name,
                    scope=_scope(job),
                    counted=(("le", "=", text),),
                    rate=rate,
                    usual=bad,
                    series=0,
                    why=f"{percent(1 - bad)} of its events are within le={text} now",
                    job=job,
                )
            )
        return found

    def _ups(self) -> list[Candidate]:
        found = []
        for job, (up, targets) in sorted(self.seen.targets.items()):
            if not targets or len(job) > LONGEST_VALUE:
                continue
            if up < targets:
                why = f"{targets - up:g} of {targets:g} targets are down now"
                self.seen.dismissed.append(Dismissed(selector("up", _scope(job)), why, job))
                continue
            found.append(
                Candidate(
                    form=Form.UP,
                    metric="up",
                    events="up",
                    scope=_scope(job),
                    counted=(),
                    rate=targets,
                    usual=0.0,
                    series=int(targets),
                    why=f"all {targets:g} targets answer" if targets > 1 else "its target answers",
                    job=job,
                )
            )
        return found

    # -- a closer look -----------------------------------------------------------------------------

    async def _examined(self, found: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """Only the best: how many series, what usually fails, whether it is a counter at all."""
        rest = [one for one in found[MOST_EXAMINED:] if one.form is not Form.UP]
        self.seen.dismissed += [
            Dismissed(one.all_events, "less traffic than those that were looked at") for one in rest
        ]
        ups = [one for one in found[MOST_EXAMINED:] if one.form is Form.UP]
        kept = await self._asking.each(self._examine(one) for one in found[:MOST_EXAMINED])
        return (*(one for one in kept if one is not None), *ups)

    async def _examine(self, one: Candidate) -> Candidate | None:
        if one.form is Form.UP:
            return one
        found = await self._counted(one)
        if isinstance(found, str):
            self.seen.dismissed.append(Dismissed(one.all_events, found))
            return None
        return found

    async def _counted(self, one: Candidate) -> Candidate | str:
        """With its series and its usual failures, or why it is none to watch."""
        kind = await self._asking.kind(one.events)
        if kind in _NO_COUNTER:
            return f"it is a {kind}, no counter"
        rows = await self._asking.rows(f"count({one.all_events})")
        if rows is None:
            return "its series cannot be counted"
        known = await self._known_seconds(one)
        one = replace(one, series=int(rows[0][1]) if rows else 0, known_seconds=known)
        if one.rated_seconds > 0:  # `rate` divides by its whole range, be it known or not
            one = replace(one, rate=one.rate * RATE_SECONDS / one.rated_seconds)
        if one.form is Form.LATENCY:
            return one
        every = await self._asking.rows(f"sum(increase({one.all_events}[1h]))")
        bad = await self._asking.rows(f"sum(increase({one.some_events}[1h]))")
        if every is None or bad is None:
            return "what usually fails cannot be asked"
        total = every[0][1] if every else 0.0
        usual = bad[0][1] / total if bad and total > 0 else 0.0
        if usual > 1 and not one.counted:
            return f"{one.events} is no part of {one.metric}"
        return replace(one, usual=min(1.0, max(0.0, usual)))

    async def _known_seconds(self, one: Candidate) -> float:
        """How much of the last hour was seen of it, by the samples that there are."""
        rows = await self._asking.rows(f"max(count_over_time({one.all_events}[1h]))")
        return min(HOUR, rows[0][1] * self.seen.every(one.job)) if rows else HOUR

    async def _by_job(self, query: str, name: str) -> dict[str, Rows]:
        """Rows by job, of jobs that have traffic."""
        found: defaultdict[str, Rows] = defaultdict(list)
        rows = await self._asking.rows(query)
        if rows is None:
            self.seen.dismissed.append(Dismissed(name, "its rates cannot be asked"))
        for labels, value in rows or []:
            found[labels.get("job", "")].append((labels, value))
        for job in list(found):
            if len(job) > LONGEST_VALUE or not sum(value for _, value in found[job]):
                what = "no traffic in the last 5m" if len(job) <= LONGEST_VALUE else "a huge job"
                self.seen.dismissed.append(Dismissed(selector(name, _scope(job[:40])), what, job))
                del found[job]
        return found


def is_counter(name: str) -> bool:
    """By its name: http_requests_total, http_server_requests_seconds_count."""
    words = name.split("_")
    return words[-1] in {"total", "count"} and not _EVENTS.isdisjoint(words)


def is_bucket(name: str) -> bool:
    """By its name: a histogram of times, in seconds or of requests."""
    return name.endswith(("_seconds_bucket", "_duration_bucket", "_latency_bucket"))


def _scope(job: str) -> tuple[Condition, ...]:
    return (("job", "=", job),) if job else ()
