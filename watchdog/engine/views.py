"""What the engine shows: plain data for pages, commands and metrics. Reads only.

Everything here can be written as JSON as it is. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, runtime_checkable

from watchdog.core import entries as e
from watchdog.core.alerts import labels_of
from watchdog.core.book import MANUAL, Episode
from watchdog.core.measures import Measure
from watchdog.core.naming import is_of
from watchdog.core.spec import Policy, RuleSpec
from watchdog.core.words import Instant, Truth, Verdict
from watchdog.engine.actions_view import action_row, action_view
from watchdog.engine.alertmanager_view import alertmanager_now, alertmanager_view, silences_view
from watchdog.engine.awaiting import missing_approvals
from watchdog.engine.decisions_view import decisions_of, rule_of_entry
from watchdog.engine.deploys_view import deploys_view, standing_deploys, targets_now
from watchdog.engine.drills_view import drills_now, drills_view
from watchdog.engine.engine import Engine
from watchdog.engine.episodes_view import episode_view
from watchdog.engine.evidence_view import evidence_view
from watchdog.engine.family_view import members_by_status, no_rule, rule_of
from watchdog.engine.given import Process
from watchdog.engine.in_pieces import Shown, of_rules
from watchdog.engine.leader_view import lead_now, leader_view
from watchdog.engine.lessons_view import follow_ups_view, lessons_now, lessons_view
from watchdog.engine.limits_view import limits_now
from watchdog.engine.measures_view import (
    MeasuresNow,
    measures_now,
    measures_view,
)
from watchdog.engine.modes import lowered_by, standing_mode
from watchdog.engine.plan_view import NoPlan, PlanView
from watchdog.engine.present import Present, RuleNow
from watchdog.engine.recorder import Listener
from watchdog.engine.refusing import Reasons, not_acting
from watchdog.engine.rules_view import KnownOfRules, glances, held_seconds, row, rule_view, standing
from watchdog.engine.shapes import (
    ActionShape,
    DecisionShape,
    EpisodeShape,
    FollowUpShape,
    RuleShape,
    StandingShape,
)
from watchdog.engine.shapes_around import (
    AroundShape,
    DeploysShape,
    PeriodShape,
    SourceShape,
    StatusShape,
    WhyShape,
)
from watchdog.engine.sources_view import sources_view
from watchdog.engine.status_pages_view import status_pages_view
from watchdog.engine.stops_view import hold_view, stops_view
from watchdog.engine.telling_view import telling_now, telling_view
from watchdog.engine.verdict_view import utc
from watchdog.engine.verification_view import verification_now

View = dict[str, Any]


@runtime_checkable
class _KeepsReserve(Protocol):
    @property
    def reserve_ready(self) -> bool: ...


class Views:
    """One method a view."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known = KnownOfRules()

    def listen(self, listener: Listener) -> None:
        """Tell of every entry from now on, once it is durable."""
        self._engine.recorder.listen(listener)

    def overhear(self, listener: Listener) -> None:
        """The same, also of what another daemon wrote that leads."""
        self._engine.recorder.overhear(listener)

    def recorded(self, after: int = 0, most: int | None = None) -> Iterable[e.Recorded]:
        """The journal's entries, oldest first. Raises JournalError."""
        return self._engine.ports.journal.read(after, most)

    @property
    def process(self) -> Process:
        return self._engine.process

    def now(self) -> Instant:
        return self._engine.ports.clock.now()

    def spec(self, name: str) -> RuleSpec | None:
        """A rule in force, or a member that is known."""
        return rule_of(self._engine, name)

    @property
    def last_seq(self) -> int:
        """The number of the newest entry."""
        return self._engine.recorder.last_seq

    def present(self) -> Present:
        """The moment, for metrics."""
        engine, book, now = self._engine, self._engine.book, self._engine.ports.clock.now()
        policy, journal = engine.in_force(), engine.ports.journal
        return Present(
            now=now,
            process=engine.process,
            policy=policy,
            rules=tuple(
                RuleNow(
                    r,
                    engine.memory.verdict(r.name),
                    held_seconds(engine, r.name),
                    limit.mode,
                    engine.memory.budget(r.name, now),
                    lowered_by(r, limit),
                    book.merits.evidence.get(r.proof),
                    members_by_status(engine, r) if r.each else {},
                )
                for r in policy.rules.values()
                for limit in (standing_mode(engine, r),)
            ),
            episodes=Counter((ep.world, ep.state) for ep in book.open_episodes()),
            holds=len(book.standing_holds(now)),
            alertmanager=alertmanager_now(engine),
            open_intents=len(book.intents),
            missing_approvals=missing_approvals(engine),
            targets=targets_now(engine),
            passes=engine.passes.count,
            last_pass=engine.passes.completed,
            stuck=engine.recorder.stuck,
            stuck_since=engine.recorder.stuck_since,
            last_seq=engine.recorder.last_seq,
            lead=lead_now(engine),
            lessons=lessons_now(engine),
            drills=drills_now(engine),
            telling=telling_now(engine),
            verification=verification_now(engine),
            limits=limits_now(engine),
            reserve_ready=journal.reserve_ready if isinstance(journal, _KeepsReserve) else None,
        )

    def take_longest_pass(self) -> float:
        """Seconds of the longest pass since this was asked before."""
        passes = self._engine.passes
        longest, passes.seconds = passes.seconds, 0.0
        return longest

    def seconds_to_effect(self, episode: str) -> float | None:
        """From a rule's breach to the read-back of its last effect; None without either."""
        found = self._engine.book.episodes.get(episode)
        return found.seconds_to_effect if found and found.rule != MANUAL else None

    def status(self) -> StatusShape:
        """Is it watching, is it stopped, what burns, what is ready."""
        engine = self._engine
        return {
            **self._around(),
            "rules": [self.rule(r) for r in engine.in_force().rules.values()],
            "actions": self.actions(),
        }

    async def status_in_pieces(self) -> StatusShape:
        """The same, with the loop going on between some rules and the next."""
        rules = await self.of_rules(self.rule)
        return {**self._around(), "rules": rules, "actions": self.actions()}

    async def of_rules(self, shown: Callable[[RuleSpec], Shown]) -> list[Shown]:
        """Of every rule in force, with the loop going on between some and the next."""
        return await of_rules(self._engine, shown)

    def standing(self, rule: RuleSpec) -> StandingShape:
        return standing(self._engine, rule, self._known)

    def policy(self) -> Policy:
        return self._engine.in_force()

    def overview(self) -> View:
        """As `status`, with no more of each rule and action than an overview needs: it is cheap
        with a thousand rules. `row` tells more of one.
        """
        actions = self._engine.in_force().actions.values()
        return {
            **self._around(),
            "rules": glances(self._engine),
            "actions": [action_row(self._engine, action) for action in actions],
        }

    def row(self, name: str) -> View | None:
        """One rule or member in a line of a table."""
        rule = rule_of(self._engine, name)
        return None if rule is None else row(self._engine, rule)

    def _around(self) -> AroundShape:
        """All but the rules and actions."""
        engine = self._engine
        book = engine.book
        now = engine.ports.clock.now()
        done = engine.passes.completed
        return {
            "environment": engine.process.environment,
            "host": engine.process.host,
            "version": engine.process.version,
            "max_mode": engine.process.max_mode.word,
            "policy": engine.in_force().sha256,
            "passes": engine.passes.count,
            "last_pass_seconds_ago": None if done is None else now.steady - done.steady,
            "recording": engine.recorder.stuck or engine.leading.trouble or "ok",
            "leader": leader_view(engine),
            "clock": self._clock(),
            "policy_pending": engine.rules_folder.pending,
            "policy_errors": list(engine.rules_folder.errors),
            "holds": [hold_view(h) for h in book.standing_holds(now)],
            "silences": silences_view(engine),
            "alertmanager": alertmanager_view(engine),
            "status_pages": status_pages_view(engine),
            "telling": telling_view(engine),
            **standing_deploys(engine),
            **lessons_view(engine),
            "drills": drills_view(engine),
            "episodes": self._episodes(book.open_episodes()),
            "sources": self.sources(),
        }

    def _clock(self) -> str:
        """Why nothing may act, where that is the clock's fault."""
        engine = self._engine
        if engine.process.time_sync_required and engine.time_synced is not Truth.TRUE:
            return "not known to be synchronised"
        return "ok"

    def rule(self, rule: RuleSpec) -> RuleShape:
        return rule_view(self._engine, rule, self._known)

    def no_rule(self, name: str) -> str:
        """Why there is no such rule, and what was perhaps meant."""
        return no_rule(self._engine, name)

    def why(self, name: str) -> WhyShape | None:
        """The last verdict with every number, gate and reason, also for not acting."""
        rule = rule_of(self._engine, name)
        if rule is None:
            return None
        ep = self._engine.book.open_episode(name)
        last = next(iter(self.newest_decisions(1, name)), None)
        blindness = self._engine.book.blind.get(name)
        return {
            "rule": self.rule(rule),
            "episode": self.episode(ep) if ep else None,
            "last_decision": last,
            "blind_since": utc(blindness.since) if blindness else None,
            "evidence": evidence_view(self._engine, rule),
            "stops": stops_view(self._engine, rule),
            "not_acting": not_acting(self._engine, rule, ep, last),
        }

    def episode(self, ep: Episode, reasons: Reasons | None = None) -> EpisodeShape:
        return episode_view(self._engine, ep, reasons or Reasons(self._engine))

    def alert_labels(self, episode: str) -> dict[str, str]:
        """Those with which Alertmanager is told of an episode."""
        ep = self._engine.book.episodes[episode]
        return dict(labels_of(ep, self._engine.in_force()))

    def episodes(self) -> list[EpisodeShape]:
        """Newest first, ended ones too as far as they are kept at hand."""
        return self._episodes(reversed(self._engine.book.episodes.values()))

    def ended(self, most: int, rule: str | None = None) -> list[EpisodeShape]:
        """The newest first of those that are over: of a rule, of a family's members, or of all."""
        newest = reversed(self._engine.book.episodes.values())
        over = (ep for ep in newest if not ep.is_open and (rule is None or is_of(ep.rule, rule)))
        return self._episodes(islice(over, most))

    def one_episode(self, name: str) -> EpisodeShape | None:
        ep = self._engine.book.episodes.get(name)
        return None if ep is None else self.episode(ep)

    def plan(self, what: str) -> View | NoPlan:
        """What would run now for an episode, an action or a rule, and what stands against it."""
        return PlanView(self._engine).plan(what)

    def seen(self) -> list[tuple[RuleSpec, Verdict | None]]:
        """Every rule, family and member with the verdict that stands, for who plots them."""
        return [(m.spec, m.sight.verdict if m.sight else None) for m in self._engine.memory.every()]

    def in_trouble(self) -> Collection[str]:
        """The rules that have an open episode."""
        return self._engine.book.current.keys()

    def texts(self) -> Mapping[str, str]:
        """The rule files as they were applied: path in the rules folder to text."""
        applied = self._engine.book.policy
        return dict(applied.files) if applied is not None else {}

    def _episodes(self, episodes: Iterable[Episode]) -> list[EpisodeShape]:
        reasons = Reasons(self._engine)
        return [self.episode(ep, reasons) for ep in episodes]

    def actions(self) -> list[ActionShape]:
        return [action_view(self._engine, a) for a in self._engine.in_force().actions.values()]

    def measure(self, episode: str) -> Measure | None:
        """What was measured of an episode, for those who count as it happens."""
        return self._engine.book.measures.episodes.get(episode)

    def measures_now(self) -> MeasuresNow:
        """The numbers of the procedure, for metrics."""
        return measures_now(self._engine)

    def measures(self) -> dict[str, PeriodShape]:
        """The same by period, for people."""
        return measures_view(self._engine)

    def sources(self) -> list[SourceShape]:
        return sources_view(self._engine)

    def deploys(self) -> DeploysShape:
        """What is under way, what may be deployed, and what was."""
        return deploys_view(self._engine)

    def follow_ups(self) -> list[FollowUpShape]:
        """What is to be done after episodes, and what was."""
        return follow_ups_view(self._engine)

    def decisions(self, after: int = 0) -> list[DecisionShape]:
        """The decisions kept at hand with a sequence number above `after`, oldest first."""
        return list(decisions_of(d for d in self.decided() if d.seq > after))

    def decided(self) -> Sequence[e.Recorded]:
        """The same, as they stand in the journal."""
        return self._engine.recorder.decisions

    def newest_decisions(self, most: int, rule: str | None = None) -> list[DecisionShape]:
        """Of those at hand the newest first: of a rule, of a family's members, or of all."""
        newest = reversed(self._engine.recorder.decisions)
        of = (d for d in newest if rule is None or is_of(rule_of_entry(d.entry), rule))
        return list(decisions_of(islice(of, most)))
