"""`explain` for people: tables, a plot, and the sentences that say what the numbers rest on."""

from __future__ import annotations

import math
from collections.abc import Sequence

from watchdog.cli.page import Page, plain, span, word
from watchdog.core.spec import Kind
from watchdog.core.text import duration, number, percent
from watchdog.lab.explain import Explanation
from watchdog.lab.explain.formulae import Span
from watchdog.lab.explain.needs import RungTold
from watchdog.lab.explain.plot import plot
from watchdog.lab.explain.ratios import PairTold, Ratios, Row, Shifted

NEVER = "never"


def show_explanation(page: Page, told: Explanation) -> None:
    page.line(plain(told.rule, "bold"), f": {told.says}")
    page.line(f"{told.where} in {told.environment}, {told.kind}, {told.mode}")
    follows = "acted on" if told.gates else "people are told"  # without a playbook nothing is done
    page.title("Events" if told.kind == Kind.EVENT else "Samples")
    page.rows(_heard(told) if told.kind == Kind.EVENT else _rhythm(told))
    if told.kind == Kind.EVENT:
        page.title("Detection")
        page.line(f"{follows} {_span(told.acts)} after it is told, if it stands", indent=2)
    elif told.ratios is None:
        page.title("Detection")
        page.line(
            f"{follows} {_span(told.acts)} after the value is what breaches, if it stays so",
            indent=2,
        )
    else:
        _show_ratios(page, told, told.ratios)
    page.title("What this rests on")
    for note in told.notes:
        page.line(note, indent=2)
    page.title("Gates")
    if told.gates:
        page.rows([(need.gate, need.needs) for need in told.gates])
    else:
        page.line("none is asked: without a playbook the rule only tells", indent=2)
    if told.ladder:
        page.title("Playbook")
        for rung in told.ladder:
            _show_rung(page, rung)


def _heard(told: Explanation) -> list[tuple[str, str]]:
    every, page_after = duration(told.rhythm.every), duration(told.page_after_seconds)
    lasts = f"stand for {duration(told.for_seconds)}" if told.for_seconds else "no time"
    keeps = f"{duration(told.keep_firing_seconds)} without one" if told.keep_firing_seconds else ""
    deaf = f"while the channel's credential cannot be read, which is tried every {every}"
    return [
        ("judged", "in the pass in which it is told"),
        ("must", lasts),
        ("ends after", keeps or "the last one is over"),
        ("blind", f"{deaf}; people are told after {page_after} of it"),
    ]


def _rhythm(told: Explanation) -> list[tuple[str, str]]:
    rhythm = told.rhythm
    lasts = f"{duration(rhythm.lasting)} of samples" if rhythm.lasting else "one sample is enough"
    if told.for_seconds:
        lasts = f"{duration(told.for_seconds)}, that is {lasts}"
    keeps = f"{duration(told.keep_firing_seconds)} healthy" if told.keep_firing_seconds else ""
    stale, page_after = duration(told.stale_after_seconds), duration(told.page_after_seconds)
    return [
        ("a sample every", duration(rhythm.every)),
        ("shown by a poll within", duration(rhythm.wait)),
        ("must last", lasts),
        ("ends after", keeps or "one healthy sample"),
        ("blind after", f"{stale} without a new sample; people are told after {page_after} of it"),
    ]


def _show_ratios(page: Page, told: Explanation, ratios: Ratios) -> None:
    if not ratios.rows:
        page.title("Limits")
        page.rows(_limits(told, ratios))
        return
    page.title("Detection, by the share of events that fails from one moment on")
    rows = _rows(ratios)
    page.rows(rows, right=frozenset(range(len(rows[0]) - 1)))
    lines = plot(ratios.curve, width=max(30, min(72, page.width - 16)))
    if lines:
        page.title("Acts after at most (both scales logarithmic)")
        for line in lines:
            page.line(line, indent=2)
    page.title("Limits")
    page.rows(_limits(told, ratios))
    page.title("Acts after, when traffic changes as the outage begins")
    page.rows(_shifted(ratios.shifted), right=frozenset(range(6)))


def _rows(ratios: Ratios) -> list[tuple[str, ...]]:
    """Burn and budget only where there is an objective."""
    head = ("errors", "burn", "seen after", "acts after", "reset after", "budget", "with action")
    table = [(*head, "by"), *(_row(row) for row in ratios.rows)]
    if any(row.burn is not None for row in ratios.rows):
        return table
    return [(row[0], *row[2:5], row[7]) for row in table]


def _row(row: Row) -> tuple[str, ...]:
    events = "" if row.bad_events is None else f", {math.ceil(row.bad_events)} bad events"
    by = f"the {row.by} window{events}" if row.acts else ""
    return (
        percent(row.ratio),
        "-" if row.burn is None else number(row.burn),
        _span(row.seen),
        _span(row.acts),
        "-" if row.reset is None else _span(row.reset),
        "-" if row.spent_seen is None else percent(row.spent_seen),
        "-" if row.spent_acted is None else percent(row.spent_acted),
        by,
    )


def _limits(told: Explanation, ratios: Ratios) -> list[tuple[str, str]]:
    asked = told.asked
    above = "at least" if ratios.inclusive else "more than"
    rows = [("seen at all", f"{above} {percent(ratios.smallest)} of events failing")]
    if ratios.minimum_events:
        least = f"{number(ratios.minimum_events)} events in each long window: "
    else:
        least = "an event in every window: "
    rows.append(("traffic needed", f"{least}{_rate(ratios.needed_rate)}; with less it is blind"))
    if asked.traffic is None:
        return rows
    short = "" if asked.traffic >= ratios.needed_rate else " (too little: some windows are blind)"
    rows.append(("traffic supposed", _rate(asked.traffic) + short))
    rows += [
        (
            f"within {duration(pair.long_seconds)}",
            f"{pair.fewest_bad} bad of {number(pair.events or 0.0)} events breach"
            + _few(pair, ratios.minimum_events),
        )
        for pair in ratios.pairs
        if pair.fewest_bad is not None
    ]
    few = max(1.0, ratios.minimum_events)
    took = duration(math.ceil(few / asked.traffic))
    rows.append(("recovery", f"is judged by {number(few)} events after the effect, {took}"))
    return rows + _chance(told, ratios)


def _few(pair: PairTold, minimum_events: float) -> str:
    if (pair.events or 0.0) < minimum_events:
        return ", but so few are not judged"
    return ": one event is enough" if (pair.fewest_bad or 0) <= 1 else ""


def _chance(told: Explanation, ratios: Ratios) -> list[tuple[str, str]]:
    chance, base = ratios.chance, told.asked.base
    if chance is None:  # traffic was said, so nothing is left to chance
        return [("false alarms", f"one that never ends: {percent(base)} of events always fail")]
    if base <= 0:
        return [("false alarms", "none by chance, when nothing fails; --base-rate says what does")]
    month = _small(chance.per_month)
    once = f"one look at the long window in {_one_in(chance.per_window)}"
    return [
        ("false alarms", f"{once}, with {percent(base)} of events failing each by itself"),
        ("", f"{month} a month on average, at most: `for` makes it fewer, failures in crowds more"),
    ]


def _one_in(chance: float) -> str:
    return f"{number(1 / chance)}" if chance > 1e-12 else "more than 10^12"


def _small(value: float) -> str:
    return number(value) if value >= 1e-6 else "less than a millionth"


def _shifted(shifted: Sequence[Shifted]) -> list[tuple[str, ...]]:
    growths = sorted({one.growth for one in shifted})
    rows = [("errors", *(f"{growth:g}x" for growth in growths), "")]
    for ratio in sorted({one.ratio for one in shifted}):
        cells = [_cell(one) for one in shifted if one.ratio == ratio]
        rows.append((percent(ratio), *cells, ""))
    return rows


def _cell(one: Shifted) -> str:
    if one.acts is not None:
        return _span(one.acts)
    if one.blind_after is None:
        return NEVER
    return f"blind, {span(one.blind_after)}" if one.blind_after else "blind before"


def _show_rung(page: Page, rung: RungTold) -> None:
    page.line(
        f"{rung.number}. {rung.action} on {rung.target}, ", word(rung.mode), f": {rung.does}",
        indent=2,
    )  # fmt: skip
    if not rung.reached:
        return
    within = duration(rung.deadline_seconds)
    promised = f" (promised: {duration(rung.sla_seconds)})"
    page.line(f"proof within {within}{promised}: {rung.proof}", indent=5)
    if rung.then:
        page.line(rung.then, indent=5)


def _span(found: Span | None) -> str:
    if found is None:
        return NEVER
    early, late = span(found.earliest), span(found.latest)
    return late if early == late else f"{early}..{late}"


def _rate(rate: float) -> str:
    for unit, seconds in (("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        if rate * seconds >= 1:
            return f"{number(rate * seconds)}/{unit}"
    return f"{number(rate * 86_400)}/d"
