"""When a rule rises to what it declares, and when it falls back to shadow: recorded, and paged.

Everything here only adds entries; what stands is folded from them (`merits.py`), and how far a rule
may go by it is a limit like others (`inputs.mode_limits`). A rule rises only while it is healthy
and has no open episode, so that rising starts nothing. Every fall is paged.
"""

from __future__ import annotations

from collections.abc import Iterable

from watchdog.core import promotions as p
from watchdog.core.book import Book, Episode
from watchdog.core.draft import Draft
from watchdog.core.evidence import Readiness, limit_of, missing
from watchdog.core.gates import lowest
from watchdog.core.inputs import Scene, Sight, earned_limit, last_rung, mode_limits, readiness
from watchdog.core.naming import family_of
from watchdog.core.spec import Policy, RuleSpec
from watchdog.core.standing import MANUAL
from watchdog.core.text import duration
from watchdog.core.words import Instant, Mode, Status


def attend(rule: RuleSpec, sight: Sight, scene: Scene) -> None:
    """Count its time in shadow, and let it rise when it has earned to; of members the family."""
    if rule.member:
        return
    shown = scene.draft.book.merits.shadowing.get(rule.name)
    if shown is None and (rule.playbook is None or rule.mode is Mode.OBSERVE):
        return
    _count(rule, shown, sight, scene)
    needed = scene.facts.shadow_seconds
    if needed is None or rule.mode <= Mode.SHADOW or sight.verdict.status is not Status.HEALTHY:
        return
    draft = scene.draft
    if earned_limit(rule, draft.book, scene.facts) is None:
        return
    if not draft.book.open_of(rule.name) and not lacks(
        rule, scene.policy, draft.book, needed, draft.now
    ):
        seen = duration(draft.book.merits.evidence[rule.proof].clean_seconds(draft.now))
        reason = f"{seen} in shadow, its unit tests pass, its actions are ready"
        draft.add(p.RulePromoted(rule.name, rule.proof, reason))


def _count(rule: RuleSpec, shown: str | None, sight: Sight, scene: Scene) -> None:
    draft = scene.draft
    if _in_shadow(rule, scene):
        if shown != rule.proof and sight.verdict.status is not Status.BLIND:
            draft.add(p.ShadowBegan(rule.name, rule.proof))
    elif shown is not None:
        limit = lowest(mode_limits(rule, None, 0, scene.policy, scene.facts, draft.book, draft.now))
        reason = f"{limit.mode.word}, by {limit.who}" if rule.playbook else "without a playbook"
        draft.add(p.ShadowEnded(rule.name, shown, reason))


def _in_shadow(rule: RuleSpec, scene: Scene) -> bool:
    """Whether shadow is the lowest of what limits its first rung; asked at every pass."""
    if rule.playbook is None:
        return False
    first = scene.policy.playbooks[rule.playbook].rungs[0].mode
    mode = min(scene.facts.max_mode, rule.mode, first)
    if mode <= Mode.SHADOW:
        return mode is Mode.SHADOW
    return earned_limit(rule, scene.draft.book, scene.facts) is not None


def lacks(
    rule: RuleSpec, policy: Policy, book: Book, shadow_seconds: float, now: Instant
) -> tuple[str, ...]:
    """What is missing to be armed by evidence, in words."""
    merits = book.merits
    fall, evidence = merits.falls.get(rule.family), merits.evidence.get(rule.proof)
    return missing(evidence, fall, ready_to_act(rule, policy, book), shadow_seconds, now)


def ready_to_act(rule: RuleSpec, policy: Policy, book: Book) -> tuple[Readiness, ...]:
    """The actions that it may start by itself, each as its preflight last saw it."""
    rungs = policy.playbooks[rule.playbook].rungs if rule.playbook is not None else ()
    reached = (r for r in rungs[: last_rung(rule, policy) + 1] if r.mode is Mode.ARMED)
    return tuple(Readiness(r.action, *readiness(policy.actions[r.action], book)) for r in reached)


def policy_changed(
    old: Policy | None, new: Policy, draft: Draft, shadow_seconds: float | None
) -> None:
    """A text that was armed and is not any more falls back; other words in armed_because lift."""
    merits, asked = draft.book.merits, shadow_seconds is not None
    for rule in new.rules.values():
        was = old.rules.get(rule.name) if old is not None else None
        fall = merits.falls.get(rule.name)
        if fall is not None and rule.armed_because not in {"", fall.armed_because}:
            reason = f"armed again: {rule.armed_because}"
            draft.add(p.RulePromoted(rule.name, rule.proof, reason))
            continue
        if was is None or was.mode is not Mode.ARMED or rule.mode is not Mode.ARMED:
            continue
        before = limit_of(was, merits.evidence.get(was.proof), fall, asked=asked)
        after = limit_of(rule, merits.evidence.get(rule.proof), fall, asked=asked)
        if before is None and after is not None:
            why = "its text is another one" if was.proof != rule.proof else "armed_because is gone"
            _demote(rule, p.RuleDemoted(rule.name, rule.proof, f"{why}, without evidence"), draft)
        elif before is not None and after is None:
            reason = rule.armed_because or "this text had earned it before"
            draft.add(p.RulePromoted(rule.name, rule.proof, reason))


def marked(ep: Episode, mark: str, rule: RuleSpec | None, actor: str, draft: Draft) -> None:
    """Called before the mark is recorded: what a `false` costs the rule."""
    if mark != "false" or ep.mark == "false" or ep.rule == MANUAL:
        return
    merits = draft.book.merits
    if ep.effected:
        same = rule is not None and rule.sha256 == ep.rule_sha256
        demoted = p.RuleDemoted(
            rule=family_of(ep.rule),
            sha256=rule.proof if rule is not None and same else "",
            reason=f"{ep.id} was a false action, {actor} says",
            actor=actor,
            episode=ep.id,
            armed_because=rule.armed_because if rule is not None else "",
        )
        _demote(rule, demoted, draft, ep)
        return
    kept = merits.evidence.get(rule.proof) if rule is not None else None
    if rule is None or kept is None or kept.promoted is None:
        return
    if any(act.episode == ep.id for act in kept.would_acts):
        reason = f"{ep.id}, on which its evidence rests, was marked false by {actor}"
        _demote(rule, p.RuleDemoted(rule.family, rule.proof, reason, actor), draft)


def take_results(results: Iterable[p.RuleTested], policy: Policy, draft: Draft) -> None:
    """Record what unit tests said; a promoted text that fails them falls back."""
    for result in results:
        draft.add(result)
        rule = policy.rules.get(result.rule)
        promoted = draft.book.merits.evidence[result.sha256].promoted is not None
        if rule is None or result.passed or not promoted or rule.proof != result.sha256:
            continue
        if not rule.armed_because:
            reason = f"its unit tests fail: {result.reason}"
            _demote(rule, p.RuleDemoted(rule.name, rule.proof, reason, result.actor), draft)


def news(results: Iterable[p.RuleTested], book: Book) -> tuple[p.RuleTested, ...]:
    """Those that say something else than what is on the record."""
    found = []
    for result in results:
        kept = book.merits.evidence.get(result.sha256)
        known = kept.tested if kept is not None else None
        if known is None or (known.passed, known.reason) != (result.passed, result.reason):
            found.append(result)
    return tuple(found)


def _demote(
    rule: RuleSpec | None, demoted: p.RuleDemoted, draft: Draft, ep: Episode | None = None
) -> None:
    draft.add(demoted)
    title = f"{demoted.rule} keeps to shadow from here on: {demoted.reason}"
    how = (
        "It acts again when armed_because has other words, applied, or when another text has "
        "earned it."
        if demoted.episode
        else "It acts again when it has earned it."
    )
    body = f"{how} See: slo-watchdog evidence {demoted.rule}"
    if rule is not None:
        draft.page_about_rule(rule, "demoted", title, body)
    elif ep is not None:
        draft.page(ep, title, body)
