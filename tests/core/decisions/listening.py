"""A watch of rules that hear events: told by senders, judged by the whole evaluation."""

from __future__ import annotations

from dataclasses import replace

from tests.core.decisions.watch import Watch, a_policy, a_rule
from watchdog.core.book import Book
from watchdog.core.channels import Channel, EventReceived, EventSignal, EventStatus, Matcher
from watchdog.core.evaluation import Evaluation
from watchdog.core.heard import News, sorted_out
from watchdog.core.inputs import Facts
from watchdog.core.memory import Memory
from watchdog.core.samples import Failure, Fault, Reading
from watchdog.core.spec import RuleSpec, SourceSpec
from watchdog.core.words import Blind
from watchdog.store.codec import decode, encode

HOUR = 3600.0
CRITICAL = (("severity", "critical"),)
SECURITY = SourceSpec("event:security", 5.0, 1.0, 65536, 1, Channel("hmac", "security-webhook"))
ALERTS = SourceSpec("event:alerts", 5.0, 1.0, 65536, 1000, Channel("token", "alertmanager"))


def hears(name: str, source: SourceSpec, /, **different: object) -> RuleSpec:
    """Armed on critical events of a channel, without `for`."""
    channel = source.name.partition(":")[2]
    signal = EventSignal(channel, (Matcher("severity", "=", "critical"),), HOUR)
    usual = {"kind": "event", "source": source.name, "signal": signal, "for_seconds": 0.0}
    rhythm = {"every_seconds": source.every_seconds, "stale_after_seconds": 10.0}
    return a_rule(name, **{**usual, **rhythm, **different})


class Listening(Watch):
    """`incident` hears the signed channel, `alerted` an Alertmanager's."""

    def __init__(self, *rules: RuleSpec, **facts: object) -> None:
        rules = rules or (hears("incident", SECURITY), hears("alerted", ALERTS))
        policy = replace(a_policy(*rules), sources={one.name: one for one in (SECURITY, ALERTS)})
        super().__init__(policy, **facts)
        self.deaf: set[str] = set()
        self.listen()
        self.run(2)

    def listen(self) -> None:
        """A process begins to judge by what the book says."""
        memory = Memory()
        memory.adopt(self.policy)
        self.evaluation = Evaluation(memory, self._facts)
        for source in self.policy.sources:
            self._poll(source)

    def restart(self) -> None:
        """Another process, with no more than the journal."""
        book = Book()
        for at, entry in self.journal:
            book.apply(decode(encode(entry)), at)
        self.book = book
        self.listen()

    def a_pass(self) -> None:
        if self.now.steady % 5 == 0:
            for source in self.policy.sources:
                self._poll(source)
        with self.draft() as draft:
            self.evaluation.on_tick(self.policy, draft)

    def tell(
        self,
        name: str,
        source: SourceSpec = SECURITY,
        *,
        began: float | None = None,
        over: bool = False,
        ended: float | None = None,
        labels: tuple[tuple[str, str], ...] = CRITICAL,
    ) -> News | None:
        """What the inbox does. `began` and `ended` are seconds from now."""
        wall = self.now.wall
        told = EventReceived(
            channel=source.name.partition(":")[2],
            id=name,
            status=EventStatus.RESOLVED if over else EventStatus.FIRING,
            began=wall + (began or 0.0),
            ended=wall + (ended or 0.0) if over else None,
            labels=labels,
            summary="a key leaked",
        )
        return self.receive(told, source)

    def receive(self, told: EventReceived, source: SourceSpec) -> News | None:
        fresh, (news,) = sorted_out(self.book.heard, source, [told], self.now)
        with self.draft() as draft:
            for one in fresh:
                draft.add(one)
        if fresh:
            self._poll(source.name)
        return news

    def _poll(self, source: str) -> None:
        deaf = Failure(Fault.OURS, Blind.DEAF, "credential security-webhook does not exist")
        failure = deaf if source in self.deaf else None
        with self.draft() as draft:
            reading = Reading(source, draft.now, 0.0, failure=failure)
            self.evaluation.on_reading(reading, self.policy, draft)

    def _facts(self) -> Facts:
        return replace(self.facts, statuses=self.evaluation.memory.statuses())
