"""`compare` for people: the sum first, then every disagreement with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from watchdog.cli.page import Page, clock, plain, span
from watchdog.lab.compare.alerts import Interval
from watchdog.lab.compare.comparison import Agreed, Compared, iso
from watchdog.lab.compare.record import OurEpisode
from watchdog.lab.compare.why import Reason


def show_comparison(
    page: Page, compared: Sequence[Compared], left_out: Sequence[tuple[str, str]]
) -> None:
    now = datetime.now(UTC)
    if compared:
        rows = [("rule", "alert", "agreed", "only ours", "only theirs")]
        rows += [
            (
                one.rule,
                one.alert,
                str(len(one.agreed)),
                str(len(one.only_ours)),
                str(len(one.only_theirs)),
            )
            for one in compared
        ]
        page.rows(rows, indent=0, right=frozenset({2, 3, 4}))
    for one in compared:
        _rule(page, one, now)
    if left_out:
        page.title("Not compared")
        page.rows(left_out)
    if not compared:
        page.line("Nothing was compared.")


def _rule(page: Page, one: Compared, now: datetime) -> None:
    page.title(f"{one.rule} beside {one.alert}")
    page.line(
        f"from {_at(one.span.start, now)} to {_at(one.span.end, now)}, alert named by {one.by}; "
        f"edges of alerts to within {span(one.step_seconds)}, the same up to "
        f"{span(one.tolerance_seconds)} apart",
        indent=2,
    )
    for note in one.notes:
        page.line(note, indent=2)
    for each in one.agreed:
        _agreed(page, each, now)
    for ours in one.only_ours:
        page.line(plain("only ours", "bold yellow"), f"  {_ours(ours.episode, now)}", indent=2)
        _reasons(page, ours.reasons)
    for theirs in one.only_theirs:
        page.line(plain("only theirs", "bold yellow"), f"  {_theirs(theirs.alert, now)}", indent=2)
        _reasons(page, theirs.reasons)


def _agreed(page: Page, one: Agreed, now: datetime) -> None:
    ours = ", ".join(_ours(ep, now) for ep in one.meeting.ours)
    theirs = ", ".join(_theirs(alert, now) for alert in one.meeting.theirs)
    page.line(plain("agreed", "green"), f"  {ours}", indent=2)
    page.line(f"with {theirs}", indent=6)
    told = [
        f"{what} {_apart(seconds)}"
        for what, seconds in (("began", one.start_seconds), ("ended", one.end_seconds))
        if seconds is not None
    ]
    if told:
        page.line(f"ours {', '.join(told)}", indent=6)
    for ep in one.meeting.ours:
        for refusal in ep.refusals:
            page.line(f"{ep.id} was held: {refusal}", indent=6)
    _reasons(page, [*one.start_reasons, *one.end_reasons])


def _apart(seconds: float) -> str:
    if abs(seconds) < 0.05:
        return "at the same time"
    return f"{span(abs(seconds))} {'later' if seconds > 0 else 'earlier'}"


def _reasons(page: Page, reasons: Sequence[Reason]) -> None:
    for reason in reasons:
        head = "because" if reason.cause else "also"
        if reason.kind == "unknown":
            head = "unknown"
        page.line(f"{head}: {reason.text}", indent=6)


def _ours(ep: OurEpisode, now: datetime) -> str:
    shadow = " in shadow" if ep.world == "shadow" else ""
    when = _when(ep.opened if ep.fired is None else ep.fired, ep.over, now)
    return f"{ep.id}{shadow} {when}, {ep.state.value}"


def _theirs(one: Interval, now: datetime) -> str:
    many = f", {one.series} series" if one.series > 1 else ""
    return f"{_when(one.start, one.end, now)}{many}"


def _when(start: float, end: float | None, now: datetime) -> str:
    if end is None:
        return f"since {_at(start, now)}"
    return f"{_at(start, now)} to {_at(end, now)}"


def _at(at: float, now: datetime) -> str:
    return clock(iso(at), now)
