"""One source of a test: what a poll of it would have given, made from the input series."""

from __future__ import annotations

import math
from collections.abc import Iterable

from watchdog.core.channels import Channel
from watchdog.core.probes import PROBES, Probe
from watchdog.core.samples import Answer, Failure, Fault, Look, Reading, Sample
from watchdog.core.spec import JsonDocument, PrometheusApi, Scrape, SourceSpec
from watchdog.core.words import Blind, Instant
from watchdog.lab.rehearsal import Rehearsal
from watchdog.lab.rule_tests.loaded import Feed, LoadedStore
from watchdog.lab.rule_tests.notation import Gap
from watchdog.lab.rule_tests.provider import Question, questions
from watchdog.lab.rule_tests.suite import Case, Input
from watchdog.sources.faults import instance_of
from watchdog.sources.selectors import names_in

SAYS = "the test says so"


def called(spec: SourceSpec) -> str:
    """What a test calls a source; a probe is its rule's own, and has its name."""
    own = isinstance(spec.how, Channel | Probe)
    return spec.name.partition(":")[2] if own else spec.name


class Poller:
    """Polls of one source, in the order of time."""

    def __init__(self, spec: SourceSpec, case: Case, rehearsal: Rehearsal) -> None:
        self._spec, self._case = spec, case
        self.every_seconds = spec.every_seconds
        self._start = case.shape.start_timestamp
        endpoint = getattr(spec.how, "endpoint", None)  # what is no address has none
        self._instance = instance_of(endpoint.url) if endpoint is not None else spec.name
        self._stretches = [one for one in case.shape.sources if one.source == called(spec)]
        self._restarts = [one.from_ for one in self._stretches if one.is_ == "restarted"]
        inputs = [one for one in case.series if one.source in {None, called(spec)}]
        self._wanted = rehearsal.memory.sources[spec.name].wanted
        self._polled = Instant(0.0, -math.inf)
        self._as_is = True  # its newest samples are those of the newest poll
        self._answers: dict[str, Answer] = {}
        self._questions: dict[str, Question] = {}
        self._shown = []
        if isinstance(spec.how, PrometheusApi):
            self._store = LoadedStore()
            named = [(one.name, one.labels, one.values) for one in inputs]
            self._feed = Feed(named, self._start, case.interval_seconds, case.until)
            # a rule that is tested and cannot be asked was refused before this
            self._questions, self._answers = questions(self._wanted)
        else:
            count = int(case.until / case.interval_seconds + 1e-9) + 1
            self._shown = [(one, one.values.first(count)) for one in inputs if self._shows(one)]

    def poll(self, seconds: float, now: Instant) -> Reading | None:
        """What a poll gives, or None where the test says that nobody asks."""
        state = self._state(seconds)
        name = self._spec.name
        if state == "unasked":
            return None
        self._polled, self._as_is = now, state != "frozen"
        if isinstance(self._spec.how, PROBES):
            return self._look(now, state)
        if isinstance(self._spec.how, Channel):
            failure = Failure(Fault.OURS, Blind.DEAF, f"nobody can be believed: {SAYS}")
            return Reading(name, now, 0.0, failure=failure if state == "deaf" else None)
        if isinstance(self._spec.how, PrometheusApi):
            return self._ask(seconds, now, state)
        if state == "down":
            failure = Failure(Fault.SERVICE, Blind.SOURCE_DOWN, f"no answer: {SAYS}")
            return Reading(name, now, 0.0, up={self._instance: False}, failure=failure)
        as_of = self._frozen_since(seconds) if state == "frozen" else seconds
        restarted = frozenset({self._instance} if self._restarted(seconds) else ())
        up = {self._instance: True}
        samples = tuple(self._samples(as_of))
        return Reading(name, now, 0.0, samples, up=up, restarted=restarted)

    def on_time(self, now: Instant) -> bool:
        """Whether nothing of it can grow stale before its next poll."""
        fresh = now.steady - self._polled.steady <= self.every_seconds
        return fresh and self._as_is and isinstance(self._spec.how, Scrape | JsonDocument | Channel)

    def _look(self, now: Instant, state: str) -> Reading:
        """A probe's look: it holds, unless the test says otherwise."""
        name = self._spec.name
        if state == "unseen":
            failure = Failure(Fault.OURS, Blind.UNREACHABLE, f"nothing was seen: {SAYS}")
            return Reading(name, now, 0.0, failure=failure)
        return Reading(name, now, 0.0, look=Look(state != "failing", SAYS))

    def _ask(self, seconds: float, now: Instant, state: str) -> Reading:
        name = self._spec.name
        if state == "down":
            failure = Failure(Fault.PROVIDER, Blind.UNREACHABLE, f"no answer: {SAYS}")
            return Reading(name, now, 0.0, failure=failure)
        if state != "frozen":
            self._feed.till(seconds, self._store)
        answers = dict(self._answers)
        for text, question in self._questions.items():
            answers[text] = question.answer(self._store, now.wall)
        if state == "partial":
            failure = Failure(Fault.PROVIDER, Blind.PARTIAL, f"an incomplete answer: {SAYS}")
            answers = {text: Answer(failure=failure) for text in answers}
        return Reading(name, now, 0.0, answers=answers)

    def _shows(self, one: Input) -> bool:
        """Whether this source's page or document can hold the series, and a rule reads it."""
        how = self._spec.how
        if isinstance(how, JsonDocument):
            return not one.labels and one.name in {name for name, _ in how.samples}
        names = names_in(self._wanted)
        wanted = names is None or one.name in names
        return isinstance(how, Scrape) and wanted and one.name != "up"  # which polls tell

    def _samples(self, seconds: float) -> Iterable[Sample]:
        step = int(seconds / self._case.interval_seconds + 1e-9)
        for one, items in self._shown:
            item = items[step] if step < len(items) else Gap()
            if not isinstance(item, Gap):
                yield Sample(one.name, one.labels, item, self._start + seconds)

    def _state(self, seconds: float) -> str:
        for one in self._stretches:
            if one.is_ != "restarted" and one.from_ <= seconds < (one.to or 1e18):
                return one.is_
        return ""

    def _frozen_since(self, seconds: float) -> float:
        """When the document was last made anew: the poll at or before the frost began."""
        began = max(
            one.from_ for one in self._stretches if one.is_ == "frozen" and one.from_ <= seconds
        )
        return int(began / self.every_seconds + 1e-9) * self.every_seconds

    def _restarted(self, seconds: float) -> bool:
        """Whether this is the first poll at or after a restart."""
        if any(at <= seconds for at in self._restarts):
            self._restarts = [at for at in self._restarts if at > seconds]
            return True
        return False
