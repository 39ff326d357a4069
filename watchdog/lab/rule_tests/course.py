"""Our own rules over one test's time: readings made from the series, judged by the real core.

Each source is polled at its own `every`, a pass runs at least every second, as in the daemon, and
`Rehearsal` decides. A scraped page shows what a series' newest step says; after its last value,
and at `_` and `stale`, the series is not on the page. A Prometheus answers by the evaluator here.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from watchdog.core import entries as e
from watchdog.core.channels import EventReceived, EventStatus
from watchdog.core.draft import Draft
from watchdog.core.samples import Labels
from watchdog.core.spec import Policy, Scope
from watchdog.core.states import State
from watchdog.core.words import Instant, Status, Verdict
from watchdog.lab.rehearsal import Rehearsal, Supposed, Supposing
from watchdog.lab.rule_tests.deploys import Edge, edges
from watchdog.lab.rule_tests.poll import Poller
from watchdog.lab.rule_tests.shapes import ApprovalShape, HoldShape, SupposingShape, ToldShape
from watchdog.lab.rule_tests.suite import Case
from watchdog.lab.rule_tests.under_test import Ours
from watchdog.policy.channels import PREFIX as CHANNEL

PASS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Standing:
    """How one rule stands at one time."""

    verdict: Verdict | None
    state: State
    episode: str
    reason: str
    refused: tuple[str, ...]  # the gates that refuse, by the episode's newest decision
    labels: Labels = ()  # those of the episode's alert


@dataclass(slots=True)
class Course:
    """What happened. `standings` by elapsed time, then by rule."""

    policy: Policy
    start: Instant
    log: list[e.Recorded] = field(default_factory=list)
    standings: dict[float, dict[str, Standing]] = field(default_factory=dict)
    verdicts: dict[str, set[Status]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)

    def elapsed(self, at: Instant) -> float:
        return round(at.steady - self.start.steady, 6)

    def until(self, seconds: float) -> Iterator[tuple[float, e.Entry]]:
        """Every entry up to then, with its time."""
        for recorded in self.log:
            elapsed = self.elapsed(recorded.at)
            if elapsed <= seconds:
                yield elapsed, recorded.entry


def run_course(ours: Ours, case: Case, *, every_pass: bool = False) -> Course:
    """The whole test; every time that it asks about is kept.

    A pass that cannot find anything new is left out, unless `every_pass`.
    """
    shape = case.shape
    start = Instant(shape.start_timestamp, 0.0)
    rehearsal = Rehearsal(ours.policy, start, _supposing(shape.supposing), shape.max_mode)
    course = Course(ours.policy, start, rehearsal.log)
    times = {test.eval_time for test in shape.rule_test}
    times |= {test.eval_time for test in shape.alert_rule_test}
    asked = {test.rule for test in shape.rule_test}
    pollers = [Poller(spec, case, rehearsal) for spec in ours.policy.sources.values()]
    for seconds, _, what in _agenda(case, pollers, sorted(times)):
        now = start.plus(seconds)
        if isinstance(what, Poller):
            reading = what.poll(seconds, now)
            if reading is not None:
                rehearsal.feed(reading)
        elif isinstance(what, Edge):
            what.happens(rehearsal, now)
        elif isinstance(what, HoldShape):
            _hold(rehearsal, what, now, start)
        elif isinstance(what, ToldShape):
            _tell(rehearsal, what, now, start)
        elif isinstance(what, ApprovalShape):
            rehearsal.answer(what.by, now, rule=what.rule, denied=what.denied)
        elif every_pass or what == _LOOK or not _idle(rehearsal, pollers, now):
            rehearsal.tick(now)
        _note(course, rehearsal)
        if what == _LOOK:
            course.standings[seconds] = _standings(rehearsal, asked)
    course.failures = dict(rehearsal.failures)
    return course


_LOOK, _PASS = "look", "pass"  # what the agenda says besides polls and holds
_What = Poller | Edge | HoldShape | ToldShape | ApprovalShape | str


def _agenda(
    case: Case, pollers: list[Poller], times: list[float]
) -> Iterator[tuple[float, int, _What]]:
    """Everything in the order of time; at one time holds and deploys come first, then polls, then
    what is told, a pass, what people answer, then looks.
    """

    def steps(every: float, rank: int, what: _What) -> Iterator[tuple[float, int, _What]]:
        count = int(case.until / every + 1e-9)
        return ((step * every, rank, what) for step in range(count + 1))

    holds = [(hold.from_, 0, hold) for hold in case.shape.holds if hold.from_ <= case.until]
    told = [(told.at, 1, told) for told in case.shape.events if told.at <= case.until]
    answers = [(one.at, 2, one) for one in case.shape.approvals if one.at <= case.until]
    streams: list[Iterator[tuple[float, int, _What]]] = [
        iter(sorted(holds, key=lambda hold: hold[0])),
        iter(edges(case.shape.deploys, case.until)),
        *(steps(poller.every_seconds, 1, poller) for poller in pollers),
        iter(sorted(told, key=lambda one: one[0])),
        steps(PASS_SECONDS, 2, _PASS),
        iter(sorted(answers, key=lambda one: one[0])),
        ((time, 3, _LOOK) for time in times),
    ]
    return heapq.merge(*streams, key=lambda item: item[:2])


def _idle(rehearsal: Rehearsal, pollers: list[Poller], now: Instant) -> bool:
    """Whether a pass would find nothing new: no trouble is open, every source was read when it was
    due, and no blindness has lasted long enough to page.
    """
    book = rehearsal.book
    if book.current or book.intents or book.holds or book.deploys.open:
        return False
    if not all(poller.on_time(now) for poller in pollers):
        return False
    return all(
        blindness.paged or now.steady - blindness.since.steady < rule.page_after_seconds
        for name, blindness in book.blind.items()
        if (rule := rehearsal.policy.rule(name)) is not None
    )


def _supposing(shape: SupposingShape | None) -> Supposing:
    if shape is None:
        return Supposing()
    actions = {
        name: Supposed(one.takes, one.outcome, one.contained) for name, one in shape.actions.items()
    }
    return Supposing(actions=actions, ready=shape.ready, undo_after_seconds=shape.undo_after)


def scope_of(hold: HoldShape) -> Scope:
    named = {"owner": hold.owner, "rule": hold.rule, "target": hold.target}
    return next((Scope(kind, name) for kind, name in named.items() if name), Scope("all"))


def _hold(rehearsal: Rehearsal, hold: HoldShape, now: Instant, start: Instant) -> None:
    expires = None if hold.to is None else start.plus(hold.to)
    draft = Draft(rehearsal.book, now)
    name = rehearsal.book.next_id("H")
    draft.add(e.HoldPlaced(name, scope_of(hold), hold.reason, "the test", expires, hold.silence))
    rehearsal.keep(draft)


def _tell(rehearsal: Rehearsal, told: ToldShape, now: Instant, start: Instant) -> None:
    """Without a beginning of its own it is about the event that is known by its id, if one is."""
    source = rehearsal.policy.sources[f"{CHANNEL}{told.channel}"]
    known = rehearsal.book.heard.find(told.channel, told.id)
    began = known.began if known is not None else now.wall
    if told.began is not None:
        began = start.wall + told.began
    labels = tuple(sorted(told.labels.items())) or (known.labels if known is not None else ())
    status = EventStatus(told.status)
    ended = now.wall if status is EventStatus.RESOLVED else None
    entry = EventReceived(told.channel, told.id, status, began, ended, labels, told.summary)
    rehearsal.tell(source, entry, now)


def _note(course: Course, rehearsal: Rehearsal) -> None:
    for memory in rehearsal.memory.every():
        if memory.sight is not None:
            course.verdicts.setdefault(memory.spec.name, set()).add(memory.sight.verdict.status)


def _standings(rehearsal: Rehearsal, asked: set[str]) -> dict[str, Standing]:
    """Of every rule, of every member that is known, and of what is asked about besides."""
    decided = {
        recorded.entry.episode: recorded.entry
        for recorded in rehearsal.log
        if isinstance(recorded.entry, e.Decided)
    }
    found = {}
    named = {family: [*rehearsal.book.members.of(family)] for family in rehearsal.policy.rules}
    for name in (*asked, *(one for family in named for one in (family, *named[family]))):
        ep = rehearsal.book.open_episode(name)
        last = decided.get(ep.id) if ep is not None else None
        found[name] = Standing(
            rehearsal.memory.verdict(name),
            State.OK if ep is None else ep.state,
            "" if ep is None else ep.id,
            "" if ep is None else ep.reason,
            () if last is None else refused_gates(last),
            () if ep is None else ep.labels,
        )
    return found


def refused_gates(decided: e.Decided) -> tuple[str, ...]:
    """The gates that refused; a rule without a playbook is refused before any is asked."""
    if decided.ruling is not e.Ruling.REFUSED:
        return ()
    if not decided.gates:
        return (decided.reason.partition(":")[0],)
    return tuple(answer.gate for answer in decided.gates if not answer.passed)
