"""The command `deploy`: keeps actions out of a deploy, and a deploy out of what was rolled back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from watchdog.cli.exits import NOT_SO, REFUSED
from watchdog.cli.page import Page
from watchdog.cli.shared import (
    DEFAULT_SOCKET,
    AsJson,
    Reason,
    Socket,
    Yes,
    daemon,
    fail,
    give,
    seconds,
)
from watchdog.cli.status_page import show_deploy, show_frozen

View = dict[str, Any]


class Deed(StrEnum):
    BEGIN = "begin"
    END = "end"
    STATUS = "status"
    UNFREEZE = "unfreeze"


class Outcome(StrEnum):
    OK = "ok"
    FAILED = "failed"


def deploy(
    deed: Annotated[Deed, typer.Argument(help="`begin`, `end`, `status` or `unfreeze`.")],
    target: Annotated[
        str, typer.Argument(help="What an action changes, like config:/srv/app, or all.")
    ] = "",
    for_: Annotated[
        str | None, typer.Option("--for", help="For `begin`: how long at most, like 20m.")
    ] = None,
    change: Annotated[
        str, typer.Option(help="For `begin`: what is deployed, like a commit or a ticket.")
    ] = "",
    outcome: Annotated[Outcome, typer.Option(help="For `end`: how it went.")] = Outcome.OK,
    reason: Reason = "",
    yes: Yes = False,
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Say that a deploy begins or ends: between the two no action of its target starts by itself.

    After a rollback `begin` is refused, until a person says `unfreeze`. `status` tells whether one
    may begin, by its exit status too: 0 it may, 1 it may not. docs/deploys.md has an example for
    pipelines.
    """
    if deed is Deed.STATUS:
        _status(socket, target, as_json=as_json)
        return
    if not target:
        raise typer.BadParameter("say what: deploy begin TARGET. See: slo-watchdog deploy status")
    order: View = {"target": target, "reason": reason}
    if deed is Deed.BEGIN:
        if for_ is None:
            raise typer.BadParameter("say how long at most: --for 20m")
        order |= {"for_seconds": seconds(for_), "change": change}
    if deed is Deed.END:
        order |= {"outcome": outcome}
    give(socket, f"/v1/deploy/{deed}", order, yes=yes, as_json=as_json)


def _status(socket: Socket, target: str, *, as_json: bool) -> None:
    with daemon(socket) as client:
        found = dict(client.read("/v1/deploys"))
        known = {one["target"]: one for one in found["targets"]}
        one = known.get(target)
        if target and one is None:
            fail(f"no action changes {target}; there are: {', '.join(known)}", REFUSED)
        if as_json:
            print(json.dumps(found | {"targets": [one]} if one else found))
        else:
            _show(found, [one] if one else list(known.values()))
        refused = one is not None and not one["may_begin"]
    if refused:
        raise typer.Exit(NOT_SO)


def _show(found: View, targets: list[View]) -> None:
    page, now = Page(), datetime.now(UTC)
    for one in targets:
        may = "a deploy may begin" if one["may_begin"] else "no deploy may begin"
        page.line(f"{one['target']}: {may}")
        if one["why_not"]:
            page.line(one["why_not"], indent=6)
    names = {one["target"] for one in targets}
    for title, key in (("Under way", "deploys"), ("Lately", "past")):
        shown = [one for one in found[key] if one["target"] in names or one["target"] == "all"]
        if shown:
            page.title(title)
        for one in shown[:10]:
            show_deploy(page, one, now)
    frozen = [one for one in found["frozen"] if one["target"] in names or "all" in names]
    if frozen:
        page.title("Frozen")
    for one in frozen:
        show_frozen(page, one)
