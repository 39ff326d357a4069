"""The counters as a metrics page: text format 0.0.4, or OpenMetrics 1.0 when the scraper asks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from watchdog.sandbox.workload import BUCKETS_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watchdog.sandbox.workload import Counts, Workload

TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Dress:
    """How a page is written, and in which way it is told to be wrong."""

    openmetrics: bool = False
    nan: bool = False
    stamped_epoch: float | None = None
    """Give every sample this explicit time; None gives none, as exporters usually do."""


def page(workload: Workload, counts: Counts, dress: Dress) -> str:
    """The whole metrics page for one instant."""
    lines = list(_families(workload, counts, dress))
    tail = ["# EOF"] if dress.openmetrics else []
    unrelated = _unrelated(workload.unrelated_series, dress.openmetrics)
    return "\n".join([*lines, *unrelated, *tail]) + "\n"


def _families(workload: Workload, counts: Counts, dress: Dress) -> Iterator[str]:
    stamp = _stamp(dress)

    def sample(series: str, value: float) -> str:
        return f"{series} {'NaN' if dress.nan else format(value, '.15g')}{stamp}"

    counter = "redemption_requests" if dress.openmetrics else "redemption_requests_total"
    yield f"# HELP {counter} Redemption requests by HTTP status code."
    yield f"# TYPE {counter} counter"
    yield sample('redemption_requests_total{code="200"}', counts.ok)
    for code, count in (("500", counts.error_500), ("503", counts.error_503)):
        if count or workload.error_series_from_start:
            yield sample(f'redemption_requests_total{{code="{code}"}}', count)

    yield "# HELP redemption_quote_seconds Time to quote a redemption."
    yield "# TYPE redemption_quote_seconds histogram"
    for bound, within in zip(BUCKETS_SECONDS, counts.within, strict=True):
        yield sample(f'redemption_quote_seconds_bucket{{le="{bound}"}}', within)
    yield sample('redemption_quote_seconds_bucket{le="+Inf"}', counts.total)
    yield sample("redemption_quote_seconds_sum", counts.quote_seconds_sum)
    yield sample("redemption_quote_seconds_count", counts.total)

    yield "# HELP process_start_time_seconds Start time of the process since the epoch."
    yield "# TYPE process_start_time_seconds gauge"
    yield sample("process_start_time_seconds", workload.born_epoch)


def _stamp(dress: Dress) -> str:
    if dress.stamped_epoch is None:
        return ""
    # OpenMetrics counts in seconds, the older text format in milliseconds.
    if dress.openmetrics:
        return f" {dress.stamped_epoch:.3f}"
    return f" {int(dress.stamped_epoch * 1000)}"


@lru_cache(maxsize=4)
def _unrelated(count: int, openmetrics: bool) -> tuple[str, ...]:  # noqa: FBT001 - a cache key
    """Series that no rule asks for, as every real page has many."""
    if not count:
        return ()
    family = "mycelia_gossip_messages" if openmetrics else "mycelia_gossip_messages_total"
    return (
        f"# HELP {family} Messages gossiped, by peer.",
        f"# TYPE {family} counter",
        *(
            f'mycelia_gossip_messages_total{{peer="peer-{index:06d}",topic="blocks"}} {index * 7}'
            for index in range(count)
        ),
    )
