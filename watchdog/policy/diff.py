"""What loading a policy would change, in plain sentences, before it is loaded.

To widen is to let the watchdog act more: sooner, on less, further, or more often. A change that
makes it act less is named as a change. Nothing here loads anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from watchdog.core.channels import EventSignal
from watchdog.core.keeping import keeper, left_alone
from watchdog.core.naming import family_of
from watchdog.core.spec import (
    ActionSpec,
    Bound,
    Policy,
    RatioThreshold,
    RuleSpec,
    Slo,
    ValueThreshold,
)
from watchdog.core.standing import Claim
from watchdog.core.words import Mode
from watchdog.policy.around import around
from watchdog.policy.change import Change, Effect
from watchdog.policy.laws import seconds_text
from watchdog.policy.reach import gained, lost


def compare(old: Policy | None, new: Policy, claims: Iterable[Claim] = ()) -> list[Change]:
    """All changes, the ones that let more happen first. `old` None: everything is new.

    `claims` are what open episodes hold now, so that nothing is taken from under them unsaid.
    """
    found = [
        *_rules(old, new),
        *_rungs(old, new),
        *_things(old, new),
        *_held(old, new, claims),
        *_windows(old, new),
        *_limits(old, new),
        *around(old, new),
    ]
    order = list(Effect)
    return sorted(set(found), key=lambda c: (order.index(c.effect), c.subject, c.text))


def rearmed(old: Policy | None, new: Policy) -> tuple[str, ...]:
    """Rules that may act, or ask to, where they might not before: they must once be clear first."""
    return tuple(
        name
        for name, rule in sorted(new.rules.items())
        if rule.playbook is not None and gained(old, new, name)
    )


def hear_anew(old: Policy | None, new: Policy) -> tuple[str, ...]:
    """Event rules that are judged by another text: by it, what was heard before is not fresh."""
    return tuple(
        name
        for name, rule in sorted(new.rules.items())
        if isinstance(rule.signal, EventSignal)
        and (old is None or name not in old.rules or old.rules[name].sha256 != rule.sha256)
    )


def removed(old: Policy | None, new: Policy) -> tuple[str, ...]:
    return tuple(sorted(set(old.rules) - set(new.rules))) if old else ()


def _rules(old: Policy | None, new: Policy) -> Iterator[Change]:
    for name in removed(old, new):
        yield Change(Effect.REMOVE, name, f"{name} is removed; its open episodes stay until closed")
    for name, rule in new.rules.items():
        was = old.rules.get(name) if old else None
        if was is None and rule.mode < Mode.APPROVE:
            yield Change(Effect.CHANGE, name, f"{name} is new, in {rule.mode.word}")
        if was is not None:
            yield from _rule(was, rule)
        if old is not None and was is not None and rule.mode >= was.mode:
            yield from _disarming(old, new, name)
    for name in rearmed(old, new):
        yield _arming(old, new, name)


def _disarming(old: Policy, new: Policy, name: str) -> Iterator[Change]:
    """What its playbook, or how far it may go, takes from a rule whose own mode does not."""
    for action, left in lost(old, new, name).items():
        verb = "must now ask before it does" if left is Mode.APPROVE else "may no longer do"
        yield Change(Effect.CHANGE, name, f"{name} {verb} {action}")


def _arming(old: Policy | None, new: Policy, name: str) -> Change:
    does = ", ".join(
        f"{'do' if mode is Mode.ARMED else 'ask to do'} {action}"
        for action, mode in gained(old, new, name).items()
    )
    known = old is not None and name in old.rules
    rule = new.rules[name]
    is_new = f"{name} is new, in {rule.mode.word}, and may {does}"
    said = f"{name} may now {does}" if known else is_new
    if rule.mode is Mode.ARMED and not rule.armed_because:
        said += ", once it has earned it (slo-watchdog evidence) and was clear"
        return Change(Effect.ARM, name, said)
    return Change(Effect.ARM, name, f"{said}, once it was clear: {rule.mode_reason}")


def _rule(was: RuleSpec, now: RuleSpec) -> Iterator[Change]:
    name = now.name
    if now.mode is not was.mode:
        yield Change(Effect.CHANGE, name, f"{name} goes from {was.mode.word} to {now.mode.word}")
    elif was.mode is now.mode is Mode.ARMED and was.armed_because != now.armed_because:
        yield _reasoned(now)
    if was.owner != now.owner:
        yield Change(Effect.CHANGE, name, f"{name} goes from {was.owner} to {now.owner}")
    if was.labels != now.labels:
        text = f"{name} has other labels: silences in Alertmanager go by them"
        yield Change(Effect.CHANGE, name, text)
    if (was.summary, was.runbook, was.impact) != (now.summary, now.runbook, now.impact):
        yield Change(Effect.CHANGE, name, f"{name} tells people something else")
    if was.sha256 != now.sha256:
        text = f"{name} is judged by a new text; its `for` starts again"
        if isinstance(now.signal, EventSignal):
            text += ", and by events heard before it starts nothing"
        earns = now.playbook and now.mode >= Mode.SHADOW and not now.armed_because
        if was.proof != now.proof and earns:
            text += ", and what it has earned in shadow was the old one's (slo-watchdog evidence)"
        yield Change(Effect.RESET, name, text)
    more = (*_timing(was, now), *_signal(was, now)) if now.mode >= Mode.APPROVE else ()
    for what in more:
        yield Change(Effect.WIDEN, name, f"{name} {what}")


def _reasoned(now: RuleSpec) -> Change:
    """Other words in `armed_because` end what a false action took away."""
    if not now.armed_because:
        text = f"{now.name} keeps to shadow until it has earned to act: armed_because is gone"
        return Change(Effect.CHANGE, now.name, text)
    text = f"{now.name} may act without earned evidence: {now.armed_because}"
    return Change(Effect.WIDEN, now.name, text)


def _timing(was: RuleSpec, now: RuleSpec) -> Iterator[str]:
    if now.for_seconds < was.for_seconds:
        yield (
            f"acts sooner: after {seconds_text(now.for_seconds)} in place of "
            f"{seconds_text(was.for_seconds)} of breach"
        )
    if now.cooldown_seconds < was.cooldown_seconds:
        yield (
            f"acts again sooner: cooldown {seconds_text(now.cooldown_seconds)} in place of "
            f"{seconds_text(was.cooldown_seconds)}"
        )
    if now.minimum_events < was.minimum_events:
        yield f"acts on fewer events: {now.minimum_events:g} in place of {was.minimum_events:g}"
    if now.stale_after_seconds > was.stale_after_seconds:
        yield (
            f"acts on older samples: up to {seconds_text(now.stale_after_seconds)} in place of "
            f"{seconds_text(was.stale_after_seconds)}"
        )
    gone = sorted(set(was.corroborate) - set(now.corroborate))
    if gone:
        yield f"acts without asking {', '.join(gone)}"


def _signal(was: RuleSpec, now: RuleSpec) -> Iterator[str]:
    before, after = was.signal, now.signal
    if isinstance(before, Slo) and isinstance(after, Slo):
        yield from _slo(before, after)
    thresholds = (RatioThreshold, ValueThreshold)
    if isinstance(before, thresholds) and isinstance(after, thresholds):
        if _tighter(before.bound, after.bound):
            yield f"breaches at {after.bound.text} in place of {before.bound.text}"
        if isinstance(after, ValueThreshold) and after.allow_infinite:
            known = isinstance(before, ValueThreshold) and before.allow_infinite
            if not known:
                yield "breaches on infinity too"


def _slo(before: Slo, after: Slo) -> Iterator[str]:
    if after.objective > before.objective:
        yield (
            f"breaches sooner: objective {after.objective * 100:g} % in place of "
            f"{before.objective * 100:g} %"
        )
    lowest = {(p.long_seconds, p.short_seconds): p.factor for p in before.pairs}
    for pair in after.pairs:
        windows = f"{seconds_text(pair.long_seconds)} and {seconds_text(pair.short_seconds)}"
        factor = lowest.get((pair.long_seconds, pair.short_seconds))
        if factor is None:
            yield f"breaches also at burn {pair.factor:g} over {windows}"
        elif pair.factor < factor:
            yield f"breaches at burn {pair.factor:g} in place of {factor:g} over {windows}"


def _tighter(before: Bound, after: Bound) -> bool:
    """Whether more values breach than before; another kind of comparison counts as more."""
    if before.op[0] != after.op[0] or before.op in {"==", "!="}:
        return (before.op, before.limit) != (after.op, after.limit)
    if before.limit == after.limit:
        return len(after.op) > len(before.op)  # "> 5" to ">= 5"
    return (after.limit < before.limit) == (before.op[0] == ">")


def _rungs(old: Policy | None, new: Policy) -> Iterator[Change]:
    for name, playbook in new.playbooks.items():
        before = old.playbooks.get(name) if old else None
        if before is None or name != family_of(name):  # a member's is part of its family's
            continue
        known = {rung.action: rung for rung in before.rungs}
        for rung in playbook.rungs:
            was = known.get(rung.action)
            if was is None:
                text = f"the playbook {name} may also climb to {rung.action} ({rung.mode.word})"
                yield Change(Effect.WIDEN, name, text)
                continue
            if rung.mode > was.mode:
                text = f"the playbook {name} raises {rung.action} to {rung.mode.word}"
                yield Change(Effect.WIDEN, name, text)
            if rung.approvals < was.approvals:
                text = (
                    f"the playbook {name} asks {rung.approvals} instead of {was.approvals} people "
                    f"for {rung.action}"
                )
                yield Change(Effect.WIDEN, name, text)
            if rung.within_seconds < was.within_seconds:
                text = (
                    f"the playbook {name} gives {rung.action} up sooner, after "
                    f"{seconds_text(rung.within_seconds)}"
                )
                yield Change(Effect.WIDEN, name, text)
        order = [r.action for r in before.rungs if r.action in {n.action for n in playbook.rungs}]
        if order != [r.action for r in playbook.rungs if r.action in known]:
            yield Change(Effect.WIDEN, name, f"the playbook {name} climbs in another order")


def _action(was: ActionSpec, now: ActionSpec) -> Iterator[Change]:
    name, before, after = now.name, was.drilled_within_seconds, now.drilled_within_seconds
    if before != after and after is not None:
        within = seconds_text(after)
        text = f"the action {name} asks people where no drill of it passed within {within}"
        wider = before is not None and after > before
        yield Change(Effect.WIDEN if wider else Effect.CHANGE, name, text)
    elif before != after:
        text = f"the action {name} starts by itself whatever the age of its last drill"
        yield Change(Effect.WIDEN, name, text)
    if was.sha256 != now.sha256 and replace(
        was, drilled_within_seconds=after, sha256=""
    ) != replace(now, sha256=""):
        yield Change(Effect.CHANGE, name, f"the action {name} is done or proven differently")


def _things(old: Policy | None, new: Policy) -> Iterator[Change]:
    if old is None:
        return
    for name in sorted(set(old.actions) - set(new.actions)):
        yield Change(Effect.REMOVE, name, f"the action {name} is removed")
    for name, action in new.actions.items():
        was = old.actions.get(name)
        if was is None:
            yield Change(Effect.CHANGE, name, f"the action {name} is new: {action.target}")
            continue
        yield from _action(was, action)
        if old.verification.get(name) != new.verification.get(name):
            yield Change(Effect.CHANGE, name, f"the action {name} is verified differently")
    for name in sorted(set(old.sources) - set(new.sources)):
        yield Change(Effect.REMOVE, name, f"the source {name} is removed")
    for name, source in new.sources.items():
        if name not in old.sources:
            yield Change(Effect.CHANGE, name, f"the source {name} is new")
        elif old.sources[name] != source:
            yield Change(Effect.CHANGE, name, f"the source {name} is read differently")


def _held(old: Policy | None, new: Policy, claims: Iterable[Claim]) -> Iterator[Change]:
    """An action that goes, or that changes another target, while an episode holds by it."""
    claims = tuple(claims)
    alone = left_alone(claims, old, new)
    for claim in claims:
        was, now = keeper(claim, old) if old else None, keeper(claim, new)
        name = was.name if was is not None else claim.action
        said = f"the action {name} holds {claim.target} for {claim.episode}; "
        if claim in alone:
            said += (
                f"without {name} its drift is no longer watched and undo is not possible. "
                f"Undo {claim.episode} before, or close it afterwards"
            )
            yield Change(Effect.REMOVE, name, said)
        elif now is not None and now.name != name:
            said += f"from now on {now.name} watches and undoes it"
            yield Change(Effect.REMOVE, name, said)


def _windows(old: Policy | None, new: Policy) -> Iterator[Change]:
    """A window that goes or moves may let through what it held back."""
    windows = {window.name: window for window in new.windows}
    for window in old.windows if old else ():
        if window.name not in windows:
            text = f"the maintenance window {window.name} ({window.scope.text}) is removed"
            yield Change(Effect.WIDEN, window.name, text)
        elif windows[window.name] != window:
            text = f"the maintenance window {window.name} covers another time or scope"
            yield Change(Effect.WIDEN, window.name, text)


def _limits(old: Policy | None, new: Policy) -> Iterator[Change]:
    if old is None:
        return
    was, now = old.limits, new.limits
    rate = now.budget_actions / now.budget_seconds > was.budget_actions / was.budget_seconds
    if rate or now.budget_actions > was.budget_actions:
        text = (
            f"the budget grows from {was.budget_actions} automatic actions in "
            f"{seconds_text(was.budget_seconds)} to {now.budget_actions} in "
            f"{seconds_text(now.budget_seconds)}"
        )
        yield Change(Effect.WIDEN, "budget", text)
    if now.blast_radius > was.blast_radius:
        text = f"the blast radius grows from {was.blast_radius} to {now.blast_radius} targets"
        yield Change(Effect.WIDEN, "blast-radius", text)
    if now.deploy_max_seconds != was.deploy_max_seconds:
        text = (
            f"a deploy keeps actions back for {seconds_text(now.deploy_max_seconds)} at most "
            f"instead of {seconds_text(was.deploy_max_seconds)}"
        )
        effect = Effect.WIDEN if now.deploy_max_seconds < was.deploy_max_seconds else Effect.CHANGE
        yield Change(effect, "deploy-max", text)
