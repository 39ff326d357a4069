"""Writes families as the scraper asked for them, pausing so that the loop can judge meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator

from prometheus_client import Metric as Family
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from watchdog.engine import Views
from watchdog.web.metrics.meters import Meters
from watchdog.web.metrics.present import (
    of_actions,
    of_alertmanager,
    of_budgets,
    of_deploys,
    of_drills,
    of_lessons,
    of_measures,
    of_process,
    of_record,
    of_rules,
    of_sources,
    of_telling,
    of_verification,
)
from watchdog.web.policy_load import PolicyLoad

SAMPLES_AT_ONCE = 200
"""Encoded between two pauses: a few milliseconds."""

_END = b"# EOF\n"


def families(views: Views, meters: Meters, load: PolicyLoad) -> Iterator[Family]:
    """All of this moment. The engine is read at once, before the first family is made."""
    x = views.present()
    meters.adopt(x.policy)
    sources, actions, measures = views.sources(), views.actions(), views.measures_now()
    longest = meters.longest_pass(views.take_longest_pass(), x.now)

    def rest() -> Iterator[Family]:
        yield from of_process(x, longest)
        yield from of_record(x, load)
        yield from of_sources(sources)
        yield from of_actions(actions, x)
        yield from of_lessons(x.lessons)
        yield from of_drills(x.drills)
        yield from of_verification(x)
        yield from of_telling(x.telling)
        yield from of_measures(measures)
        yield from of_alertmanager(x)
        yield from of_deploys(x)
        yield from of_rules(x)
        yield from of_budgets(x)
        yield from meters.registry.collect()

    return rest()


async def encoded(found: Iterable[Family], accept: str) -> tuple[bytes, str]:
    """The page and its content type. `accept` is the request's header."""
    encode, content_type = choose_encoder(accept)
    openmetrics = content_type.startswith("application/openmetrics-text")
    parts = []
    for family in found:
        if not openmetrics:  # there the times of creation would be series of their own
            family.samples = [s for s in family.samples if not s.name.endswith("_created")]
        samples = family.samples
        for first in range(0, len(samples) or 1, SAMPLES_AT_ONCE):
            family.samples = samples[first : first + SAMPLES_AT_ONCE]
            page = encode(_Just(family)).removesuffix(_END)
            parts.append(_without_comments(page) if first else page)
            await asyncio.sleep(0)
    if openmetrics:
        parts.append(_END)
    return b"".join(parts), content_type


def _without_comments(page: bytes) -> bytes:
    """A family's later samples, without the help and type that stand before the first ones."""
    lines = page.splitlines(keepends=True)
    return b"".join(line for line in lines if not line.startswith(b"#"))


class _Just(Collector):
    """One family, where the library wants a registry."""

    def __init__(self, family: Family) -> None:
        self._family = family

    def collect(self) -> Iterable[Family]:
        return (self._family,)
