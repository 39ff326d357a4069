"""What a rule must keep before it may be trusted, whatever its form: the laws of an armed rule,
of objectives and windows, and of what its owner was granted. Each fault has place and remedy.
"""

from __future__ import annotations

from fractions import Fraction

from watchdog.core.naming import family_of
from watchdog.core.spec import PRESENT, Bound, Kind, SourceSpec
from watchdog.policy.platform import Platform
from watchdog.policy.problem import Entry, Findings
from watchdog.policy.rule_models import RuleShape, SloShape
from watchdog.policy.scalars import shown
from watchdog.policy.shape import closest

POLLS_FOR_ARMED = 3


def seconds_text(seconds: float) -> str:
    """A duration as it is written: 1h30m, 250ms."""
    millis = round(seconds * 1000)
    if millis == 0:
        return "0s"
    text = ""
    for word, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, millis = divmod(millis, size)
        text += f"{count}{word}" if count else ""
    return text


def check_armed(
    entry: Entry, shape: RuleShape, kind: str, every_seconds: float, findings: Findings
) -> None:
    """What an armed rule owes: a steady breach, enough events. Whether it may act without a
    reason (`armed_because`) is a matter of what it has earned, and decided while it watches.
    """
    if shape.mode != "armed":
        return
    here = entry.at("mode")
    if shape.override is not None:
        return
    needed = POLLS_FOR_ARMED * every_seconds
    polled = kind not in {Kind.SLO, Kind.EVENT}  # one event is a fact, and no sample
    if polled and (shape.for_ or 0.0) < needed:
        findings.refuse(
            entry.at("for") if shape.for_ else here,
            f"{entry.name} is armed "
            + (f"with `for: {seconds_text(shape.for_)}`" if shape.for_ else "without `for`")
            + f", and its samples come every {seconds_text(every_seconds)}",
            f"Write `for: {seconds_text(needed)}` or longer (three polls), or `override: REASON`.",
        )
    if is_ratio(shape) and shape.minimum_events is None:
        findings.refuse(
            here,
            f"{entry.name} is armed on a ratio without `minimum_events`",
            "Add `minimum_events: 30`, so that one failure of one request is no outage, "
            "or `override: REASON`.",
        )


def is_ratio(shape: RuleShape) -> bool:
    return shape.slo is not None or (shape.threshold is not None and shape.threshold.expr is None)


def check_keys(entry: Entry, shape: RuleShape, findings: Findings) -> None:
    """Keys that only mean something beside others; none is accepted and ignored."""
    if shape.minimum_events is not None and not is_ratio(shape):
        findings.refuse(
            entry.key_at("minimum_events"),
            "`minimum_events` is for ratios of counters",
            "Remove it, or write the rule with bad, total and over.",
        )
    if shape.playbook is None and shape.mode != "observe":
        findings.refuse(
            entry.at("mode"),
            f"{entry.name} has `mode: {shape.mode}` and no playbook",
            "Name a `playbook`, or write `mode: observe`.",
        )
    if shape.playbook is None and shape.up_to is not None:
        findings.refuse(entry.key_at("up_to"), "`up_to` without a playbook", "Name the playbook.")
    if shape.playbook is not None and not shape.runbook:
        findings.advise(
            entry.key, f"{entry.name} may lead to an action and has no runbook", "Add `runbook:`."
        )


def check_owner(entry: Entry, shape: RuleShape, owner: str, findings: Findings) -> None:
    """A rule is its folder's; the key may say so, and nothing else."""
    if shape.owner is not None and shape.owner != owner:
        findings.refuse(
            entry.at("owner"),
            f"the owner is the folder's name, {owner}",
            f"Write `owner: {owner}`, remove the line, or move the rule.",
        )


def check_grants(
    entry: Entry, shape: RuleShape, owner: str, platform: Platform, findings: Findings
) -> None:
    """The playbook exists, `up_to` is in it, and the owner may use all that the rule can reach."""
    if shape.playbook is None:
        return
    playbook = platform.playbooks.get(shape.playbook)
    if playbook is None:
        findings.refuse(
            entry.at("playbook"),
            f"there is no playbook {shape.playbook}",
            closest(shape.playbook, platform.playbooks),
        )
        return
    if not playbook.rungs:
        return  # refused itself, where it stands
    names = list(dict.fromkeys(family_of(rung.action) for rung in playbook.rungs))
    if shape.up_to is not None and shape.up_to not in names:
        findings.refuse(
            entry.at("up_to"),
            f"{shape.up_to} is not in the playbook {playbook.name}",
            closest(shape.up_to, names),
        )
        return
    granted = platform.grants.get(owner, frozenset())
    reach = names[: names.index(shape.up_to) + 1] if shape.up_to else names
    missing = [name for name in reach if name not in granted]
    if playbook.name not in granted:
        reached = f" with {', '.join(missing)}, which {entry.name} could reach" if missing else ""
        whole = ", ".join([*sorted(granted), playbook.name, *missing])
        findings.refuse(
            entry.at("playbook"),
            f"{owner} may not use the playbook {playbook.name}{reached}",
            f"The platform's file grants it: grants: {{{owner}: [{whole}]}}.",
        )
    elif missing:
        findings.refuse(
            entry.at("up_to" if shape.up_to else "playbook"),
            f"{owner} may not use {', '.join(missing)}, which {entry.name} could reach",
            "End it sooner with `up_to`, or let the platform grant it.",
        )


def check_slo(entry: Entry, slo: SloShape, source: SourceSpec, findings: Findings) -> None:
    """Exact arithmetic: a pair that can never fire would be a dead rule that looks alive."""
    if not 0 < slo.objective < 1:
        findings.refuse(
            entry.at("slo", "objective"),
            f"an objective of {slo.objective * 100:g} % leaves "
            + ("no budget to burn" if slo.objective else "nothing to keep"),
            "Write one below 100 % and above 0, like 99.9%.",
        )
        return
    for index, pair in enumerate(slo.burn):
        here = ("slo", "burn", index)
        if pair.budget == 0:
            findings.refuse(entry.at(*here, "budget"), "a budget of nothing", "Write one like 2%.")
        if pair.short >= pair.long:
            findings.refuse(
                entry.at(*here, "short"),
                f"the short window, {seconds_text(pair.short)}, is not shorter than the long, "
                f"{seconds_text(pair.long)}",
                "Write a short window of about a twelfth of the long one.",
            )
        if pair.long > slo.period:
            findings.refuse(
                entry.at(*here, "long"),
                f"the window {seconds_text(pair.long)} is longer than the period",
                "Shorten it.",
            )
        check_window(entry, (*here, "short"), pair.short, source.every_seconds, findings)
        factor = exact(pair.budget) * exact(slo.period) / exact(pair.long)
        if factor * (1 - exact(slo.objective)) >= 1:
            findings.refuse(
                entry.at(*here),
                f"this pair can never fire: burn {float(factor):g} of an objective of "
                f"{slo.objective * 100:g} % would need more than every event to be bad",
                "Write a smaller budget, a longer `long`, or a higher objective.",
            )


def exact(number: float) -> Fraction:
    """The decimal number that was written, not its binary neighbour."""
    return Fraction(str(number))


def check_window(
    entry: Entry, path: tuple[str | int, ...], window: float, every: float, findings: Findings
) -> None:
    if window < 2 * every:
        findings.refuse(
            entry.at(*path),
            f"a window of {seconds_text(window)} holds less than two samples, which come every "
            f"{seconds_text(every)}",
            f"Write {seconds_text(2 * every)} or longer.",
        )


def check_ratio_bound(entry: Entry, bound: Bound, findings: Findings) -> None:
    """A ratio lies between 0 and 1, and what breaches is too much of it."""
    here = entry.at("threshold", "breach_when")
    if bound.op == PRESENT:
        findings.refuse(
            here, "`present` is for expressions; a ratio is compared", 'Write it like "> 5%".'
        )
    elif bound.limit > 1 and "%" not in bound.text:
        number = bound.text.removeprefix(bound.op).strip()
        meant = bound.op in {">", ">="} and bound.limit < 100  # per cent
        how = f'If you mean per cent, write "{bound.op} {number}%".'
        findings.refuse(
            here,
            f"{shown(bound.text)} of a ratio would be {bound.limit * 100:g} %",
            how if meant else 'A ratio lies between 0 % and 100 %. Write it like "> 5%".',
        )
    elif bound.op not in {">", ">="}:
        findings.refuse(
            here,
            f"{shown(bound.text)}: a ratio of bad events breaches when it is above something",
            'Write it like "> 5%".',
        )
    elif bound.limit > 1 or (bound.limit == 1 and bound.op == ">"):
        findings.refuse(
            here, f"{shown(bound.text)} can never be true of a ratio", 'Write it like "> 5%".'
        )
    elif bound.limit == 0 and bound.op == ">=":
        findings.refuse(
            here, f"{shown(bound.text)} is always true of a ratio", 'Write "> 0%" or higher.'
        )
