"""`why` for people: the verdict, what it means, every number, every gate, what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from watchdog.cli.page import Page, ago, clock, plain, word
from watchdog.cli.sentences import standing
from watchdog.cli.status_page import show_episode
from watchdog.core.text import duration, number, percent

View = Mapping[str, Any]


def show_why(page: Page, found: View, now: datetime) -> None:
    rule, verdict = found["rule"], found["rule"]["verdict"]
    status = verdict["status"] if verdict else "blind"
    page.line(plain(rule["name"], "bold"), ": ", word(status))
    page.line(verdict["reason"] if verdict else "nothing has been read yet")
    page.line()
    page.line(standing(found))
    for stop in found["stops"]:
        page.line("stopped by ", stop)
    page.title("Rule")
    page.rows(_about(rule))
    if verdict:
        page.title(f"Numbers at {clock(verdict['at'], now)}")
        show_numbers(page, verdict, found["blind_since"], now)
    if rule["budget"]:
        page.title("Error budget")
        page.rows(_budget(rule["budget"], verdict))
    if rule["members"]:
        page.title("Members")
        page.rows((one["status"], one["name"], one["reason"]) for one in rule["members"])
    show_decision(page, found["last_decision"], now)
    if found["episode"]:
        page.title("Episode")
        show_episode(page, found["episode"], now)


def _about(rule: View) -> list[tuple[str, str]]:
    up_to = f" up to {rule['up_to']}" if rule["up_to"] else ""
    mode = rule["effective_mode"]
    declared = f" (declared {rule['mode']})" if rule["mode"] != mode else ""
    because = rule["mode_reason"].removeprefix("armed because: ")
    rows = [
        ("means", rule["summary"]),
        ("mode", f"{mode}{declared}" + (f": {because}" if because else "")),
        ("playbook", f"{rule['playbook']}{up_to}" if rule["playbook"] else "none"),
        ("one of", rule["family"] or ""),
        ("for each", ", ".join(rule["each"])),
        ("kind", f"{rule['kind']}, {rule['severity']}, owner {rule['owner']}"),
        ("must last", duration(rule["for_seconds"]) if rule["for_seconds"] else ""),
        ("written in", rule["where"]),
        ("runbook", rule["runbook"]),
    ]
    return [row for row in rows if row[1]]


def _budget(budget: View, verdict: View | None) -> list[tuple[str, str]]:
    """What decides nothing, and what everybody asks."""
    burns = {
        duration(window["seconds"]): number(window["burn"])
        for window in (verdict["windows"] if verdict else ())
        if window["burn"] is not None
    }
    rows = [
        ("left", budget["left"]),
        ("outlook", budget["outlook"]),
        ("burn", ", ".join(f"{burn} over {window}" for window, burn in burns.items())),
    ]
    return [row for row in rows if row[1]]


def show_numbers(page: Page, verdict: View, blind_since: str | None, now: datetime) -> None:
    rows = [("blind", verdict["blind"] or "")]
    if blind_since:
        rows.append(("blind for", ago(blind_since, now)))
    if verdict["value"] is not None:
        bound = verdict["bound"]
        value = (percent if bound.endswith("%") else number)(verdict["value"], 6)
        rows.append(("value", f"{value}, breached when {bound}" if bound else value))
    if verdict["sampled_at"]:
        rows.append(("newest sample", clock(verdict["sampled_at"], now)))
    rows.append(("clear", "yes" if verdict["clear"] else "no"))
    page.rows([row for row in rows if row[1]])
    _windows(page, verdict["windows"])


def _windows(page: Page, windows: list[View]) -> None:
    if windows:
        head = ("window", "bad", "of events", "ratio", "burn", "fires above", "seen")
        table = [head, *(_window(window) for window in windows)]
        page.rows(table, right=frozenset(range(1, 6)))


def _window(window: View) -> tuple[str, ...]:
    filled = f"+{window['filled']:,.0f} assumed good" if window["filled"] else ""
    return (
        duration(window["seconds"]),
        f"{window['bad']:,.0f}",
        f"{window['total']:,.0f}",
        "-" if window["ratio"] is None else percent(window["ratio"]),
        "-" if window["burn"] is None else number(window["burn"], 4),
        "-" if window["factor"] is None else number(window["factor"], 4),
        f"{percent(window['coverage'])} {filled}".strip(),
    )


def show_decision(page: Page, decision: View | None, now: datetime) -> None:
    if decision is None:
        page.title("No decision was made for it yet")
        page.line("Gates are asked once a breach has lasted as long as it must.", indent=2)
        return
    page.title(f"Decision {decision['decision']}, for {decision['episode']}")
    page.line(
        word(decision["ruling"]),
        f" {decision['action']}, {clock(decision['at'], now)}: {decision['reason']}"
        if decision["action"]
        else f", {clock(decision['at'], now)}: {decision['reason']}",
        indent=2,
    )
    if decision["verdict"]:
        page.line(f"on: {decision['verdict']['reason']}", indent=2)
        _windows(page, decision["verdict"]["windows"])
    page.rows(
        (("pass" if gate["passed"] else "REFUSES"), gate["gate"], gate["reason"])
        for gate in decision["gates"]
    )
