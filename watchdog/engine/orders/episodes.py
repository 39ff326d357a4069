"""What people say of an episode: seen, what it was, let it act, it is over."""

from __future__ import annotations

from typing import Literal

from watchdog.core import entries as e
from watchdog.core.aftermath import by_hand
from watchdog.core.approvals import restores_system
from watchdog.core.book import MANUAL, Episode
from watchdog.core.inputs import next_rung, rung_target
from watchdog.core.keeping import own_action
from watchdog.core.naming import family_of
from watchdog.core.promotion import marked
from watchdog.core.rights import Right
from watchdog.core.states import Event, State
from watchdog.core.stops import Subject, standing_stops
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person, reasoned
from watchdog.engine.orders.not_burning import not_burning
from watchdog.engine.refusing import Reasons

Mark = Literal["true", "false", "explained", "drill"]


class Episodes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def ack(self, person: Person, episode: str, reason: str, *, dry: bool) -> Done:
        """Stop escalation, no more."""
        ep = self._desk.episode(episode)
        self._desk.may(person, Right.ACK, self._desk.owners_of(ep))
        if not dry:
            draft = self._desk.wish()
            draft.add(e.Acked(ep.id, person.name, reason))
            self._desk.record(draft)
        return Done(f"{ep.id} ({ep.rule}) is acknowledged; nothing else changes", ep.id)

    def mark(self, person: Person, episode: str, mark: Mark, reason: str, *, dry: bool) -> Done:
        """Say what an episode was; evidence for promotion rests on it."""
        ep = self._desk.episode(episode)
        self._desk.may(person, Right.ACK, self._desk.owners_of(ep))
        loses = mark == "false" and bool(ep.effected) and ep.rule != MANUAL and ep.mark != mark
        if not dry:
            self._desk.counts(person)
            draft = self._desk.wish()
            marked(
                draft.book.episodes[ep.id],
                mark,
                self._desk.policy.rule(ep.rule),
                person.name,
                draft,
            )
            draft.add(e.Marked(ep.id, mark, person.name, reason))
            self._desk.record(draft)
        costs = (
            f"; it acted, so {ep.rule} keeps to shadow until armed_because has other words, "
            "applied, or another text has earned it"
        )
        effect = f"{ep.id} ({ep.rule}) is marked {mark}"
        return Done(effect + (costs if loses else ""), ep.id)

    def act(
        self, person: Person, episode: str, reason: str, *, through_hold: bool, dry: bool
    ) -> Done:
        """Let an already-burning episode act; every gate is asked again."""
        reasoned(reason)
        ep = self._desk.episode(episode)
        self._desk.may(person, Right.ACT, self._desk.owners_of(ep))
        if ep.state not in {State.PENDING, State.HELD, State.AWAITING} or not ep.barred:
            raise OrderRefused(not_burning(ep, Reasons(self._desk.engine).of(ep)))
        if powerless := self._powerless(ep):
            raise OrderRefused(powerless)
        stops = self._stops(ep)
        if stops and not through_hold:
            raise OrderRefused(
                f"{stops[0]} covers it. Release that, or act through it: --through-hold"
            )
        effect = f"{ep.id} ({ep.rule}) may act although it was {ep.barred}; gates are asked again"
        if not dry:
            self._desk.counts(person)
            draft = self._desk.wish()
            draft.add(e.EpisodeUnbarred(ep.id, person.name, reason, through_hold))
            self._desk.record(draft)
            self._desk.engine.wake()
        return Done(effect, ep.id)

    def _powerless(self, ep: Episode) -> str:
        """Why nothing could follow if the episode were let to act, and what can be done."""
        rule = self._desk.policy.rule(ep.rule)
        if rule is None:
            return (
                f"{ep.rule} is not in the policy any more, so it leads to no action: close {ep.id}"
            )
        if next_rung(rule, ep, self._desk.policy) is not None:
            return ""
        none = "has no rung left in its playbook" if rule.playbook else "has no playbook"
        return (
            f"{ep.rule} {none}, so {ep.id} has no action that it could start. Roll back by your "
            f"own decision ({by_hand('ACTION')}), or give the rule a `playbook`, and apply"
        )

    def close(self, person: Person, episode: str, reason: str, *, dry: bool) -> Done:
        """Leave LATCHED, or end an episode whose rule, label set, or claim's action is gone."""
        reasoned(reason)
        ep = self._desk.episode(episode)
        self._desk.may(person, Right.ACT, self._desk.owners_of(ep))
        claims, policy = self._desk.book.claims_of(ep.id), self._desk.policy
        orphan = self._is_unjudged(ep, claimed=bool(claims))
        keepers = [own_action(claim, policy) for claim in claims]
        orphan = orphan or None in keepers
        # Undone by root, or left as it is, a restored system shows nothing that would end it.
        restored = [one for one in keepers if one is not None and restores_system(one)]
        orphan = orphan or (bool(claims) and len(restored) == len(claims))
        if ep.state is not State.LATCHED and not (orphan and ep.is_open and not ep.intent):
            raise OrderRefused(f"{ep.id} is {ep.state.value}; only latched episodes are closed")
        left = ", ".join(c.target for c in claims if not c.found)
        effect = f"{ep.id} ({ep.rule}) is closed" + (
            f"; {left} stays rolled back and nothing looks after it any more" if left else ""
        )
        if not dry:
            self._desk.counts(person)
            draft = self._desk.wish()
            draft.move(draft.book.episodes[ep.id], Event.CLOSED, reason, actor=person.name)
            self._desk.record(draft)
        return Done(effect, ep.id)

    def _is_unjudged(self, ep: Episode, *, claimed: bool) -> bool:
        """Whether no verdict can end it: its rule is not there any more, or its label set is not
        in the answers. What such a one has rolled back is undone first.
        """
        if ep.rule == MANUAL:
            return False
        if self._desk.policy.rule(ep.rule) is None:
            return True
        family = self._desk.engine.memory.families.get(family_of(ep.rule))
        if family is None or ep.rule == family.spec.name or claimed:
            return False
        return family.of(ep.rule) is None or family.is_gone(ep.rule)

    def _stops(self, ep: Episode) -> tuple[str, ...]:
        policy = self._desk.policy
        rule = policy.rule(ep.rule)
        target = rung_target(rule, ep, policy) if rule else ""
        subject = (
            Subject.of(rule, ep, target, policy)
            if rule
            else Subject(ep.owner, ep.rule, target, ep.labels)
        )
        return standing_stops(subject, policy, self._desk.book, self._desk.now())
