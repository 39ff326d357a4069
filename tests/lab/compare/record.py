"""Both sides of a story, written by hand: a journal's entries, and what a Prometheus kept."""

from array import array
from dataclasses import dataclass, field, replace

from tests.core.decisions.watch import a_rule
from watchdog.core import entries as e
from watchdog.core.book import Book
from watchdog.core.spec import RuleSpec
from watchdog.core.states import Event, State
from watchdog.core.words import (
    Blind,
    Instant,
    Severity,
    Status,
    Verdict,
    WindowReading,
    World,
)
from watchdog.lab.compare.alerts import Pulse, alerts_of, pulse_of
from watchdog.lab.compare.comparison import Compared, compare_rule
from watchdog.lab.compare.record import Record, read_record
from watchdog.lab.compare.why import Judged, Sides
from watchdog.lab.history.tracks import Span, Track
from watchdog.sources.prometheus_lookup import AlertingRule

NOON = 1_790_000_000.0
STEP = 15.0
NOW = 3600.0
ALERT = "TooManyErrors"


def track(state: str, *spans: tuple[float, float], **labels: str) -> Track:
    """`timestamp(ALERTS)` at every step while it was there, in seconds since noon."""
    found = Track("", (("alertname", ALERT), ("alertstate", state), *sorted(labels.items())))
    for start, end in spans:
        at = start
        while at <= end:
            found.times.append(NOON + at)
            found.values.append(NOON + at)
            at += STEP
    return found


def up(*spans: tuple[float, float]) -> Track:
    return track("", *spans)


@dataclass
class Story:
    """Times are seconds since noon; the rule looks every 15 s and fires after a minute."""

    rule: RuleSpec = field(
        default_factory=lambda: a_rule("errors", every_seconds=15.0, for_seconds=60.0)
    )
    entries: list[tuple[float, e.Entry]] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)
    ups: list[Track] = field(default_factory=lambda: [up((0, NOW))])
    known: tuple[AlertingRule, ...] | None = None
    alive: float = NOW
    now: float = NOW

    def __post_init__(self) -> None:
        self.say(0, e.Started("1", "host", "", "production", "armed", 0.0))
        self.say(0, e.PolicyApplied("p1", (), "somebody", files=(("a", "text"),)))

    def say(self, at: float, entry: e.Entry) -> None:
        self.entries.append((at, entry))

    def episode(
        self, opened: float, fired: float | None, ended: float | None, seen: float = 1.0
    ) -> None:
        """One in shadow, from its first breach to the end."""
        name = "E1"
        window = WindowReading(300.0, 9.0, 10.0, 0.0, seen, 0.9)
        verdict = Verdict(Status.BREACHED, "so", Instant(NOON, 0), evidence=(window,))
        self.say(
            opened,
            e.EpisodeOpened(name, "errors", "team", Severity.P1, World.SHADOW, verdict),
        )
        self.move(opened, name, State.OK, Event.BREACHED, State.PENDING)
        at = State.PENDING
        if fired is not None:
            at = State.SHADOWED
            self.move(fired, name, State.PENDING, Event.WOULD_ACT, at)
        if ended is not None:
            self.move(ended, name, at, Event.HEALTHY, State.OK)

    def move(self, at: float, name: str, before: State, event: Event, after: State) -> None:
        actor = "somebody" if event is Event.CLOSED else ""
        self.say(at, e.EpisodeMoved(name, before, event, after, 0, "so", actor=actor))

    def blind(self, start: float, end: float, kind: Blind = Blind.NO_DATA) -> None:
        self.say(start, e.BlindBegan("errors", kind, "nothing is there"))
        self.say(end, e.BlindEnded("errors", end - start))

    def alert(self, *, for_seconds: float = 60.0, keep_firing_seconds: float = 0.0) -> None:
        """Prometheus knows it now."""
        one = AlertingRule(ALERT, "x > 1", for_seconds, keep_firing_seconds, STEP, "group", "")
        self.known = (one,)

    def record(self, retired: int = 0) -> Record:
        """Where the first so many entries were retired, the book they led to stands for them."""
        told = sorted(self.entries, key=lambda one: one[0])
        recorded = [
            e.Recorded(number, Instant(NOON + at, at), entry, "")
            for number, (at, entry) in enumerate(told, 1)
        ]
        base = None
        if retired:
            base = Book()
            for one in recorded[:retired]:
                base.apply(one.entry, one.at)
        rest = recorded[retired:]
        return read_record(base, rest, alive_at=NOON + self.alive, now=NOON + self.now)

    def pulse(self) -> Pulse:
        return pulse_of(self.ups, STEP, Span(NOON, NOON + self.now))

    def compared(self, tolerance: float | None = None) -> Compared:
        record = self.record()
        rules = [Judged(one, self._by(one.files[0][1])) for one in record.applied]
        alerts = alerts_of(self.tracks, STEP, NOON + self.now)
        sides = Sides(self.rule, ALERT, record, rules, alerts, self.pulse(), self.known)
        return compare_rule(sides, "--map", record.span, tolerance)

    def _by(self, text: str) -> RuleSpec | None:
        """The rule as a policy of this text has it."""
        if "without errors" in text:
            return None
        return replace(self.rule, sha256="another") if "changed" in text else self.rule

    def why(self) -> list[tuple[str, bool]]:
        """Kind and whether it is a cause, of the story's one disagreement."""
        compared = self.compared()
        alone = [one.reasons for one in compared.only_ours]
        alone += [one.reasons for one in compared.only_theirs]
        (reasons,) = alone
        return [(reason.kind, reason.cause) for reason in reasons]


def stale(spans: Track, until: float) -> Track:
    """As a range query answers of a Prometheus that died: the last sample, over and over."""
    times, values = array("d", spans.times), array("d", spans.values)
    at = times[-1] + STEP
    while at <= NOON + until:
        times.append(at)
        values.append(spans.values[-1])
        at += STEP
    return Track(spans.name, spans.labels, times, values)
