"""The command `evidence`: what has a rule earned, and what does it lack to be armed?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from watchdog.cli import completing
from watchdog.cli.exits import REFUSED
from watchdog.cli.look import StateDir, rule_of_daemon
from watchdog.cli.page import Page, clock, plain, span
from watchdog.cli.shared import DEFAULT_SOCKET, AsJson, Socket, daemon, fail

View = Mapping[str, Any]


def evidence(
    rule: Annotated[str, typer.Argument(help="The rule's name.", autocompletion=completing.rules)],
    as_json: AsJson = False,
    state_dir: StateDir = None,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Days of shadow, would-acts and what people said of them, and what is missing to be armed.

    With --state-dir what the record says; what is missing, only the daemon knows.
    """
    if state_dir is not None:
        _show_record(state_dir, rule, as_json=as_json)
        return
    with daemon(socket) as client:
        found = rule_of_daemon(client, rule)
        about = {
            key: found["rule"][key] for key in ("name", "mode", "effective_mode", "mode_reason")
        }
        if as_json:
            print(json.dumps({**about, **found["evidence"]}))
        else:
            show_evidence(Page(), about, found["evidence"], datetime.now(UTC))


def _show_record(state_dir: str, rule: str, *, as_json: bool) -> None:
    # Late on purpose: the store takes most of a second, and only a dead daemon needs it.
    from watchdog.cli.offline import journal, recorded  # noqa: PLC0415  # see above

    with journal(state_dir) as reader:
        found = recorded(reader, rule)
    if found is None:
        fail(f"The record holds no evidence of {rule}", REFUSED)
    if as_json:
        print(json.dumps(found))
        return
    page, now = Page(), datetime.now(UTC)
    page.line(plain(rule, "bold"), ", as the record says; how it is now cannot be told from it")
    page.line(f"Last written {clock(found['at'], now)}.")
    _show_kept(page, found | {"shadow_seconds_needed": None}, now)


def show_evidence(page: Page, rule: View, found: View, now: datetime) -> None:
    """All that it rests on, and the remedy last."""
    page.line(plain(rule["name"], "bold"), f": {_standing(rule)}")
    if rule["mode_reason"]:
        page.line(rule["mode_reason"])
    _show_kept(page, found, now)
    page.title("Actions")
    page.rows(
        [
            (one["action"], "ready" if one["ready"] == "true" else "not ready", one["reason"])
            for one in found["actions"]
        ]
        or [("none that it may start by itself", "", "")]
    )
    if found["limits"] and found["missing"]:
        page.title("Missing, to be armed")
        for one in found["missing"]:
            page.line(one, indent=2)


def _show_kept(page: Page, found: View, now: datetime) -> None:
    if found["fall"]:
        fall = found["fall"]
        page.line(f"{clock(fall['at'], now)}: {fall['reason']}")
    page.title("In shadow")
    page.rows(_days(found))
    page.title("It would have acted")
    rows = [_would_act(one, now) for one in found["would_acts"]]
    page.rows(rows or [("never", "", "")])
    page.title("Unit test")
    test = found["unit_test"]
    told = f"{test['reason']}, by {test['by']}, {clock(test['at'], now)}" if test else "none told"
    page.line(("passed: " if test["passed"] else "FAILED: ") if test else "", told, indent=2)


def _standing(rule: View) -> str:
    if rule["mode"] == rule["effective_mode"]:
        return str(rule["mode"])
    return f"declared {rule['mode']}, effectively {rule['effective_mode']}"


def _days(found: View) -> list[tuple[str, str]]:
    needed = found["shadow_seconds_needed"]
    counts = span(found["shadow_seconds_counted"])
    rows = [
        ("counts", f"{counts} of {span(needed)}" if needed is not None else counts),
        ("watched", span(found["shadow_seconds_watched"])),
        ("now", "counting" if found["counting"] else "not counting: blind, or not in shadow"),
        ("text", (found["sha256"] or "")[:12]),
    ]
    if found["promoted"]:
        rows.append(("armed by it since", found["promoted"]))
    return rows


def _would_act(one: View, now: datetime) -> tuple[str, str, str]:
    said = f"{one['mark']}, by {one['marked_by']}" if one["mark"] else "nobody explained it"
    reason = f": {one['mark_reason']}" if one["mark_reason"] else ""
    return one["episode"], f"{one['action']}, {clock(one['at'], now)}", said + reason
