"""A person's own rollback, and the undo of any: both prove what they did by reading it back."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Literal, get_args

from watchdog.core import entries as e
from watchdog.core.approvals import restores_system
from watchdog.core.approving import ask_people, commands_for
from watchdog.core.book import MANUAL, Claim, Episode
from watchdog.core.deciding import decided_on
from watchdog.core.deploying import keeping_back
from watchdog.core.draft import Draft
from watchdog.core.gates import Judgement, rule_on_command
from watchdog.core.inputs import Scene, busy, command_inputs
from watchdog.core.keeping import keeper
from watchdog.core.rights import Right
from watchdog.core.spec import ActionSpec
from watchdog.core.starting import open_intent
from watchdog.core.states import Event, State
from watchdog.core.words import CheckReading, Direction, Severity, Truth, World
from watchdog.engine.orders.anew import decided_anew, seen_anew
from watchdog.engine.orders.desk import Desk, Done, OrderRefused, Person, reasoned

Kind = Literal["executive", "community", "regulatory", "technical"]
KINDS: tuple[str, ...] = get_args(Kind)
"""The procedure's manual triggers."""

_PASSABLE = frozenset({"hold", "deploy"})
"""Gates that are people's own stops."""

LOOK_SECONDS = 5.0


class Rollbacks:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._ends: dict[str, asyncio.Future[e.IntentEnded]] = {}
        desk.engine.recorder.listen(self._heard)
        desk.engine.on_lost.append(self._lost)

    async def rollback(
        self,
        person: Person,
        action: str,
        kind: str,
        reason: str,
        *,
        through_hold: bool,
        dry: bool,
    ) -> Done:
        """A person's own rollback: the procedure's manual triggers."""
        reasoned(reason)
        if kind not in KINDS:
            raise OrderRefused(f"kind {kind!r} is none of {', '.join(KINDS)}")
        spec = self._desk.action(action)
        self._desk.may(person, Right.ROLLBACK, self._desk.users_of(spec.name))
        await seen_anew(self._desk, spec)
        scene = self._desk.scene()
        inputs = command_inputs(spec, person.name, scene, through_hold=through_hold)
        judgement = rule_on_command(inputs)
        if judgement.ruling is e.Ruling.REFUSED:
            raise OrderRefused(judgement.reason + _through(judgement))
        asks = judgement.ruling is e.Ruling.NEEDS_APPROVAL
        if asks:
            self._asked_already(spec)
        effect = (
            f"people are asked to approve {spec.name} on {spec.target} ({judgement.reason}, "
            f"{person.name} not counted); with the last yes it is started"
            if asks
            else f"{spec.name} is started on {spec.target}, and proven by reading it back"
        )
        effect += f". {spec.target} {inputs.held}" if inputs.held else ""
        if dry:
            return Done(effect, spec.name)
        self._desk.counts(person)
        draft = self._desk.wish()
        scene = self._desk.scene_of(draft)
        name, why = draft.book.next_id("E"), f"{kind}: {reason}"
        draft.add(
            e.EpisodeOpened(
                name, MANUAL, "", Severity.P0, World.LIVE, None, actor=person.name, why=why
            )
        )
        ep = draft.book.episodes[name]
        decided = decided_on(ep, spec.name, judgement, asdict(inputs), scene, None, None)
        draft.add(decided)
        if asks:
            return self._ask(ep, spec, judgement.reason, person, scene)
        draft.move(ep, Event.COMMANDED, why, actor=person.name)
        intent = open_intent(
            draft, ep, spec, Direction.DO, reason=why, decision=decided.decision, by=person.name
        )
        ended = await self._carried_out(draft, intent)
        desk, through = self._desk, through_hold
        while anew := await decided_anew(desk, ended, person, through_hold=through):
            ended = await self._carried_out(*anew)
        return self._told(ended, spec.name, name)

    def _asked_already(self, spec: ActionSpec) -> None:
        for name, request in self._desk.book.requests.open.items():
            if request.asked.action == spec.name:
                raise OrderRefused(
                    f"{name} asks for approval of {spec.name} already. "
                    + commands_for(request.asked, spec)
                )

    def _ask(self, ep: Episode, spec: ActionSpec, needs: str, person: Person, scene: Scene) -> Done:
        """Others must say yes first: whoever orders it does not count."""
        scene.draft.move(ep, Event.NEEDS_APPROVAL, f"{ep.why}: {needs}", actor=person.name)
        ask_people(ep, person.name, ep.why, scene)
        self._desk.record(scene.draft)
        asked = self._desk.book.requests.open[ep.id].asked
        told = f"{ep.id} asks for approval of {spec.name}: {needs}. {commands_for(asked, spec)}"
        return Done(told, spec.name, {"episode": ep.id, "awaits": True})

    async def undo(self, person: Person, what: str, reason: str, *, force: bool, dry: bool) -> Done:
        """Give up claims on a target and, when none is left, restore what was before."""
        ep, spec = self._undoable(what)
        book = self._desk.book
        self._may_undo(person, ep, spec)
        claims = book.claimants(spec.target)
        mine = [c for c in claims if ep is None or c.episode == ep.id]
        rest = [c for c in claims if c not in mine]
        if rest or (mine and all(c.found for c in claims)):
            return self._give_up(person, what, spec, mine, rest, reason, dry=dry)
        await self._may_resume(spec, reason, force=force)
        self._no_deploy(spec, force=force)
        looked = _looked_before(spec, force=force)
        effect = f"{spec.target} is switched back by {spec.name}'s undo, and read back; {looked}"
        if dry:
            return Done(effect, what)
        self._desk.counts(person)
        self._no_deploy(spec, force=force)  # checks take a moment
        occupied = busy(spec, book)
        if occupied or book.claimants(spec.target) != claims:
            raise OrderRefused(occupied or f"{spec.target} changed hands meanwhile: ask again")
        draft = self._desk.wish()
        asked = draft.book.episodes[ep.id if ep is not None else mine[0].episode]
        intent = open_intent(draft, asked, spec, Direction.UNDO, reason=reason, by=person.name)
        return self._told(await self._carried_out(draft, intent), what, asked.id)

    def _no_deploy(self, spec: ActionSpec, *, force: bool) -> None:
        """Nothing is switched back under somebody's hands."""
        stops = keeping_back(spec.target, self._desk.policy, self._desk.book, self._desk.now())
        if stops and not force:
            raise OrderRefused(
                f"{stops[0]}. Wait until it is over, or, in spite of it: --force --reason TEXT"
            )

    def _may_undo(self, person: Person, ep: Episode | None, spec: ActionSpec) -> None:
        """An episode's own; an action's, of all whose claims are given up with it."""
        if ep is not None:
            self._desk.may(person, Right.UNDO, self._desk.owners_of(ep))
            return
        episodes = self._desk.book.episodes
        for claim in self._desk.book.claimants(spec.target):
            self._desk.may(person, Right.UNDO, self._desk.owners_of(episodes[claim.episode]))

    def _undoable(self, what: str) -> tuple[Episode | None, ActionSpec]:
        """`what` names an episode, or an action, whose every claim is then given up."""
        if what in self._desk.policy.actions:
            spec = self._desk.action(what)
            if not self._desk.book.claimants(spec.target):
                raise OrderRefused(f"no episode holds {spec.target}: there is nothing to undo")
            ep = None
        else:
            ep = self._desk.episode(what)
            held = self._desk.book.claims_of(ep.id)
            if not held and (not ep.effected or ep.state is not State.LATCHED):
                raise OrderRefused(f"{ep.id} has nothing rolled back")
            if ep.state is State.ACTING:
                raise OrderRefused(f"{ep.id} is acting; wait until it has ended")
            spec = self._keeper(held[-1]) if held else self._desk.action(ep.effected[-1])
        if spec.undo is None:
            raise OrderRefused(f"{spec.name} has no undo: restore {spec.target} by hand")
        if restores_system(spec):
            raise OrderRefused(self._by_root(spec))
        return ep, spec

    def _by_root(self, spec: ActionSpec) -> str:
        """What was overwritten is put back by the privileged helper alone, on root's word."""
        claims = self._desk.book.claimants(spec.target)
        found = next((dict(c.facts).get("request", "") for c in claims), "") or "ID"
        names = ", ".join(claim.episode for claim in claims) or "EPISODE"
        return (
            f"the restore of a whole system is undone by root, on {spec.host}: slo-watchdog "
            f"restore undo {found}. When that is done, or it stays as it is: "
            f"slo-watchdog close {names} --reason TEXT"
        )

    def _keeper(self, claim: Claim) -> ActionSpec:
        found = keeper(claim, self._desk.policy)
        if found is None:
            raise OrderRefused(
                f"the policy has no {claim.action} for {claim.target} any more, so it cannot be "
                "undone here. Apply a policy that has it, or restore it by hand and then: "
                f"slo-watchdog close {claim.episode} --reason TEXT"
            )
        return found

    def _give_up(
        self,
        person: Person,
        asked: str,
        spec: ActionSpec,
        mine: list[Claim],
        rest: list[Claim],
        reason: str,
        *,
        dry: bool,
    ) -> Done:
        """Release claims without touching the target. Refused who has none to give up."""
        names = ", ".join(c.episode for c in mine)
        if rest:
            others = ", ".join(
                f"{c.episode} ({self._desk.book.episodes[c.episode].rule})" for c in rest
            )
            stays = (
                f"{spec.target} stays as it is for {others}. "
                f"To give all up: slo-watchdog undo {spec.name}"
            )
            if not mine:
                raise OrderRefused(f"{asked} has no claim to give up; {stays}")
            effect = f"{names} gives up its claim; {stays}"
        else:
            effect = (
                f"{names} gives up its claim; {spec.target} was found in this state, "
                "not put there, and is not switched back"
            )
        if not dry:
            self._desk.counts(person)
            draft = self._desk.wish()
            for claim in mine:
                draft.add(e.ClaimReleased(claim.episode, claim.target, reason, person.name))
            self._desk.record(draft)
        return Done(effect, names)

    async def _may_resume(self, spec: ActionSpec, reason: str, *, force: bool) -> None:
        if force:
            reasoned(reason)
            return
        readings = await asyncio.gather(
            *(self._look(spec, i) for i in range(len(spec.resume_when)))
        )
        bad = [r for r in readings if r.truth is not Truth.TRUE]
        if bad:
            raise OrderRefused(
                f"resume_when of {spec.name} is {bad[0].truth.value}: {bad[0].reason}. "
                "Wait until it is true, or: --force --reason TEXT"
            )

    async def _look(self, spec: ActionSpec, index: int) -> CheckReading:
        check = spec.resume_when[index]
        now = self._desk.now()
        return await self._desk.engine.hosts.of(spec).probe.read(
            check.endpoint, check.expect, at=now, deadline_seconds=LOOK_SECONDS
        )

    async def _carried_out(self, draft: Draft, intent: str) -> e.IntentEnded:
        """Record, and wait for the runner's word on it."""
        self._desk.record(draft, intent)
        future: asyncio.Future[e.IntentEnded] = asyncio.get_running_loop().create_future()
        self._ends[intent] = future
        return await asyncio.shield(future)

    def _lost(self) -> None:
        """Another daemon may lead by now: what becomes of it is on the record alone."""
        for future in self._ends.values():
            if not future.done():
                future.set_exception(
                    OrderRefused(
                        "it was recorded, and this daemon ceased to lead before it ended. See: "
                        "slo-watchdog status"
                    )
                )
        self._ends.clear()

    def _heard(self, recorded: e.Recorded) -> None:
        if isinstance(recorded.entry, e.IntentEnded):
            future = self._ends.pop(recorded.entry.intent, None)
            if future is not None and not future.done():
                future.set_result(recorded.entry)

    def _told(self, ended: e.IntentEnded, target: str, episode: str) -> Done:
        effect = f"{ended.action} {ended.direction.value}: {ended.outcome.value}: {ended.reason}"
        if ended.direction is Direction.DO:
            effect += f". Episode {episode}; {_next_step(ended, target, episode)}"
        book, done = self._desk.book, ended.outcome in {e.Outcome.DONE, e.Outcome.FOUND}
        if not done and book.late.may_show(ended.target, self._desk.now(), ended.direction):
            effect += ". What was sent may take effect yet: it is looked out for, and told"
        return Done(
            effect,
            target,
            {
                "episode": episode,
                "intent": ended.intent,
                "outcome": ended.outcome.value,
                "read_back": ended.read_back,
                "seconds": ended.seconds,
            },
        )


def _looked_before(spec: ActionSpec, *, force: bool) -> str:
    """What says that it may be switched back: an undo whose condition does not hold is refused."""
    if not spec.resume_when:
        return "it has no resume_when, so nothing tells whether the cause is gone"
    return "resume_when was not asked" if force else "its resume_when holds"


def _through(judgement: Judgement) -> str:
    """The way on, where nothing but people's own stops is in it."""
    refusing = {answer.gate for answer in judgement.gates if not answer.passed}
    return ". To act through it: --through-hold" if refusing <= _PASSABLE else ""


def _next_step(ended: e.IntentEnded, target: str, episode: str) -> str:
    """What a person does now: only what was proven to be rolled back is there to be undone."""
    close = f"slo-watchdog close {episode} --reason TEXT"
    match ended.outcome:
        case e.Outcome.DONE | e.Outcome.FOUND:
            return f"to undo it: slo-watchdog undo {episode}"
        case e.Outcome.UNKNOWN:
            return (
                f"look at {target}: it may have been changed. If it was, and is to be as before: "
                f"slo-watchdog undo {episode}; when it is settled: {close}"
            )
        case _:
            return f"{target} is not rolled back. Look why; when it is settled: {close}"
