"""Which lines have something to be told, and a task for each of them while they have."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import structlog

from watchdog.core import entries as e
from watchdog.core.spec import Policy
from watchdog.core.telling.contacts import Channel, Contacts
from watchdog.core.telling.notes import Fate, Note, NoteTold
from watchdog.core.telling.routing import Line, astray, lines_for
from watchdog.core.words import Instant, Severity
from watchdog.engine.outbox.writing import Measured, Writer
from watchdog.engine.recorder import Recorder
from watchdog.ports import Delivered, Delivery, Notifier

LOOK_SECONDS = 1.0
"""How often it is looked whether something can be told that could not be before."""

GATHER_SECONDS = 1.0
"""After a letter, before the next one on the same line: what comes meanwhile goes together."""

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
PAGED_AFTER_SECONDS = 300.0
"""For how long a line may fail before people are told by another."""

CRIED_AFTER_SECONDS = 10.0
"""For how long nothing can be recorded before people are told past the record."""

MOST_IN_LETTER = 50
GRACE_SECONDS = 1.0
"""How far a notifier may overrun its deadline before it is cut off."""

Open = Callable[[Channel], Notifier | None]


@dataclass(slots=True)
class LineNow:
    """How one line fares, as this process has seen it."""

    line: Line
    failing_since: Instant | None = None
    reason: str = ""
    refused: bool = False
    attempts: int = 0  # in vain, since the last letter was taken
    pause_seconds: float = FIRST_PAUSE_SECONDS
    paged: bool = False  # people know that it fails
    told_at: Instant | None = None
    told: int = 0
    task: asyncio.Task[None] | None = field(default=None, repr=False)


class Outbox:
    """One loop that starts lines, and a task for each line that has something to tell."""

    def __init__(
        self,
        recorder: Recorder,
        policy: Callable[[], Policy],
        open_notifier: Open,
        measured: Measured,
        trouble: Callable[[], str] = lambda: "",
    ) -> None:
        self.lines: dict[Line, LineNow] = {}
        self._recorder = recorder
        self._policy = policy
        self._open = open_notifier
        self.writer = Writer(recorder.book, policy, recorder.clock.now, measured)
        self._notifiers: dict[Channel, Notifier | None] = {}
        self._trouble = trouble
        self._troubled_since: Instant | None = None
        self._cried: set[Line] = set()  # that know of the present trouble
        self._again = asyncio.Event()
        recorder.listen(self.heard)

    def heard(self, recorded: e.Recorded) -> None:
        """A recorder's listener: what is durable may be told."""
        if isinstance(recorded.entry, e.Paged) and recorded.entry.note:
            self._again.set()

    async def forever(self) -> None:
        """Until cancelled; the letters under way end with it."""
        try:
            while True:
                self._again.clear()
                self._begin()
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._again.wait()
                except TimeoutError:
                    pass
        finally:
            tasks = [one.task for one in self.lines.values() if one.task is not None]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def waiting(self) -> int:
        return len(self._recorder.book.notes.waiting)

    def _begin(self) -> None:
        """A task for each line that has something to tell and none yet."""
        for now in self.lines.values():
            if now.task is not None and now.task.done():
                task, now.task = now.task, None
                task.result()  # a bug of ours ends the process, as of any other loop
        contacts = self._contacts()
        if contacts is None:
            return
        self._cry(contacts)
        if not self._may_tell():
            return
        self._settle_idle(contacts)
        for line in self._wanted(contacts):
            now = self.lines.setdefault(line, LineNow(line))
            if now.task is None:
                now.task = asyncio.create_task(self._tell(now), name=f"tell {line.channel}")

    def _cry(self, contacts: Contacts) -> None:
        """What cannot be recorded cannot be a note either: the team hears of it all the same.

        Each daemon that cannot reach its record says so, once a line, whoever leads.
        """
        trouble, now = self._trouble(), self._recorder.clock.now()
        if not trouble:
            self._troubled_since = None
            self._cried.clear()
            return
        since = self._troubled_since = self._troubled_since or now
        if now.steady - since.steady < CRIED_AFTER_SECONDS:
            return
        note = self.writer.unrecorded(trouble, since)
        for line in lines_for(note, contacts, ()):
            one = self.lines.setdefault(line, LineNow(line))
            if line not in self._cried and one.task is None:
                cry = self._cry_to(one, contacts.channels[line.channel], note)
                one.task = asyncio.create_task(cry, name=f"cry {line.channel}")

    async def _cry_to(self, one: LineNow, channel: Channel, note: Note) -> None:
        delivery = await self._send(one, channel, [note])
        if delivery.result is Delivered.SENT:
            self._cried.add(one.line)
        else:
            await asyncio.sleep(LONGEST_PAUSE_SECONDS / 10)

    def _may_tell(self) -> bool:
        """Who leads, of what is durable."""
        return self._recorder.leads() and not self._recorder.waits

    def _contacts(self) -> Contacts | None:
        return self._policy().contacts

    def _failing(self, contacts: Contacts) -> set[Line]:
        """Those beside which another channel is told as well."""
        now = self._recorder.clock.now()
        found = set()
        for line, one in self.lines.items():
            channel = contacts.channels.get(line.channel)
            if channel is None or one.failing_since is None:
                continue
            lasted = now.steady - one.failing_since.steady
            if one.refused or lasted >= channel.fallback_seconds:
                found.add(line)
        return found

    def _lines_of(self, note: Note, contacts: Contacts) -> tuple[Line, ...]:
        lines = lines_for(note, contacts, self._failing(contacts))
        return tuple(line for line in lines if line.name not in note.done)

    def _wanted(self, contacts: Contacts) -> tuple[Line, ...]:
        found: dict[Line, None] = {}
        for note in self._recorder.book.notes.waiting.values():
            found.update(dict.fromkeys(self._lines_of(note, contacts)))
        return tuple(found)

    def _settle_idle(self, contacts: Contacts) -> None:
        """Notes that no line is to be told, or none any more: they wait for nothing."""
        waiting = self._recorder.book.notes.waiting.values()
        idle: dict[tuple[Fate, str], list[str]] = {}
        for note in waiting:
            if not self._lines_of(note, contacts):
                idle.setdefault(_end_of(note), []).append(note.id)
        if idle:
            draft = self._recorder.draft()
            for (fate, why), notes in idle.items():
                draft.add(NoteTold(tuple(notes), "", fate, why))
            self._recorder.commit(draft)

    def lines_of(self, name: str) -> tuple[Line, ...]:
        """By which lines whoever has this name would be told now."""
        contacts, note = self._contacts(), self.writer.test(name)
        if contacts is None or astray(note, contacts):
            return ()
        return lines_for(note, contacts, ())

    async def try_out(self, name: str) -> dict[str, Delivery]:
        """A letter that says that it is a test, to all whom a name stands for; by line."""
        contacts, note = self._contacts(), self.writer.test(name)
        if contacts is None:
            return {}
        found = {}
        for line in self.lines_of(name):
            now, channel = LineNow(line), contacts.channels[line.channel]
            found[line.name] = await self._send(now, channel, [note])
        return found

    # -- one line ----------------------------------------------------------------------------------

    async def _tell(self, now: LineNow) -> None:
        """Letter by letter, until nothing waits for this line any more."""
        while True:
            contacts = self._contacts()
            channel = contacts.channels.get(now.line.channel) if contacts is not None else None
            if contacts is None or channel is None or not self._may_tell():
                return
            notes = self._next_letter(now.line, channel, contacts)
            if not notes:
                return
            if self._give_up(now, channel, notes):
                continue
            delivery = await self._send(now, channel, notes)
            if not self._recorder.leads():
                return  # another sends it again, by the same name
            await asyncio.sleep(self._after(now, delivery, notes))

    def _next_letter(self, line: Line, channel: Channel, contacts: Contacts) -> list[Note]:
        """The oldest that wait for it; where a service keeps things apart by key, of one key."""
        waiting = self._recorder.book.notes.waiting.values()
        notes = [note for note in waiting if line in self._lines_of(note, contacts)]
        if notes and self.writer.keeps_apart(channel, notes[0]):
            others = (n for n, note in enumerate(notes) if note.key != notes[0].key)
            notes = notes[: next(others, len(notes))]
        return notes[:MOST_IN_LETTER]

    async def _send(self, now: LineNow, channel: Channel, notes: list[Note]) -> Delivery:
        """One attempt, cut off where the notifier breaks its promises."""
        if channel not in self._notifiers:
            self._notifiers[channel] = self._open(channel)
        notifier = self._notifiers[channel]
        if notifier is None:
            return Delivery(Delivered.REFUSED, "this program cannot use the channel")
        seconds = channel.deadline_seconds
        try:
            letter = self.writer.letter(notes)
            async with asyncio.timeout(seconds + GRACE_SECONDS):
                return await notifier.send(letter, now.line.to, deadline_seconds=seconds)
        except TimeoutError:
            return Delivery(Delivered.NOT_SENT, f"no answer within {seconds:g} s: cut off")
        except Exception as error:  # noqa: BLE001  # an adapter's bug must not end the watch
            structlog.get_logger().exception("note.not_sent", line=now.line.channel)
            return Delivery(Delivered.NOT_SENT, f"{type(error).__name__} while it was told")

    def _after(self, now: LineNow, delivery: Delivery, notes: list[Note]) -> float:
        """Take in what came of a letter; how long to wait before the next."""
        if delivery.result is Delivered.SENT:
            attempts, now.attempts = now.attempts + 1, 0
            now.failing_since, now.reason, now.refused, now.paged = None, "", False, False
            now.pause_seconds = FIRST_PAUSE_SECONDS
            now.told_at, now.told = self._recorder.clock.now(), now.told + len(notes)
            self._record(now.line, notes, Fate.SENT, "", attempts)
            return GATHER_SECONDS
        now.attempts += 1
        now.failing_since = now.failing_since or self._recorder.clock.now()
        now.reason, now.refused = delivery.reason, delivery.result is Delivered.REFUSED
        pause, now.pause_seconds = now.pause_seconds, now.pause_seconds * 2
        now.pause_seconds = min(now.pause_seconds, LONGEST_PAUSE_SECONDS)
        self._page_when_long(now)
        self._again.set()  # another channel may have to be told as well
        return min(max(pause, delivery.retry_after_seconds or 0.0), LONGEST_PAUSE_SECONDS)

    def _page_when_long(self, now: LineNow) -> None:
        """Tell people, once, by whatever still works."""
        at = self._recorder.clock.now()
        if now.paged or at.steady - (now.failing_since or at).steady < PAGED_AFTER_SECONDS:
            return
        now.paged = True
        draft = self._recorder.draft()
        draft.tell(
            f"channel:{now.line.channel}",
            Severity.P2,
            f"people cannot be told by {now.line.channel}: {now.reason}",
            "What waits for it is told once it can be; nothing that is decided depends on it. "
            f"Try it with: slo-watchdog notify test {now.line.channel}",
        )
        self._recorder.commit(draft)

    def _give_up(self, now: LineNow, channel: Channel, notes: list[Note]) -> bool:
        """Those that were tried for as long as the channel says."""
        at = self._recorder.clock.now().steady
        longest = channel.give_up_seconds
        late = [one for one in notes if at - (one.handed_on or one.at).steady > longest]
        if late and now.attempts:
            self._record(now.line, late, Fate.GIVEN_UP, now.reason, now.attempts)
            return True
        return False

    def _record(
        self, line: Line, notes: list[Note], fate: Fate, reason: str, attempts: int
    ) -> None:
        """What became of them on this line, and of which no other line is to be told."""
        contacts, waiting = self._contacts(), self._recorder.book.notes.waiting
        # As they stand now: another line may have been told while this letter was on its way.
        present = [waiting.get(note.id, note) for note in notes]
        if fate is Fate.GIVEN_UP:
            present = [replace(note, missed=(*note.missed, line.name)) for note in present]
        why: dict[str, list[Note]] = {}
        for note in present:
            said = (reason, astray(note, contacts) if contacts is not None else "")
            why.setdefault("; ".join(filter(None, said)), []).append(note)
        draft = self._recorder.draft()
        for text, alike in why.items():
            over = tuple(
                note.id
                for note in alike
                if contacts is None or set(self._lines_of(note, contacts)) <= {line}
            )
            ids = tuple(note.id for note in alike)
            draft.add(NoteTold(ids, line.name, fate, text, attempts, over))
        self._recorder.commit(draft)


def _end_of(note: Note) -> tuple[Fate, str]:
    """What became of one that no line is left for, and why."""
    if note.told:
        return Fate.SENT, "its other lines were taken out of the contacts"
    if note.done:
        return Fate.GIVEN_UP, "its other lines were taken out of the contacts"
    return Fate.DROPPED, "the contacts name nobody for it"
