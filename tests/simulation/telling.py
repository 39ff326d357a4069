"""The people outside: two channels that fail, what came by them, and what must hold of it.

What is said to be told came; what came about is told; who does not answer leads to the next.
"""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.simulation.world import World
from watchdog.core import entries as e
from watchdog.core.states import WAITS_FOR_PEOPLE, State
from watchdog.core.telling.contacts import (
    AppriseUrl,
    Audience,
    Channel,
    Contacts,
    Ladder,
    OnCall,
    Person,
    Step,
    Told,
    Unless,
)
from watchdog.core.telling.escalation import OVER
from watchdog.core.telling.notes import Fate, NoteTold
from watchdog.core.words import Severity
from watchdog.core.words import World as Life
from watchdog.ports import Delivered, Delivery, Letter

if TYPE_CHECKING:
    from tests.simulation.machine import Held
    from watchdog.core.standing import Episode
    from watchdog.engine import Engine

SOON_SECONDS = 45.0
"""In the calm: longer than any pause after failures of a few minutes that the calm let end."""

_FATES = ("fails", "refuses", "hangs", "takes it and fails", "takes it and hangs")
_DEADLINE_SECONDS = 3.0


def contacts(on_call_after_seconds: float) -> Contacts:
    """A team's chat with mail beside it, and one on call who does not always answer."""
    chat = Channel("chat", AppriseUrl(url="chat"), "", _DEADLINE_SECONDS, 1e6, "mail", 5.0)
    mail = Channel("mail", AppriseUrl(url="mail"), "all", _DEADLINE_SECONDS, 1e6)
    steps = (
        Step(on_call_after_seconds, (Told("on-call"),)),
        Step(60.0, (Told("mail", "boss"),), (), Unless.RESOLVED),
    )
    return Contacts(
        channels={"chat": chat, "mail": mail},
        people={"ada": Person("ada", "Ada", (("mail", "ada"),))},
        audiences={"team": Audience("team", (Told("chat"),))},
        on_call=OnCall(("ada",)),
        ladders={Severity.P0: Ladder(Severity.P0, steps)},
    )


@dataclass(slots=True)
class Post:
    """What came, by each line."""

    world: World
    came: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    broken: dict[str, float] = field(default_factory=dict)  # channel -> until when

    def fate(self, channel: str) -> str:
        """What this letter meets: a channel that fails goes on failing for a while."""
        if not self.world.calm and self.broken.get(channel, -1.0) > self.world.now:
            return "fails"
        if not self.world.happens(0.1):
            return ""
        fate = self.world.chance.choice(_FATES)
        self.world.fault(f"{channel} {fate}")
        self.broken[channel] = self.world.now + self.world.chance.choice((0.0, 0.0, 20.0, 100.0))
        return fate

    def take(self, line: str, letter: Letter) -> None:
        self.came[line] |= {str(note["id"]) for note in json.loads(letter.data)}


@dataclass(frozen=True, slots=True)
class SimNotifier:
    """`ports.Notifier` in the hands of one process."""

    channel: Channel
    post: Post
    life: Held

    async def send(self, letter: Letter, to: str, *, deadline_seconds: float) -> Delivery:
        self.life.point()
        fate = self.post.fate(self.channel.name)
        await asyncio.sleep(0.1)
        self.life.point()
        if fate in {"", "takes it and fails", "takes it and hangs"}:
            self.post.take(f"{self.channel.name} {to}".rstrip(), letter)
        if fate.endswith("hangs"):
            await asyncio.sleep(deadline_seconds)
        self.life.point()
        if not fate:
            return Delivery(Delivered.SENT)
        refused = fate == "refuses"
        return Delivery(Delivered.REFUSED if refused else Delivered.NOT_SENT, f"it {fate}")


class TellingLaws:
    """Hears of every note and what became of it."""

    def __init__(self, world: World, post: Post) -> None:
        self._world = world
        self._post = post
        self._names: dict[str, str] = {}  # "N4" -> as it is known outside

    def raised(self, page: e.Paged, at_wall: float) -> None:
        if page.note:
            self._names[page.note] = f"sim/{page.note}/{round(at_wall * 1000)}"

    def told(self, entry: NoteTold) -> None:
        self._world.counts[f"notes {entry.fate.value}"] += len(entry.notes)
        if entry.fate is not Fate.SENT or not entry.line:
            return
        for note in entry.notes:
            if self._names[note] not in self._post.came[entry.line]:
                self._world.violated("told is said only of what came", f"{note} by {entry.line}")

    def at_the_end(self, engine: Engine) -> None:
        """The channels work again: what waits, and who was not told?"""
        book, now = engine.book, engine.ports.clock.now()
        for note in book.notes.waiting.values():
            if now.steady - note.at.steady > SOON_SECONDS:
                self._world.violated("every outcome is sent", f"{note.id} {note.title} waits")
        contacts = engine.in_force().contacts
        assert contacts is not None
        for ep in book.open_episodes():
            since = book.notes.needed.get(ep.id)
            quiet = ep.world is not Life.LIVE or engine.recorder.draft().silenced(ep)
            if since is None or quiet or now.steady - ep.moved.steady < SOON_SECONDS:
                continue
            wanted = [
                step
                for step in contacts.ladder(ep.severity).steps
                if now.steady - since.steady > step.after_seconds + SOON_SECONDS
                and _wants(step, ep)
            ]
            if len(book.notes.steps.get(ep.id, ())) < len(wanted):
                self._world.violated("who does not answer leads to the next", f"{ep.id} {wanted}")


def _wants(step: Step, ep: Episode) -> bool:
    """Written anew from the law."""
    if step.unless is Unless.RESOLVED:
        return ep.state not in OVER and ep.state is not State.OK
    return ep.state in WAITS_FOR_PEOPLE and not ep.acked_by
