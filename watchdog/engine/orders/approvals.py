"""What people answer when they are asked: yes or no, to what they were asked for and nothing else.

Whose yes counts is the core's to say; here is who may say it, and that it is on the record before
anything comes of it. Over the control socket the kernel tells who. A signature is taken by the
same door (`means`, `proof`), from whoever has verified it.
"""

from __future__ import annotations

from watchdog.core.approvals import ApprovalGiven, Means, who_of
from watchdog.core.approving import approve, commands_for, deny, objection
from watchdog.core.book import Episode
from watchdog.core.requests import Request
from watchdog.core.rights import Right
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person, reasoned
from watchdog.engine.planned import told_plan


class Approvals:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def approve(
        self,
        person: Person,
        episode: str,
        reason: str,
        *,
        through_hold: bool,
        dry: bool,
        means: Means = Means.SOCKET,
        proof: str = "",
    ) -> Done:
        """Say yes. With the last one that was missing every gate is asked, and it is done."""
        reasoned(reason)
        ep, request = self._asked(person, episode)
        asked = request.asked if request is not None else None
        given = ApprovalGiven(
            episode=ep.id,
            decision=asked.decision if asked is not None else "",
            action=asked.action if asked is not None else "",
            plan=asked.plan if asked is not None else "",
            who=who_of(person.name),
            actor=person.name,
            reason=reason,
            means=means,
            through_hold=through_hold,
            proof=proof,
        )
        scene = self._desk.scene()
        refused = objection(given, scene)
        if refused:
            raise OrderRefused(refused)
        if dry:
            return Done(self._would(ep, request), ep.id)
        self._desk.counts(person)
        engine = self._desk.engine
        memory = engine.memory.of(ep.rule)
        wish = self._desk.wish()
        sight = memory.sight if memory is not None else None
        taken = approve(given, sight, self._desk.scene_of(wish))
        self._desk.record(wish, taken.intent)
        engine.wake()
        follow = " Follow it: slo-watchdog status" if taken.intent else ""
        data: dict[str, object] = {"episode": ep.id, "started": bool(taken.intent)}
        return Done(f"{ep.id} ({ep.rule}): {taken.said}.{follow}", ep.id, data)

    def deny(self, person: Person, episode: str, reason: str, *, dry: bool) -> Done:
        """Say no: it is not done, and a person must look."""
        reasoned(reason)
        ep, request = self._asked(person, episode)
        if request is None:
            raise OrderRefused(f"{ep.id} is {ep.state.value}: nothing waits there for an approval")
        effect = f"{request.asked.action} is denied: {ep.id} ({ep.rule}) is latched, for people"
        if not dry:
            self._desk.counts(person)
            draft = self._desk.wish()
            deny(draft.book.episodes[ep.id], person.name, reason, draft)
            self._desk.record(draft)
        return Done(effect, ep.id)

    def _asked(self, person: Person, episode: str) -> tuple[Episode, Request | None]:
        ep = self._desk.episode(episode)
        self._desk.may(person, Right.APPROVE, self._desk.owners_of(ep))
        return ep, self._desk.book.requests.open.get(ep.id)

    def _would(self, ep: Episode, request: Request | None) -> str:
        """What is approved, as `plan` tells it: whoever confirms this confirms what is lost."""
        if request is None:
            return ""
        action = self._desk.policy.actions[request.asked.action]
        would = f"{action.name} for {ep.id} ({ep.rule}) is approved; with the last yes that is "
        return "\n".join(
            [
                f"{would}missing every gate is asked, and it is done",
                *told_plan(action, self._desk.book, self._desk.now()),
                commands_for(request.asked, action),
            ]
        )
