"""Commands that only look: status, decisions, why."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer
from rich.table import Table

from watchdog.cli.shared import DEFAULT_SOCKET, AsJson, Socket, console, daemon

FOLLOW_EVERY_SECONDS = 1.0

_COLOURS = {"healthy": "green", "breached": "red", "blind": "yellow"}


def status(as_json: AsJson = False, socket: Socket = DEFAULT_SOCKET) -> None:
    """Is it watching, is it stopped, what burns, what is ready."""
    with daemon(socket) as client:
        found = client.read("/v1/status")
    if as_json:
        print(json.dumps(found))
        return
    ago = found["last_pass_seconds_ago"]
    console.print(
        f"{found['environment']} on {found['host']}, ceiling {found['max_mode']}, "
        f"last pass {'never' if ago is None else f'{ago:.1f} s ago'}, "
        f"recording {found['recording']}, policy {found['policy'][:12]}"
    )
    for hold in found["holds"]:
        until = hold["expires"] or "released"
        word = "SILENCE" if hold["silence"] else "HOLD"
        console.print(
            f"{word} {hold['id']} on {hold['scope']} until {until} by {hold['actor']}: "
            f"{hold['reason']}",
            style="yellow",
            markup=False,
        )
    console.print(_rules(found["rules"]))
    console.print(_actions(found["actions"]))
    for source in found["sources"]:
        if source["failure"]:
            console.print(
                f"source {source['name']}: {source['failure']}", style="yellow", markup=False
            )
    if found["episodes"]:
        console.print(_episodes(found["episodes"]))


def _rules(rules: list[dict[str, Any]]) -> Table:
    table = Table(
        "rule", "mode", "verdict", "state", "because", title="Rules", title_justify="left"
    )
    for rule in rules:
        verdict = rule["verdict"] or {"status": "blind", "reason": "nothing read yet"}
        colour = _COLOURS[verdict["status"]]
        table.add_row(
            rule["name"],
            rule["effective_mode"],
            f"[{colour}]{verdict['status']}[/]",
            f"{rule['state']} {rule['episode'] or ''}".strip(),
            _plain(verdict["reason"]),
        )
    return table


def _actions(actions: list[dict[str, Any]]) -> Table:
    table = Table("action", "target", "ready", "held by", title="Actions", title_justify="left")
    for action in actions:
        ready = action["ready"] == "true"
        table.add_row(
            action["name"],
            action["target"],
            "[green]ready[/]" if ready else f"[red]{_plain(action['ready_reason'])}[/]",
            ", ".join(action["claimed_by"]),
        )
    return table


def _episodes(episodes: list[dict[str, Any]]) -> Table:
    table = Table(
        "episode", "rule", "state", "since", "because", title="Open episodes", title_justify="left"
    )
    for ep in episodes:
        table.add_row(ep["id"], ep["rule"], ep["state"], ep["since"], _plain(ep["reason"]))
    return table


def decisions(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as they are made.")] = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Every decision with its reason, also those not to act; newest last."""
    seen = 0
    with daemon(socket) as client:
        while True:
            for one in client.read("/v1/decisions", after=seen):
                seen = max(seen, one["seq"])
                if as_json:
                    print(json.dumps(one), flush=True)
                else:
                    console.print(
                        f"{one['at']} {one['decision']} {one['rule']} {one['episode']} "
                        f"{one['ruling'].upper()} {one['action']}: {one['reason']}",
                        markup=False,
                    )
            if not follow:
                return
            time.sleep(FOLLOW_EVERY_SECONDS)


def why(
    rule: Annotated[str, typer.Argument(help="The rule's name.")],
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """The last verdict with every number, gate and reason, also for not acting."""
    with daemon(socket) as client:
        found = client.read(f"/v1/why/{rule}")
    if as_json:
        print(json.dumps(found))
        return
    told = found["rule"]
    console.print(
        f"{told['name']} ({told['kind']}, {told['severity']}, {told['effective_mode']}; "
        f"{told['mode_reason']})",
        markup=False,
    )
    console.print(f"now: {found['not_acting']}", markup=False)
    _print_verdict(told["verdict"])
    if found["episode"]:
        ep = found["episode"]
        console.print(f"episode {ep['id']}: {ep['state']}: {ep['reason']}", markup=False)
        if ep["read_back"]:
            console.print(f"  read back: {ep['read_back']}", markup=False)
    _print_decision(found["last_decision"])
    if told["runbook"]:
        console.print(f"runbook: {told['runbook']}", markup=False)


def _print_verdict(verdict: dict[str, Any] | None) -> None:
    if verdict is None:
        return
    console.print(
        f"verdict at {verdict['at']}: {verdict['status']}: {verdict['reason']}", markup=False
    )
    for window in verdict["windows"]:
        burn = (
            "" if window["burn"] is None else f", burn {window['burn']:.4g} of {window['factor']:g}"
        )
        console.print(
            f"  {window['seconds']:g} s: {window['bad']:g} bad of {window['total']:g}"
            f" (+{window['filled']:.0f} assumed good), coverage {window['coverage']:.0%}{burn}",
            markup=False,
        )


def _print_decision(decision: dict[str, Any] | None) -> None:
    if decision is None:
        console.print("no decision was made for it yet")
        return
    console.print(
        f"last decision {decision['decision']} at {decision['at']}, {decision['episode']}: "
        f"{decision['ruling']}: {decision['reason']}",
        markup=False,
    )
    for gate in decision["gates"]:
        mark = "pass  " if gate["passed"] else "REFUSE"
        console.print(f"  {mark} {gate['gate']:13} {gate['reason']}", markup=False)


def _plain(text: str) -> str:
    """Text from outside, which must not be read as markup."""
    return text.replace("[", "\\[")
