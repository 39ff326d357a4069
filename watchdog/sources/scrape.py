"""Scraping one target's metrics page ourselves, without a Prometheus between.

Only the names that occur in the wanted expressions are kept. Samples keep the time that the page
gives them, else they are as old as the request. NaN is a sample like any other: whoever judges
it calls it BLIND. `up` says whether the target answered with a readable page; faults.py says
whose fault it is when not. A target whose `process_start_time_seconds` moved is `restarted`.

What nobody judges is read from the same page afterwards (`Reading.aside`): its lines count towards
no limit of the poll, and what is wrong with them fails them alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from watchdog.core.samples import Failure, Fault, Labels, Reading, Sample
from watchdog.core.spec import Scrape, SourceSpec
from watchdog.core.words import Instant
from watchdog.sources.exposition import (
    ACCEPT,
    PROCESS_START,
    Exposition,
    TooManySeriesError,
    UnreadableError,
    form_of,
)
from watchdog.sources.faults import bug, failure_of, instance_of, odd, too_many
from watchdog.sources.selectors import names_in
from watchdog.wire.http import HttpAnswer, HttpProblem, Wire

# Start times are computed from the boot time, which moves when the clock is set right: Go's
# client reads it anew each time. What is restarted sooner than this is seen by its counters.
_SAME_START_SECONDS = 2.0


class ScrapeSource:
    """Implements `ports.MetricSource`. Polls of one source must not overlap."""

    def __init__(self, spec: SourceSpec, wire: Wire) -> None:
        if not isinstance(spec.how, Scrape):
            raise TypeError(f"source {spec.name} is not scraped")
        self.name = spec.name
        self._spec = spec
        self._endpoint = spec.how.endpoint
        self._instance = instance_of(self._endpoint.url)
        self._wire = wire
        self._exposition, self._beside = Exposition(), Exposition()
        self._started: dict[Labels, float] = {}

    async def aclose(self) -> None:
        """Nothing to close: connections belong to the wire."""

    async def poll(self, at: Instant, wanted: Sequence[str]) -> Reading:
        loop = asyncio.get_running_loop()
        began = loop.time()
        samples: tuple[Sample, ...] = ()
        restarted = False
        failure: Failure | None
        outcome: HttpAnswer | HttpProblem | None = None
        try:
            outcome = await self._wire.ask(
                self._endpoint,
                headers={"accept": ACCEPT},
                deadline_seconds=self._spec.deadline_seconds,
                max_bytes=self._spec.max_bytes,
            )
            failure = failure_of(outcome, asked=Fault.SERVICE)
            if failure is None:
                samples, restarted = await self._read(outcome, at, wanted)
        except UnreadableError as error:
            failure = odd(str(error))
        except TooManySeriesError as error:
            failure = too_many(error.series, self._spec.max_series)
        except Exception as error:  # noqa: BLE001  # a failure is in the Reading, never raised
            failure = bug(error)
        reading = Reading(
            self.name,
            at,
            loop.time() - began,
            samples=samples,
            up=up_of(self._instance, failure),
            restarted=frozenset({self._instance}) if restarted else frozenset(),
            failure=failure,
        )
        if failure is not None or not isinstance(outcome, HttpAnswer):
            return reading
        page = outcome

        async def aside(wanted: Sequence[str]) -> Reading:
            return await self._read_aside(page, reading, wanted)

        return replace(reading, aside=aside)

    async def _read_aside(
        self, page: HttpAnswer, polled: Reading, wanted: Sequence[str]
    ) -> Reading:
        """The page of a poll, read for other expressions."""
        form = form_of(page.headers.get("content-type", ""))
        cap, names = self._spec.max_series, names_in(wanted)
        try:
            samples = await self._beside.read(page.body, form, names, polled.at.wall, cap)
        except UnreadableError as error:
            return replace(polled, samples=(), failure=odd(str(error)))
        except TooManySeriesError as error:
            return replace(polled, samples=(), failure=too_many(error.series, cap))
        return replace(polled, samples=samples)

    async def _read(
        self, outcome: HttpAnswer | HttpProblem, at: Instant, wanted: Sequence[str]
    ) -> tuple[tuple[Sample, ...], bool]:
        assert isinstance(outcome, HttpAnswer)  # noqa: S101  # what failure_of accepted
        form = form_of(outcome.headers.get("content-type", ""))
        names = names_in(wanted)
        looked_for = None if names is None else names | {PROCESS_START}
        samples = await self._exposition.read(
            outcome.body, form, looked_for, at.wall, self._spec.max_series
        )
        restarted = self._restarted(samples)
        if names is not None and PROCESS_START not in names:
            samples = tuple(sample for sample in samples if sample.name != PROCESS_START)
        return samples, restarted

    def _restarted(self, samples: Sequence[Sample]) -> bool:
        started = {each.labels: each.value for each in samples if each.name == PROCESS_START}
        moved = any(
            abs(value - self._started[labels]) > _SAME_START_SECONDS
            for labels, value in started.items()
            if labels in self._started
        )
        if started:  # a page without it says nothing about the process
            self._started = started
        return moved


def up_of(instance: str, failure: Failure | None) -> dict[str, bool]:
    """Up after a readable answer, down where the service failed, else unknown: left out."""
    if failure is None:
        return {instance: True}
    return {instance: False} if failure.fault is Fault.SERVICE else {}
