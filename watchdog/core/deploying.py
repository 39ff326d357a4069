"""What deploys mean for actions, and what rollbacks mean for deploys.

Laws
* While a deploy is under way on a target, no action of it starts by itself; nothing that begins
  meanwhile is already burning. When it is over, what was seen during it is no evidence alone: the
  breach must be seen once more, by a look that began afterwards.
* No deploy keeps actions back for longer than the policy's `deploy_max`; people are told once.
* A deploy does not begin while an intent is open on its target, nor after a rollback of it, until
  a person lifts the freeze.
"""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote

from watchdog.core import entries as e
from watchdog.core.anew import after_deploy
from watchdog.core.book import Book, Episode
from watchdog.core.changes import PAGE, Deploy
from watchdog.core.deploys import ALL, DeployOutcome
from watchdog.core.draft import Draft
from watchdog.core.probes import Probed
from watchdog.core.restorable import first_bad_of
from watchdog.core.spec import Policy, RuleSpec, Rung
from watchdog.core.states import State
from watchdog.core.text import duration
from watchdog.core.words import Instant, Severity, Verdict

EXPIRY = "expiry"


@dataclass(frozen=True, slots=True)
class Deployed:
    """The gates' inputs about deploys, by their names there."""

    deploys: tuple[str, ...] = ()
    attribute_within: float | None = None
    change: str = ""


def deployed(
    rule: RuleSpec, ep: Episode, rung: Rung, verdict: Verdict, policy: Policy, draft: Draft
) -> Deployed:
    """For one rung of one episode, now."""
    target, book = policy.actions[rung.action].target, draft.book
    standing = keeping_back(target, policy, book, draft.now)
    waits = _awaits_look(rule, verdict, target, policy, book, draft.now)
    within = rung.attribute_within_seconds
    return Deployed(
        deploys=standing or waits,
        attribute_within=within,
        change="" if within is None else _change_before(rule, ep, target, within, draft),
    )


# -- under way -------------------------------------------------------------------------------------


def keeping_back(target: str, policy: Policy, book: Book, now: Instant) -> tuple[str, ...]:
    """Every deploy that keeps the target's actions back now, in words."""
    most = policy.limits.deploy_max_seconds
    return tuple(
        f"deploy of {one.target} under way since {_utc(one.began)}, "
        f"until {_utc(one.over(most))} by {one.actor}"
        for one in book.deploys.of(target)
        if one.keeps_back(most, now)
    )


def began_after(said: Instant, target: str, policy: Policy, book: Book, now: Instant) -> bool:
    """Whether one that keeps the target's actions back now had not begun when that was said."""
    most = policy.limits.deploy_max_seconds
    return any(
        one.keeps_back(most, now) and one.began.steady > said.steady
        for one in book.deploys.of(target)
    )


def _awaits_look(
    rule: RuleSpec, verdict: Verdict, target: str, policy: Policy, book: Book, now: Instant
) -> tuple[str, ...]:
    """What was seen of a half-copied target proves nothing about the whole one.

    Where so many of the last looks make a breach, as many must be behind the deploy as would show
    that there is none.
    """
    most = policy.limits.deploy_max_seconds
    ended = [*book.deploys.last_of(target), *book.deploys.of(target)]
    overs = [(one.over(most), one) for one in ended if one.over(most).steady <= now.steady]
    if not overs:
        return ()
    over, one = max(overs, key=lambda found: found[0].steady)
    signal = rule.signal
    more = signal.looks - signal.fails if isinstance(signal, Probed) else 0
    if _looked_at(verdict) > over.steady + more * rule.every_seconds:
        return ()
    looks = f"{more + 1} looks" if more else "a look"
    return (f"deploy of {one.target} was over at {_utc(over)}: waits for {looks} after it",)


def _looked_at(verdict: Verdict) -> float:
    """When what it rests on was so at the latest, by the steady clock."""
    sampled = verdict.at.wall if verdict.sampled_at is None else verdict.sampled_at
    return verdict.at.steady - max(0.0, verdict.at.wall - sampled)


# -- the change record -----------------------------------------------------------------------------


def _change_before(rule: RuleSpec, ep: Episode, target: str, within: float, draft: Draft) -> str:
    """The newest deploy of the target that may have led to this, in words; "" where none may.

    The first bad sample lies in the window that was breached: what came before its end may be it.
    """
    seen, first = ep.breached_at, first_bad_of(rule, ep)
    if seen is None or first is None:
        return ""
    earliest = seen.steady - (seen.wall - first) - within
    found = [
        one
        for one in draft.book.deploys.every()
        if one.target in {target, ALL}
        and one.began.steady <= seen.steady
        and (one.ended or draft.now).steady >= earliest
    ]
    return told(max(found, key=lambda one: one.began.steady)) if found else ""


def told(one: Deploy) -> str:
    """One deploy, for people: "P3 (v2.1) of config:/srv/x by pipeline ci, begun ..."."""
    change = f" ({one.change})" if one.change else ""
    ended = f", {one.outcome} {_utc(one.ended)}" if one.ended is not None else ""
    return f"{one.name}{change} of {one.target} by {one.actor}, begun {_utc(one.began)}{ended}"


# -- freezes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frozen:
    """Why a target may not be deployed."""

    target: str
    episode: str
    why: str

    @property
    def lifted_by(self) -> str:
        return f"slo-watchdog deploy unfreeze {quote(self.target)} --reason TEXT"


def frozen(target: str, book: Book) -> tuple[Frozen, ...]:
    """Of the target, or of every target for ALL; each episode once, by its strongest reason."""
    deploys = book.deploys
    why: dict[tuple[str, str], str] = {}
    for claim in book.every_claim():
        why.setdefault((claim.target, claim.episode), f"{claim.episode} rolled it back")
    for bad in book.anchors.bad.values():
        text = f"{bad.episode} rolled it back, and its content is quarantined"
        why.setdefault((bad.target, bad.episode), text)
    for name, touching in deploys.touched.items():
        for episode in touching:
            ep = book.episodes.get(episode)
            if ep is not None and ep.state is State.LATCHED:
                text = f"{episode} was to roll it back, and a person must look"
                why.setdefault((name, episode), text)
    return tuple(
        Frozen(name, episode, text)
        for (name, episode), text in why.items()
        if target in {name, ALL} and not deploys.is_lifted(name, episode)
    )


def refusal(target: str, book: Book) -> str:
    """Why a deploy of the target may not begin now; "" where it may."""
    for held in book.intents.values():
        entry = held.entry
        if target in {entry.target, ALL}:
            return (
                f"{entry.intent} ({entry.direction.value} {entry.action} for {entry.episode}) "
                f"is under way on {entry.target}: wait until it has ended"
            )
    for one in frozen(target, book):
        return (
            f"{one.target} is frozen: {one.why}. A person lifts that, when what is to be deployed "
            f"is not what was rolled back: {one.lifted_by}"
        )
    one_open = book.deploys.open.get(target)
    if one_open is not None:
        return (
            f"a deploy of {target} is under way: {told(one_open)}. It ends by itself at "
            f"{_utc(one_open.expires)}, or by: slo-watchdog deploy end {quote(target)}"
        )
    return ""


# -- time ------------------------------------------------------------------------------------------


def tend_deploys(policy: Policy, draft: Draft) -> None:
    """End what nobody ended, and tell once of what lasts longer than it may keep actions back."""
    most = policy.limits.deploy_max_seconds
    for one in list(draft.book.deploys.open.values()):
        if draft.now.steady >= one.expires.steady:
            why = "its time is over, and nobody said that it has ended"
            draft.add(e.DeployEnded(one.name, one.target, DeployOutcome.EXPIRED, EXPIRY, why))
            for doubt in after_deploy(one.target, policy, draft.book):
                draft.add(doubt)
        elif not one.told and draft.now.steady >= one.over(most).steady:
            draft.tell(
                f"{PAGE}{one.name}",
                Severity.P1,
                f"a deploy of {one.target} lasts longer than {duration(most)}",
                f"{told(one)}. From now on it keeps no action back. When it is over: "
                f"slo-watchdog deploy end {quote(one.target)}",
            )


def _utc(at: Instant) -> str:
    return at.utc.strftime("%Y-%m-%d %H:%M:%SZ")
