"""What people find out of an episode afterwards, and what is to be done about it.

Laws: it is said of any episode that ever was, also of one that the book has let go of; it changes
nothing that is decided.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.entries import FollowUpAdded, FollowUpClosed, ImpactTold
from watchdog.core.hindsight import Task, day_of, ends_at, in_words
from watchdog.core.rights import Right
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person, reasoned


@dataclass(frozen=True, slots=True)
class Wanted:
    """A follow-up, as it is asked for."""

    episode: str
    task: Task
    owner: str
    due: str
    text: str


class Hindsight:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def impact(self, person: Person, told: ImpactTold, *, dry: bool) -> Done:
        """Record what somebody found out of what an episode cost."""
        name = self._of(person, told.episode)
        said = in_words(told)
        if not said:
            raise OrderRefused(
                "nothing is said: --tickets, --affected, --satisfaction, --feedback, --community, "
                "--metrics or --data-loss"
            )
        if not dry:
            draft = self._desk.wish()
            draft.add(told)
            self._desk.record(draft)
        return Done(f"{name}: {'; '.join(said)}. What was said before stays", told.episode)

    def add(self, person: Person, wanted: Wanted, *, dry: bool) -> Done:
        """Somebody is to do something by a day."""
        name = self._of(person, wanted.episode)
        day = day_of(wanted.due)
        if day is None:
            raise OrderRefused(f"{wanted.due} is no day. Write it like --due 2026-12-01")
        if self._desk.now().wall >= ends_at(day):
            raise OrderRefused(f"{wanted.due} is over already. Name the day by which it is done")
        owner, text = (" ".join(one.split()) for one in (wanted.owner, wanted.text))
        if not owner or not text:
            raise OrderRefused("say what is to be done, and who does it: --owner NAME")
        effect = f"{owner} is to do by {wanted.due} ({wanted.task.value}, for {name}): "
        effect += text
        if dry:
            return Done(effect, wanted.episode)
        draft = self._desk.wish()
        number = draft.book.next_id("F")
        draft.add(
            FollowUpAdded(
                number, wanted.episode, wanted.task, owner, wanted.due, text,
                person.name,
            )
        )  # fmt: skip
        self._desk.record(draft)
        return Done(f"{number}: {effect}", wanted.episode, {"follow_up": number})

    def close(self, person: Person, follow_up: str, reason: str, *, dry: bool) -> Done:
        """It is done, or will never be: the reason says which."""
        reasoned(reason)
        found = self._desk.book.lessons.follow_ups.get(follow_up)
        if found is None:
            raise OrderRefused(
                f"there is no follow-up {follow_up}. See: slo-watchdog follow-up list"
            )
        self._of(person, found.entry.episode)
        if found.closed is not None and found.closed_at is not None:
            when = f"{found.closed_at.utc:%Y-%m-%d}"
            raise OrderRefused(f"{follow_up} was closed on {when} by {found.closed.actor}")
        if not dry:
            draft = self._desk.wish()
            draft.add(FollowUpClosed(follow_up, person.name, reason))
            self._desk.record(draft)
        entry = found.entry
        return Done(
            f"{follow_up} ({entry.task.value}, {entry.owner}) is closed: {entry.text}", follow_up
        )

    def _of(self, person: Person, episode: str) -> str:
        """How the episode is called. Refuses one that never was, and who may not speak of it."""
        book = self._desk.book
        ep = book.episodes.get(episode)
        number = episode[1:]
        was = episode[:1] == "E" and number.isascii() and number.isdigit()
        if ep is None and not (was and 0 < int(number) <= book.counts.get("E", 0)):
            raise OrderRefused(f"there is no episode {episode}. See: slo-watchdog status")
        self._desk.may(person, Right.ACK, self._desk.owners_of(ep) if ep is not None else ())
        return f"{episode} ({ep.rule})" if ep is not None else episode
