"""What people order about telling people: a test of a channel, and what the outside is told.

Who is outside is told nothing by itself: a person sees the text, and lets that very text go.
"""

from __future__ import annotations

from watchdog.core import entries as e
from watchdog.core.book import Episode
from watchdog.core.paging import Whom
from watchdog.core.rights import Right
from watchdog.core.states import State
from watchdog.core.telling.contacts import NEXT_ON_CALL, ON_CALL, Contacts
from watchdog.core.telling.routing import people_of
from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.words import Instant, World
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person
from watchdog.messages import Message
from watchdog.ports import Delivered, Delivery

ANNOUNCES = {"announced": Topic.ANNOUNCED, "update": Topic.UPDATE, "complete": Topic.COMPLETE}
"""What an announcement may be."""

_BEGUN = frozenset({State.ACTING, State.VERIFYING})
_TAKES_BACK = _BEGUN | {State.CONTAINED}
"""Something is taken back, or was and is not undone."""


class Telling:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def test(self, person: Person, name: str, *, dry: bool, outside: bool = False) -> Done:
        """Tell whoever the name stands for that this is a test; people `outside` only if asked."""
        contacts = self._contacts()
        if name in contacts.status_pages:
            return await self._look(person, name, dry=dry)
        audience = contacts.audiences.get(name)
        known = {*contacts.channels, *contacts.people, *contacts.roles, *contacts.audiences}
        known |= contacts.status_pages.keys()
        known |= {ON_CALL, NEXT_ON_CALL} if contacts.on_call.people else set()
        if name not in known:
            raise OrderRefused(
                f"the contacts have no {name}; there are: {', '.join(sorted(known))}"
            )
        if audience is not None and audience.outside:
            raise OrderRefused(f"{name} are outside: nobody there is told of a test")
        strangers = ", ".join(_strangers(name, contacts, self._desk.now()))
        if strangers and not outside:
            raise OrderRefused(
                f"{strangers} would get the test and is outside: nothing was sent. If they know "
                f"that it comes: slo-watchdog notify test {name} --outside"
            )
        if dry:
            reached = f", also {strangers}, outside" if strangers else ""
            return Done(f"{name} is told that this is a test{reached}", name)
        self._desk.counts(person)
        told = await self._desk.engine.people.outbox.try_out(name)
        if not told:
            raise OrderRefused(f"{name} stands for nobody who can be told now")
        said = "\n".join(f"{line}: {_said(one)}" for line, one in told.items())
        missed = {
            line: one.reason for line, one in told.items() if one.result is not Delivered.SENT
        }
        return Done(said, name, {"lines": list(told), "not_told": missed})

    async def _look(self, person: Person, name: str, *, dry: bool) -> Done:
        """Whether a status page could be told. Nothing is put there: the public would see it."""
        if dry:
            return Done(f"{name} is asked whether it could be told; nothing is shown there", name)
        self._desk.counts(person)
        seen = await self._desk.engine.people.status_pages.look(name)
        if seen.result is not Delivered.SENT:
            raise OrderRefused(f"{name}: {seen.reason}")
        return Done(f"{name}: it could be told; nothing was shown there", name)

    def announce(
        self,
        person: Person,
        episode: str,
        audiences: tuple[str, ...],
        *,
        which: str,
        said: str,
        seen: Message | None,
        dry: bool,
    ) -> Done:
        """Let the text that was `seen` go to audiences outside; dry, see it."""
        contacts, ep = self._contacts(), self._desk.episode(episode)
        self._desk.may(person, Right.APPROVE, self._desk.owners_of(ep))
        if ep.world is not World.LIVE:
            raise OrderRefused(f"{ep.id} is in shadow: nothing has happened that could be told")
        outside = sorted(name for name, one in contacts.audiences.items() if one.outside)
        for name in audiences:
            if name not in outside:
                shown = ", ".join(outside) or "none"
                raise OrderRefused(f"{name} is no audience outside; there are: {shown}")
        if not audiences:
            raise OrderRefused(f"say whom to tell: --to {' --to '.join(outside) or 'AUDIENCE'}")
        lines = self._lines(audiences)
        topic = _topic(ep, which)
        writer = self._desk.engine.people.outbox.writer
        text = writer.announcement(ep.id, topic, said) if dry else seen
        if text is None:
            raise OrderRefused("say the subject and the body that you saw: ask with `dry` first")
        shown = f"{', '.join(audiences)} are told:\n\n{text.subject}\n\n{text.body}\n"
        data: dict[str, object] = {"subject": text.subject, "body": text.body}
        data["which"] = next(word for word, one in ANNOUNCES.items() if one is topic)
        if not dry and not which:
            raise OrderRefused("say as what it was seen: `which`, as the answer to `dry` has it")
        if not dry:
            self._desk.counts(person)
            draft = self._desk.wish()
            name = draft.book.next_id("A")
            draft.add(
                e.Announced(name, ep.id, topic, audiences, text.subject, text.body, person.name)
            )
            draft.tell(
                f"announcement:{name}",
                ep.severity,
                text.subject,
                text.body,
                whom=Whom(audiences, (), Topic.ANNOUNCEMENT, Urgency.NEWS),
            )
            self._desk.record(draft)
            sent = f"{name} is let go, and sent to {', '.join(audiences)} by {', '.join(lines)}"
            later = f"What becomes of it on each line: slo-watchdog incident {ep.id}"
            shown = f"{sent}:\n\n{text.subject}\n\n{text.body}\n\n{later}\n"
            data |= {"announcement": name, "lines": list(lines)}
        return Done(shown, ep.id, data)

    def _lines(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Each once, as the record names them; whoever has none would never hear of it."""
        outbox = self._desk.engine.people.outbox
        found = {name: outbox.lines_of(name) for name in names}
        mute = [name for name, lines in found.items() if not lines]
        if mute:
            raise OrderRefused(
                f"{' and '.join(mute)} cannot be told: no channel leads there; give it `channels:` "
                "in contacts.yaml, and the channels what they need"
            )
        return tuple(dict.fromkeys(line.name for lines in found.values() for line in lines))

    def _contacts(self) -> Contacts:
        contacts = self._desk.policy.contacts
        if contacts is None:
            raise OrderRefused("the policy names nobody to tell: add contacts.yaml to the rules")
        return contacts


def _strangers(name: str, contacts: Contacts, now: Instant) -> list[str]:
    """The people outside whom a test of this name would reach."""
    audience = contacts.audiences.get(name)
    names = [told.name for told in audience.to] if audience is not None else [name]
    people = (person for one in names for person in people_of(one, contacts, now))
    return sorted({person.name for person in people if person.outside})


def _topic(ep: Episode, which: str) -> Topic:
    """Which text. That something is in a safe state is said of what was read back so and stands:
    not while it is changed again, nor after an undo of which nobody knows what came of it. That
    something is taken back is said once it is.
    """
    doubted = ep.intent or ep.undo_is_unknown
    proven = ep.state is State.CONTAINED and ep.outcome in {e.Outcome.DONE, e.Outcome.FOUND}
    stands = proven and not doubted
    if which == "complete" and not stands:
        raise OrderRefused(
            f"nothing of {ep.id} was read back as rolled back and stands so, so that it is "
            "complete cannot be said: --as update"
        )
    if which == "announced" and ep.state not in _TAKES_BACK:
        raise OrderRefused(f"{ep.id} is {ep.state.value}: nothing is taken back: --as update")
    if which:
        return ANNOUNCES[which]
    if stands:
        return Topic.COMPLETE
    return Topic.ANNOUNCED if ep.state in _BEGUN else Topic.UPDATE


def _said(one: Delivery) -> str:
    return "told" if one.result is Delivered.SENT else f"not told: {one.reason}"
