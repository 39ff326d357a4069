"""What must hold when something is started by itself, asked right before it can take effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.people import People
from tests.simulation.policies import Text, policy_of
from tests.simulation.service import Delivered
from tests.simulation.targets import Effect
from watchdog.core import entries as e
from watchdog.core.persistence import longest_gap_seconds
from watchdog.core.spec import Policy, RuleSpec, ValueThreshold
from watchdog.core.words import Direction, Mode
from watchdog.store import codec

if TYPE_CHECKING:
    from tests.simulation.properties import Properties

SLACK_SECONDS = 0.2
"""Between a sample's true time and the instant that its poll was pinned to."""

UNDER_WAY_SECONDS = 0.1
"""From the look at what stands to the request that changes it."""

EXPIRY_SLACK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Started:
    """An effect of an automatic or approved start, in true time."""

    at: float
    rule: str
    action: str
    episode: str
    intent: str


class StartingLaws:
    """See the table in `properties`. Truth is what the world knows, never what the book says."""

    def __init__(self, properties: Properties, people: People, texts: dict[str, Text]) -> None:
        self._all = properties
        self._world = properties.world
        self._people = people
        self._texts = texts
        self._asked: set[str] = set()
        self._started: list[_Started] = []
        self._policy: Policy | None = None
        self._text_since: dict[str, float] = {}  # rule -> when its present text came in force

    def applied(self, sha256: str, at: float) -> None:
        """Another policy judges from here on."""
        old, new = self._policy, policy_of(self._texts[sha256])
        for name, rule in new.rules.items():
            if old is None or old.rules[name].sha256 != rule.sha256:
                self._text_since[name] = at
        self._policy = new

    def on_disk(self, key: str) -> e.IntentOpened | None:
        """The intent, if the disk would still have it after a power cut now."""
        disk = self._all.machine.disk
        for row in reversed(disk.rows[: disk.synced]):
            if row.kind == "intent.opened" and f'"intent":"{key}"' in row.body:
                entry = codec.decode(row.body)
                assert isinstance(entry, e.IntentOpened)
                return entry
        return None

    def asked(self, key: str, target: str) -> None:
        """A target is about to be changed for this intent."""
        if key in self._asked:
            return  # what was begun is brought to its end, whatever came meanwhile
        self._asked.add(key)
        intent = self.on_disk(key)
        if intent is None:
            self._world.violated("every effect has an earlier durable intent", f"{key} on {target}")
            return
        if intent.direction is Direction.UNDO or (intent.actor and not intent.approved_by):
            return  # a person's own
        rule = self._all.rules.get(intent.episode, "")
        self._not_held(intent, rule)
        if not self._all.counts_as_manual(intent):
            self._may(intent, rule)
            self._long_enough(intent, rule)
            self._cooled_down(intent, rule)

    def took_effect(self, effect: Effect, intent: e.IntentOpened) -> None:
        """Cooldowns and the budget are of starts, in true time."""
        if self._all.counts_as_manual(intent):
            return
        automatic = intent.direction is Direction.DO and not intent.actor
        rule = self._all.rules.get(intent.episode, "")
        first = not any(
            (x.episode, x.action) == (intent.episode, intent.action) for x in self._started
        )
        if intent.direction is Direction.DO and (automatic or intent.approved_by) and first:
            what = rule, intent.action, intent.episode, intent.intent
            self._started.append(_Started(effect.at, *what))
            if automatic:
                self._within_budget(intent)

    def yeses(self, decision: str, *, signed: bool = False) -> set[str]:
        """Who was told that their yes to this decision is taken; or whose signature stands."""
        now = self._world.now
        if signed:
            return {
                s.who
                for s in self._all.outside.helper.signatures
                if s.decision == decision and s.who != s.requester
            }
        found = self._people.yeses
        return {y.who for y in found if y.decision == decision and now < y.expires + 60.0}

    # -- each law ----------------------------------------------------------------------------------

    def _not_held(self, intent: e.IntentOpened, rule: str) -> None:
        if intent.through_hold:
            return
        now, policy = self._world.now, self._policy
        spec = policy.rules.get(rule) if policy is not None else None
        owner = spec.owner if spec is not None else ""
        through = self._through_until(intent.episode)
        for hold in self._people.holds.values():
            stands = hold.until - EXPIRY_SLACK_SECONDS > now and hold.since > through
            if stands and hold.scope.covers(owner=owner, rule=rule, target=intent.target):
                self._world.violated(
                    "stopped means no effects", f"{intent.intent} under {hold.name} on {hold.scope}"
                )

    def _through_until(self, episode: str) -> float:
        """Holds placed before this are acted through: a person said so of that episode."""
        return self._people.through.get(episode, float("-inf"))

    def _may(self, intent: e.IntentOpened, rule: str) -> None:
        policy = self._policy
        assert policy is not None
        spec = policy.rules[rule]
        assert spec.playbook is not None
        rungs = policy.playbooks[spec.playbook].rungs
        rung = next(r for r in rungs if r.action == intent.action)
        mode = min(spec.mode, rung.mode)
        if mode <= Mode.SHADOW:
            self._world.violated("shadow means no effects", f"{intent.intent} of {rule}: {mode}")
        if mode is Mode.APPROVE:
            asked = self._decision_of(intent)
            said = self.yeses(asked)
            if len(said) < rung.approvals:
                self._world.violated(
                    "approvals are needed", f"{intent.intent}: only {sorted(said)} for {asked}"
                )

    def _decision_of(self, intent: e.IntentOpened) -> str:
        """The decision that asked people, as those were told who said yes."""
        said = [y.decision for y in self._people.yeses if y.episode == intent.episode]
        return said[-1] if said else ""

    def _long_enough(self, intent: e.IntentOpened, rule: str) -> None:
        policy = self._policy
        assert policy is not None
        spec = policy.rules[rule]
        delivered = self._all.delivered(rule, intent.intent)
        since = self._text_since[rule]
        # What comes in the very moment between the decision and its request stops nothing any more.
        opened_at = self._all.opened_at.get(intent.intent, self._world.now)
        until = max(opened_at, self._world.now - self._all.under_way_seconds)
        known = [d for d in delivered if d.at >= since - 2.0 and d.came_at <= until]
        held, status = held_seconds(spec, known)
        if status != "breached" or held + SLACK_SECONDS < spec.for_seconds:
            self._world.violated(
                "no effect without `for` of valid samples",
                f"{intent.intent} of {rule}: {status}, held {held:.2f} of {spec.for_seconds:g} s",
            )

    def _cooled_down(self, intent: e.IntentOpened, rule: str) -> None:
        policy = self._policy
        assert policy is not None
        if intent.episode in self._all.reopening:
            return
        spec = policy.rules[rule]
        slack = policy.actions[intent.action].deadline_seconds + 5.0
        for one in self._started:
            same = (one.rule, one.action) == (rule, intent.action)
            ago = self._world.now - one.at
            if one.intent in self._all.came and intent.target not in self._all.seen_late:
                continue  # it was given up, came after all, and nobody can know of it yet
            if same and one.episode != intent.episode and ago + slack < spec.cooldown_seconds:
                self._world.violated(
                    "cooldown holds", f"{intent.intent} of {rule}, {ago:.0f} s after {one}"
                )

    def _within_budget(self, intent: e.IntentOpened) -> None:
        policy = self._policy
        assert policy is not None
        limits = policy.limits
        since = self._world.now - limits.budget_seconds + 60.0
        used = [one for one in self._started if one.at > since]
        if len(used) > limits.budget_actions:
            self._world.violated("the budget holds", f"{intent.intent} is number {len(used)}")


def held_seconds(rule: RuleSpec, delivered: list[Delivered]) -> tuple[float, str]:
    """How long it was breached at most, by what was delivered; and what the last of it was.

    Written anew from the law, and kinder than the watchdog may be: blindness that only time shows
    is not counted.
    """
    assert isinstance(rule.signal, ValueThreshold)
    longest = longest_gap_seconds(rule.every_seconds)
    held, last, blind, status, sample = 0.0, None, None, "none", None
    for one in delivered:
        if one.value is None:
            blind, status = (one.at if blind is None else blind), "blind"
            continue
        if one.value <= rule.signal.bound.limit:
            held, last, blind, status = 0.0, None, None, "healthy"
            continue
        status = "breached"
        if one.sampled_at == sample:
            continue
        sample = one.sampled_at
        if last is not None:
            gap = one.at - last
            if blind is None and gap <= longest:
                held += gap
            else:
                began = last + longest if blind is None else min(blind, last + longest)
                held = 0.0 if one.at - began > rule.for_seconds + SLACK_SECONDS else held
        last, blind = one.at, None
    return held, status
