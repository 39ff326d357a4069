"""Which pages do not show what stands, and a task for each of them while that is so.

A page of another host's is told by that host's daemon, which records nothing unless it leads. So
who leads asks it, over and over, and takes the answer as it takes that of a page: on the record,
and to people where it fails for long. A daemon that is not there is an answer, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from watchdog.core import entries as e
from watchdog.core.draft import Draft
from watchdog.core.spec import Policy
from watchdog.core.telling.page_state import PageState, page_state
from watchdog.core.telling.pages_told import PAGE_KEY, Accepted
from watchdog.core.telling.status_pages import ANY_HOST, ShownIncident, StatusPage
from watchdog.core.words import CheckReading, Instant, Severity, Truth
from watchdog.engine.recorder import Recorder
from watchdog.engine.status_pages.writing import Telling, sheet
from watchdog.ports import Delivered, Shown, StatusBoard

LOOK_SECONDS = 1.0
"""How often it is looked whether a page is to be told something, besides at once when news come."""

GATHER_SECONDS = 0.2
"""After news, and after a telling of the same page: what comes meanwhile goes together."""

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
LONGEST_ASK_PAUSE_SECONDS = 10.0
"""Between two questions to the daemon that tells a page: to ask it burdens no page."""
GRACE_SECONDS = 1.0
"""How far an adapter may overrun its deadline before it is cut off."""

_NEWS = (e.EpisodeMoved, e.IntentEnded, e.ClaimReleased, e.PolicyApplied, e.Started)

Open = Callable[[StatusPage], StatusBoard | None]
AskElsewhere = Callable[[str, str, str, float], Awaitable[str]]
"""(host, page, digest, seconds) -> why its daemon has not shown it so; "" where it has"""


@dataclass(slots=True)
class PageFares:
    """How one page fares, as this process has seen it."""

    spec: StatusPage
    board: StatusBoard | None
    reason: str = ""  # why the last telling was not accepted
    attempts: int = 0  # in vain, since the last that was
    pause_seconds: float = FIRST_PAUSE_SECONDS
    told_at: Instant | None = None  # when it last accepted anything
    not_before: float = 0.0  # steady seconds: after a failure it waits so long
    accepted: Accepted | None = None  # by us, where it is not ours to record
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def forget(self) -> None:
        """Another daemon answers for it by now, and knows better."""
        self.reason, self.attempts, self.pause_seconds = "", 0, FIRST_PAUSE_SECONDS
        self.accepted, self.not_before = None, 0.0


class StatusPages:
    """One loop that compares, and a task for each page that has to be told."""

    def __init__(
        self,
        recorder: Recorder,
        policy: Callable[[], Policy],
        open_board: Open,
        host: str,
        ask_elsewhere: AskElsewhere,
    ) -> None:
        self.pages: dict[str, PageFares] = {}
        self._recorder = recorder
        self._policy = policy
        self._open = open_board
        self._host = host
        self._ask_elsewhere = ask_elsewhere
        self._again = asyncio.Event()
        recorder.listen(self.heard)

    def heard(self, recorded: e.Recorded) -> None:
        """A recorder's listener: what is durable may be told."""
        if isinstance(recorded.entry, _NEWS):
            self._again.set()

    async def forever(self) -> None:
        """Until cancelled; the tellings under way end with it."""
        try:
            while True:
                self._again.clear()
                self._begin()
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._again.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(GATHER_SECONDS)
        finally:
            await self._end([one for one in self.pages.values() if one.task is not None])

    async def look(self, name: str) -> Shown:
        """Whether a page could be told, without telling it anything."""
        page = self._specs()[name]
        if page.host not in {ANY_HOST, self._host}:
            why = await self._ask_elsewhere(page.host, name, "", page.deadline_seconds)
            return Shown(Delivered.REFUSED, why) if why else Shown(Delivered.SENT)
        board = self._open(page)
        if board is None:
            return Shown(Delivered.REFUSED, "this program cannot use the page")
        return await _within(
            page.deadline_seconds, lambda seconds: board.look(deadline_seconds=seconds)
        )

    async def shown_here(self, name: str, digest: str, until: Instant) -> CheckReading:
        """For who leads: whether a page that we tell shows what `digest` names, by `until`.

        What is not shown yet is waited for, since who leads knows of it first; what fails is told
        at once. Without a digest, whether it could be told.
        """
        now, page = self._recorder.clock.now(), self._specs().get(name)
        if page is None or not self.tells(page):
            return CheckReading(Truth.UNKNOWN, "it has no such status page to tell", now)
        if not digest:
            seen = await self.look(name)
            return CheckReading(Truth.of(seen.result is Delivered.SENT), seen.reason, now)
        while True:
            now, one = self._recorder.clock.now(), self.pages.get(name)
            if one is not None and one.reason:
                return CheckReading(Truth.FALSE, one.reason, now)
            last = one.accepted if one is not None else None
            if last is not None and last.entry.digest == digest:
                return CheckReading(Truth.TRUE, "it shows what stands", now)
            if now.steady >= until.steady:
                other = "it shows another state" if last is not None else "it was not told yet"
                return CheckReading(Truth.FALSE, other, now)
            await asyncio.sleep(GATHER_SECONDS)

    def state(self, page: StatusPage) -> PageState:
        """What it is to show now."""
        now = self._recorder.clock.now()
        return page_state(page, self._recorder.book, self._policy().environment, now)

    def accepted(self, name: str) -> Accepted | None:
        """What it has accepted last, as far as is known here; of who leads, as is on the record."""
        found = self.pages.get(name)
        own = found.accepted if found is not None and not self._recorder.leads() else None
        return own or self._recorder.book.pages.accepted.get(name)

    def shows(self, page: StatusPage) -> bool:
        """Whether it accepted what stands now, and did not fail since."""
        last, fares = self.accepted(page.name), self.pages.get(page.name)
        if fares is not None and fares.reason:
            return False
        return last is not None and last.entry.digest == self.state(page).digest

    def tells(self, page: StatusPage) -> bool:
        """Whether it is this daemon that tells it."""
        if page.host == ANY_HOST:
            return self._recorder.leads()
        return page.host == self._host

    def answers_for(self, page: StatusPage) -> bool:
        """Whether it is this daemon that tells it, or that leads, and asks the one that does."""
        return self.tells(page) or self._recorder.leads()

    def _specs(self) -> dict[str, StatusPage]:
        contacts = self._policy().contacts
        return contacts.status_pages if contacts is not None else {}

    def _begin(self) -> None:
        """A task for each page that is to be told something and has none."""
        specs = self._specs()
        for name, one in list(self.pages.items()):
            if one.task is not None and one.task.done():
                task, one.task = one.task, None
                if not task.cancelled():
                    task.result()  # a bug of ours ends the process, as of any other loop
            if specs.get(name) != one.spec:
                if one.task is not None:
                    one.task.cancel()
                del self.pages[name]
        for name, spec in specs.items():
            if name not in self.pages:
                self.pages[name] = PageFares(spec, self._open(spec))
            one = self.pages[name]
            if not self.answers_for(spec):
                one.forget()
            elif one.task is None and self._telling(one) is not None:
                one.task = asyncio.create_task(self._tell(one), name=f"show {name}")

    @staticmethod
    async def _end(busy: list[PageFares]) -> None:
        tasks = [one.task for one in busy if one.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _telling(self, one: PageFares) -> Telling | None:
        """What the page is to be told now, if anything."""
        if self._recorder.waits or not self.answers_for(one.spec):
            return None
        now = self._recorder.clock.now()
        if now.steady < one.not_before:
            return None
        state, last = self.state(one.spec), self.accepted(one.spec.name)
        promise = self._promise(one.spec, state, now)
        if last is None:
            return Telling(state, 0, promise, now)
        # Who told it before may have had no say in promises: then nothing is promised yet.
        unpromised = promise is not None and last.entry.next_update is None
        same_state = last.entry.digest == state.digest
        if self.tells(one.spec) and (last.is_due(now) or (unpromised and same_state)):
            return Telling(state, last.entry.update + 1, promise, now, last.at)
        if not same_state:
            # What was promised of another incident is kept.
            kept = last.entry.next_update or promise if promise is not None else None
            return Telling(state, last.entry.update, kept, now, last.at)
        again, at = one.spec.again_seconds, one.told_at
        is_time = again is not None and (at is None or now.steady - at.steady >= again)
        same = Telling(state, last.entry.update, last.entry.next_update, last.at, last.at)
        return same if one.reason or is_time else None

    def _promise(self, page: StatusPage, state: PageState, now: Instant) -> Instant | None:
        """When its readers hear again at the latest; nobody is promised what nobody keeps."""
        every = page.update_seconds if self.tells(page) else None
        return now.plus(every) if every is not None and state.open else None

    async def _tell(self, one: PageFares) -> None:
        """Until it has accepted what stands, or fails: then it is begun anew after a pause."""
        while (telling := self._telling(one)) is not None:
            shown = await self._show(one, telling)
            if not self.answers_for(one.spec):
                return  # another tells it, and it is the same telling
            if shown.result is Delivered.SENT:
                self._took(one, telling, shown)
            else:
                self._failed(one, shown)
            await asyncio.sleep(GATHER_SECONDS)

    async def _show(self, one: PageFares, telling: Telling) -> Shown:
        board, spec = one.board, one.spec
        if not self.tells(spec):
            digest = telling.state.digest
            why = await self._ask_elsewhere(spec.host, spec.name, digest, spec.deadline_seconds)
            return Shown(Delivered.NOT_SENT if why else Delivered.SENT, why)
        if board is None:
            return Shown(Delivered.REFUSED, "this program cannot use the page")
        told = sheet(telling, self._policy())
        return await _within(
            spec.deadline_seconds,
            lambda seconds: board.show(told, deadline_seconds=seconds),
        )

    def _took(self, one: PageFares, telling: Telling, shown: Shown) -> None:
        """On the record where it is news."""
        attempts, failed = one.attempts + 1, bool(one.reason)
        one.reason, one.attempts, one.pause_seconds, one.not_before = "", 0, FIRST_PAUSE_SECONDS, 0
        one.told_at = self._recorder.clock.now()
        state, references = telling.state, dict(shown.references)
        name = one.spec.name
        entry = e.StatusShown(
            name,
            state.digest,
            state.worst.value,
            tuple(
                ShownIncident(
                    now.incident,
                    now.component.name,
                    references.get(now.incident, now.reference),
                    now.condition.value,
                    now.since,
                )
                for now in state.open
            ),
            telling.update,
            telling.next_update,
            attempts,
        )
        draft = self._recorder.draft()
        last = draft.book.pages.accepted.get(name)
        known = last is not None and (last.entry.digest, last.entry.update) == (
            entry.digest,
            entry.update,
        )
        if not known or name in draft.book.pages.failing:
            draft.add(entry)
        if not self._recorder.commit(draft) and not self._recorder.leads():
            one.accepted = Accepted(entry, one.told_at)
        if failed:
            structlog.get_logger().info("status.shown_again", page=name, attempts=attempts)

    def _failed(self, one: PageFares, shown: Shown) -> None:
        """On the record when it begins; people hear when it lasts."""
        now = self._recorder.clock.now()
        name = one.spec.name
        if not one.reason:
            structlog.get_logger().warning("status.not_shown", page=name, reason=shown.reason)
        one.reason, one.attempts = shown.reason or "it was not accepted", one.attempts + 1
        pause, one.pause_seconds = one.pause_seconds, one.pause_seconds * 2
        longest = LONGEST_PAUSE_SECONDS if self.tells(one.spec) else LONGEST_ASK_PAUSE_SECONDS
        one.pause_seconds = min(one.pause_seconds, longest)
        asked = shown.retry_after_seconds or 0.0
        one.not_before = now.steady + min(max(pause, asked), LONGEST_PAUSE_SECONDS)
        draft = self._recorder.draft()
        if name not in draft.book.pages.failing:
            draft.add(e.StatusNotShown(name, one.reason))
        _page_when_long(one, draft)
        self._recorder.commit(draft)


def _page_when_long(one: PageFares, draft: Draft) -> None:
    """Tell people, once, of a page that has failed for long."""
    name = one.spec.name
    failing = draft.book.pages.failing.get(name)
    if failing is None or failing.paged:
        return
    if draft.now.steady - failing.since.steady >= one.spec.page_after_seconds:
        draft.tell(
            f"{PAGE_KEY}{name}",
            Severity.P2,
            f"the status page {name} does not show what stands: {one.reason}",
            "It is told again until it does; nothing that is decided depends on it. "
            f"Try it with: slo-watchdog notify test {name}",
        )


async def _within(seconds: float, asked: Callable[[float], Awaitable[Shown]]) -> Shown:
    """One question to an adapter, cut off where it breaks its promises."""
    try:
        async with asyncio.timeout(seconds + GRACE_SECONDS):
            return await asked(seconds)
    except TimeoutError:
        return Shown(Delivered.NOT_SENT, f"no answer within {seconds:g} s: cut off")
    except Exception as error:  # noqa: BLE001  # an adapter's bug must not end the watch
        structlog.get_logger().exception("status.not_shown")
        return Shown(Delivered.NOT_SENT, f"{type(error).__name__} while it was told")
