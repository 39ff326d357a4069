"""What came of a drill, recorded by whoever ran it; and that one is overdue, told once.

Laws: a drill that failed is told as what needs somebody, one that went well as news; one that lies
in the future, or that is on the record already, is refused. A good drill of an action may let it
start by itself again (`drilled_within`), so it takes the right to widen what may be done.
"""

from __future__ import annotations

from dataclasses import replace

from watchdog.core.drilled import to_count
from watchdog.core.drills import AS_ROOT, BY_PEOPLE, DrillEnded, DrillPlan, DrillTold, missed
from watchdog.core.paging import Whom
from watchdog.core.rights import Right
from watchdog.core.telling.topics import Topic
from watchdog.core.text import duration, shortened
from watchdog.core.urgency import Urgency
from watchdog.core.words import Severity
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person

_AHEAD_SECONDS = 60.0
_MOST_REASONS = 20
_MOST_TEXT = 500

_NEWS = Whom(topic=Topic.DRILL, urgency=Urgency.NEWS)
_SOON = Whom(topic=Topic.DRILL, urgency=Urgency.SOON)


class DrillOrders:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def record(self, person: Person, told: DrillTold, *, dry: bool) -> Done:
        """Put it on the record, and tell people."""
        told = _bounded(told)
        now, known = self._desk.now(), self._desk.book.drills.documents.get(told.sha256)
        if told.ended_at > now.wall + _AHEAD_SECONDS:
            raise OrderRefused("it ended in the future: is a clock wrong?")
        if told.passed and told.reasons:
            raise OrderRefused("it says that it passed, and why it did not")
        if known is not None:
            raise OrderRefused(f"it is on the record already, as {known}")
        self._may(person, told)
        effect = _effect(told)
        if dry:
            return Done(effect, told.what.value)
        draft = self._desk.wish()
        name = draft.book.next_id("T")
        draft.add(DrillEnded(name, told, person.name))
        for counted in to_count(self._desk.policy, draft.book.drills):
            draft.add(counted)
        key, body = f"drill:{told.what.value}", f"{name}, by {person.name}: {effect}"
        if told.passed:
            draft.tell(key, Severity.P3, f"drill {told.what.value} passed", body, whom=_NEWS)
        else:
            draft.tell(key, Severity.P2, f"drill {told.what.value} failed", body, whom=_SOON)
        self._desk.record(draft)
        return Done(f"{name}: {effect}", told.what.value, {"drill": name})

    def _may(self, person: Person, told: DrillTold) -> None:
        """Also of an action without `drilled_within`: a later policy may ask for this drill."""
        if person.itself:  # a drill that the daemon ran
            return
        owners = self._desk.users_of(told.action) if told.action else frozenset()
        if told.passed and told.action:
            self._desk.may(person, Right.APPLY, owners, every=True)
        else:
            self._desk.may(person, Right.ACK, owners)

    def tell_missed(self, plan: DrillPlan) -> None:
        """That it is overdue: once for each due date. Raises OrderRefused where we do not lead."""
        drills = self._desk.book.drills
        if not drills.untold(plan, self._desk.now()):
            return
        draft = self._desk.wish()
        draft.add(missed(plan, drills))
        what, good = plan.what.value, drills.good.get(plan.what)
        since = "never went well" if good is None else f"last went well as {good.drill}"
        how = f"slo-watchdog drill run {what}"
        if plan.what in BY_PEOPLE:
            by_hand = f"people test it, and then: slo-watchdog drill record {what} --reason TEXT"
            how = f"{how}, as root; or {by_hand}" if plan.what in AS_ROOT else by_hand
        every = duration(plan.every_seconds)
        draft.tell(
            f"drill:{what}:overdue",
            Severity.P3,
            f"drill {what} is overdue",
            f"It is to be practised every {every} and {since}. Run it: {how}",
            whom=_SOON,
        )
        self._desk.record(draft)


def _effect(told: DrillTold) -> str:
    word = "passed" if told.passed else "FAILED: " + "; ".join(told.reasons)
    times = ", ".join(
        f"{one.stage.value} {one.seconds:.1f} s" for one in told.stages if one.seconds is not None
    )
    parts = (f"drill {told.what.value} {word}", times, told.note, told.document)
    return ". ".join(part for part in parts if part)


def _bounded(told: DrillTold) -> DrillTold:
    reasons = tuple(shortened(one, _MOST_TEXT) for one in told.reasons[:_MOST_REASONS])
    return replace(
        told,
        reasons=reasons,
        stages=told.stages[:_MOST_REASONS],
        note=shortened(told.note, _MOST_TEXT),
        document=shortened(told.document, _MOST_TEXT),
        action=shortened(told.action, _MOST_TEXT),
        sha256=shortened(told.sha256, 64),
    )
