"""What `new` says: what was taken and why, what else there is, what was written, what is next."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from watchdog.cli.new_files import Put
from watchdog.cli.page import Page, plain
from watchdog.core.text import duration, number, percent
from watchdog.lab.first_rule import (
    EXAMPLE_FOLDER,
    EXAMPLE_PORT,
    HOUR,
    LOOKED_FOR,
    Candidate,
    Dismissed,
    Form,
    Plan,
    Seen,
)

_MOST = 8


def nothing_found(seen: Seen, dismissed: Sequence[Dismissed], prometheus: str) -> str:
    """Why there is no rule, what was looked for, and what exists."""
    jobs = ", ".join(
        f"{job or '(no job)'} ({up:g} of {all_:g} up)"
        for job, (up, all_) in sorted(seen.targets.items())[:_MOST]
    )
    lines = [
        f"{prometheus}: nothing to watch was found. Nothing was written.",
        f"Looked for {LOOKED_FOR}.",
        f"There are {seen.names} metrics, and targets of: {jobs or 'no job at all'}.",
        *(f"  {one.what}: {one.why}" for one in dismissed[:_MOST]),
    ]
    if len(dismissed) > _MOST:
        lines.append(f"  and {len(dismissed) - _MOST} more")
    return "\n".join(lines)


def result_of(plan: Plan, put: Put, into: Path) -> dict[str, Any]:
    """Everything that is said, as plain data."""
    one = plan.one
    return {
        "rule": plan.rule,
        "owner": plan.owner,
        "action": plan.action.name,
        "action_is_example": plan.action.example,
        "watches": {
            "form": one.form.name.lower(),
            "total": one.all_events,
            "counted": one.some_events if one.form is not Form.UP else None,
            "why": one.why,
            "rate_per_second": one.rate if one.form is not Form.UP else None,
            "usually_bad": one.usual if one.form is not Form.UP else None,
            "known_seconds": one.known_seconds if one.form is not Form.UP else None,
        },
        "alternatives": [_option(other) for other in plan.choice.alternatives],
        "dismissed": [{"what": each.what, "why": each.why} for each in plan.choice.dismissed],
        "written": list(put.written),
        "settings": str(put.settings),
        "kept_settings": put.kept_settings,
        "next": _next(plan, put, into),
    }


def _option(one: Candidate) -> dict[str, str]:
    job = f" --job {shlex.quote(one.job)}" if one.job else ""
    return {
        "what": one.all_events,
        "why": one.why,
        "take_it_with": f"--metric {one.events if one.form is Form.LATENCY else one.metric}{job}",
    }


def _next(plan: Plan, put: Put, into: Path) -> list[str]:
    """Commands as they can be pasted."""
    us = shlex.quote(sys.argv[0]) if "/" in sys.argv[0] else "slo-watchdog"
    config, rules = shlex.quote(str(put.settings)), shlex.quote(str(into))
    socket = shlex.quote(str(put.settings.parent / "control.sock"))
    found = [f"{us} check {rules}", f"{us} test {rules}"]
    if plan.action.example:
        folder = shlex.quote(str(put.settings.parent / EXAMPLE_FOLDER))
        found.append(
            f"python3 -m http.server {EXAMPLE_PORT} --bind 127.0.0.1 --directory {folder} &"
        )
    found += [f"{us} init --config {config}", f"{us} run --config {config} &"]
    ours = not put.kept_settings
    where = f" --socket {socket}" if ours else ""
    found += [f"{us} status{where}", f"{us} why {plan.rule}{where}"]
    return found


def show_result(page: Page, plan: Plan, result: dict[str, Any]) -> None:
    one, numbers = plan.one, plan.choice.numbers
    page.line(plain(plan.rule, "bold"), f" watches {one.all_events}")
    page.line(one.why, indent=2)
    if numbers is not None:
        page.line(
            f"{number(one.rate)} events a second over the last {duration(one.rated_seconds)}; "
            "breached when more than "
            f"{percent(numbers.limit)} are bad over {duration(numbers.over_seconds)}, of at least "
            f"{numbers.minimum_events} events, for {duration(numbers.for_seconds)}",
            indent=2,
        )
        usual = f"usually bad: {percent(one.usual)}"
        if one.known_seconds < HOUR:
            usual += f", going by {duration(one.known_seconds)}: no more is known of it yet"
        page.line(usual, indent=2)
    action = plan.action.name
    if plan.action.example:
        action += ", AN EXAMPLE: put in what really stops the harm before you arm anything"
    page.line(f"in shadow it would start {action}", indent=2)
    if result["alternatives"]:
        page.title("It could have been")
        page.rows([(each["what"], each["take_it_with"]) for each in result["alternatives"][:_MOST]])
    if result["dismissed"]:
        page.title("Not taken")
        page.rows([(each["what"], each["why"]) for each in result["dismissed"][:_MOST]])
        if len(result["dismissed"]) > _MOST:
            page.line(f"and {len(result['dismissed']) - _MOST} more: --json", indent=2)
    page.title("Written, checked and tested")
    for path in result["written"]:
        page.line(path, indent=2)
    if result["kept_settings"]:
        page.line(result["kept_settings"], indent=2)
    page.title("Next")
    for command in result["next"]:
        page.line(command, indent=2)
