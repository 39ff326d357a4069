"""From notes to a letter: the fields of each, filled in, and several of them put together."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import structlog

from watchdog.core.book import MANUAL, Book, Episode
from watchdog.core.spec import Policy, RuleSpec
from watchdog.core.states import State
from watchdog.core.telling.contacts import Channel, Contacts
from watchdog.core.telling.first_line import first_line, verified
from watchdog.core.telling.next_step import NextStep, next_step
from watchdog.core.telling.notes import Note, blindness_of, calls_for
from watchdog.core.telling.routing import astray, people_of
from watchdog.core.telling.status_pages import public_parts
from watchdog.core.telling.topics import Topic
from watchdog.core.text import duration, number
from watchdog.core.urgency import Urgency
from watchdog.core.words import Instant, Severity
from watchdog.messages import PUBLIC, Message, compose
from watchdog.ports import Letter, Phase

MOST_TITLES = 20
"""Of the notes between the first and the last of a letter, so many are named."""

NAMELESS = "a part of our service"
"""What no status page names, to the public: what it is called in the house tells them nothing."""

_AHEAD = frozenset({State.PENDING, State.HELD, State.AWAITING, State.ACTING})
_LATER = frozenset({Topic.UPDATE, Topic.COMPLETE})

Fields = dict[str, Any]
Measured = Callable[[str], Mapping[str, Any] | None]
"""What an episode has cost so far, by its name."""


class Writer:
    """Writes letters by what stands in the book when they are sent."""

    def __init__(
        self,
        book: Book,
        policy: Callable[[], Policy],
        now: Callable[[], Instant],
        measured: Measured,
    ) -> None:
        self._book = book
        self._policy = policy
        self._now = now
        self._measured = measured

    def keeps_apart(self, channel: Channel, note: Note) -> bool:
        """Whether a letter is about one matter alone: a service or a program keeps them so, and
        what is announced to the outside goes as it was approved.
        """
        return channel.closes or note.topic is Topic.ANNOUNCEMENT

    def test(self, name: str) -> Note:
        """A note that nobody has recorded, to see whether people can be told."""
        title = f"this is a test of {name}: nothing has happened"
        return Note(
            "N0",
            "test:",
            Severity.P3,
            Topic.NOTICE,
            Urgency.NEWS,
            title,
            "Somebody tries whether you can be told. There is nothing to do.",
            self._now(),
            to=(name,),
        )

    def unrecorded(self, trouble: str, since: Instant) -> Note:
        """What nobody could record: that nothing can be recorded."""
        title = f"nothing can be recorded, so nothing acts: {trouble}"
        body = "It goes on by itself once it can record again. See: slo-watchdog status"
        topic = Topic.NOTICE
        return Note("N0", "record:stuck", Severity.P0, topic, Urgency.NOW, title, body, since)

    def announcement(self, episode: str, topic: Topic, said: str) -> Message:
        """What the outside would be told of an episode now."""
        ep = self._book.episodes[episode]
        why = ep.verdict.reason if ep.verdict is not None else ep.reason  # not how our tools fared
        note = Note("", f"episode:{episode}", ep.severity, topic, None, why, "", self._now())
        name, contacts = PUBLIC + topic.value, self._policy().contacts
        own = dict(contacts.templates) if contacts is not None else {}
        fields = self.fields(note) | {"said": said}
        pages = contacts.status_pages.values() if contacts is not None else ()
        parts = public_parts(pages, ep.rule, ep.target)
        fields["target"] = ", ".join(one.title for one in parts) or NAMELESS
        told = (fields["impact"], *(one.impact for one in parts))
        fields["impact"] = "; ".join(filter(None, told))
        fields["meanwhile"] = " ".join(one.summary for one in parts if one.summary)
        if ep.rule == MANUAL:  # what was read back is no reason, and theirs is for the house
            fields["summary"] = "a decision of ours"
        return compose(name, fields, own.get(name))

    def letter(self, notes: Sequence[Note]) -> Letter:
        """Of one note or more, oldest first."""
        first, last = notes[0], notes[-1]
        written = [self._message(note) for note in dict.fromkeys((first, last))]
        subject, body = written[-1].subject, written[-1].body
        if len(notes) > 1:
            subject = f"{subject} ({len(notes)} messages)"
            between = "\n".join(_titles(notes[1:-1]))
            whole = (f"First:\n{written[0].body}", between, f"Last:\n{body}")
            body = "\n\n".join(part for part in whole if part)
        environment = self._policy().environment
        return Letter(
            identity="+".join(dict.fromkeys((one.identity(environment)) for one in (first, last))),
            key=f"{environment}/{last.key}",
            phase=_phase(last),
            urgent=any(note.urgency is Urgency.NOW for note in notes),
            subject=subject,
            body=body,
            data=json.dumps([self._data(note) for note in notes], ensure_ascii=False),
        )

    def _message(self, note: Note) -> Message:
        contacts = self._policy().contacts
        own = dict(contacts.templates) if contacts is not None else {}
        message = compose(note.topic.value, self.fields(note), own.get(note.topic.value))
        if message.problem:
            structlog.get_logger().error("note.template", note=note.id, problem=message.problem)
        return message

    def _data(self, note: Note) -> Fields:
        """Everything, for a program; without our own words on what to do."""
        fields = self.fields(note)
        identity = note.identity(self._policy().environment)
        return {"id": identity, "key": note.key, "topic": note.topic.value, **fields}

    def fields(self, note: Note) -> Fields:
        """What a template may use; `messages.FIELDS` says what each is."""
        policy, book, now = self._policy(), self._book, self._now()
        contacts = policy.contacts or Contacts({})
        ep = book.episodes.get(note.episode)
        rule = policy.rule(ep.rule) if ep is not None else _rule_of(note, policy)
        step = next_step(ep, book, policy) if ep is not None else NextStep("")
        action = policy.actions.get(ep.action) if ep is not None else None
        measured = (self._measured(ep.id) if ep is not None else None) or {}
        cost = book.measures.episodes.get(note.episode)
        as_of = cost.as_of if cost is not None else ""

        def clock(at: Instant | None) -> str:
            return _clock(at, contacts) if at is not None else ""

        return {
            "first_line": first_line(note, ep, book, policy),
            "environment": policy.environment,
            "severity": note.severity.value,
            "rule": ep.rule if ep is not None else rule.name if rule is not None else "",
            "summary": (rule.summary if rule is not None else "") or note.title,
            "owner": ep.owner if ep is not None else rule.owner if rule is not None else "",
            "episode": note.episode,
            "note": note.id,
            "state": ep.state.value if ep is not None else "",
            "verified": verified(ep, book) if ep is not None else "",
            "action": ep.action if ep is not None else "",
            "target": ep.target if ep is not None else "",
            "title": note.title,
            "body": _body(note, contacts),
            "reason": _reason(ep),
            "impact": _counted(book.lessons.affected.get(note.episode)) or _impact(measured, as_of),
            "lasted": duration(now.steady - ep.opened.steady) if ep is not None else "",
            "expected": duration(action.deadline_seconds) if action and _is_ahead(ep) else "",
            "next_step": step.text + step.unless,
            "next_step_at": clock(step.at),
            "next_update_at": clock(_next_update(note, ep, contacts, now)),
            "stop": step.stop,
            "began_at": clock(ep.opened if ep is not None else _blind_since(note, book, policy)),
            "called": ", ".join(_called(name, contacts, note.at) for name in note.to),
            "noted_at": clock(note.at),
            "facts": [str(one) for one in measured.get("told", ())],
            "checks": list(book.verifications.lines(note.episode)) if note.episode else [],
            "runbook": rule.runbook if rule is not None else "",
            "link": _link(note, ep, contacts),
            "said": "",
            "meanwhile": "",
        }


def _blind_since(note: Note, book: Book, policy: Policy) -> Instant:
    """When what a note about no episode tells began: of blindness, when that did."""
    if not note.is_of_blindness:
        return note.at
    named = {name: policy.rule(name) for name in book.blind}
    about = [
        book.blind[name].since
        for name, rule in named.items()
        if note.key == blindness_of(name) or (rule and note.key == calls_for(rule.severity))
    ]
    return min(about, key=lambda at: at.steady, default=note.at)


def _called(name: str, contacts: Contacts, now: Instant) -> str:
    """As on-call (Ada): by another's line it would not be known whose turn it is."""
    people = [person.title for person in people_of(name, contacts, now)]
    return name if not people or name in contacts.people else f"{name} ({', '.join(people)})"


def _body(note: Note, contacts: Contacts) -> str:
    """With whom it was for, where that is nobody of those who read it."""
    why = astray(note, contacts)
    return "\n".join(filter(None, (note.body, f"The team is told: {why}." if why else "")))


def _titles(notes: Sequence[Note]) -> list[str]:
    shown = [f"* {note.title} ({note.id})" for note in notes[:MOST_TITLES]]
    left = len(notes) - len(shown)
    return [*shown, f"* and {left} more: slo-watchdog decisions"] if left > 0 else shown


def _phase(note: Note) -> Phase:
    """A service that never heard of what is updated opens it: so who missed one misses nothing."""
    if note.topic is Topic.RESOLVED:
        return Phase.ENDED
    return Phase.UPDATED if note.topic in _LATER else Phase.OPENED


def _rule_of(note: Note, policy: Policy) -> RuleSpec | None:
    kind, _, rest = note.key.partition(":")
    return policy.rule(rest.rpartition(":")[0]) if kind == "rule" else None


def _is_ahead(ep: Episode | None) -> bool:
    """Whether its rollback is still to take effect: how long that takes is no news afterwards."""
    return ep is not None and ep.state in _AHEAD


def _reason(ep: Episode | None) -> str:
    if ep is None:
        return ""
    return ep.verdict.reason if ep.verdict is not None else ep.why


def _counted(affected: tuple[float, str] | None) -> str:
    """As people have counted: they know better than our counters."""
    return f"{number(affected[0], 15)} {affected[1]} affected" if affected is not None else ""


def _impact(measured: Mapping[str, Any], as_of: str) -> str:
    affected = measured.get("affected") or {}
    if affected.get("number") is None:
        return ""
    return f"{number(affected['number'])} {affected['of']}{as_of}"


def _next_update(
    note: Note, ep: Episode | None, contacts: Contacts, now: Instant
) -> Instant | None:
    """When the team hears again at the latest; nobody is promised what nobody will keep."""
    every = contacts.ladder(note.severity).update_seconds
    if ep is None or every is None or not ep.is_open:
        return None
    return now.plus(every)


def _clock(at: Instant, contacts: Contacts) -> str:
    """As 2026-11-23 14:05:10Z, and what clocks on the wall say where that is another time."""
    utc = f"{at.utc:%Y-%m-%d %H:%M:%SZ}"
    local = at.utc.astimezone(contacts.zone)
    return utc if local.utcoffset() == at.utc.utcoffset() else f"{utc} ({local:%H:%M %Z})"


def _link(note: Note, ep: Episode | None, contacts: Contacts) -> str:
    if not contacts.link:
        return ""
    base = contacts.link.rstrip("/")
    if ep is not None:
        return f"{base}/episodes/{ep.id}"
    kind, _, rest = note.key.partition(":")
    return f"{base}/rules/{quote(rest.rpartition(':')[0], safe='')}" if kind == "rule" else base
