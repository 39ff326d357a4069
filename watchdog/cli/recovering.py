"""The command `recover`: the way forward after a rollback, with every condition looked at now.

It changes nothing. Each step says whether it is done, what keeps it from being done, and the exact
command that does it: deploy the fix, switch on again, watch, and write down what was learned.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from watchdog.cli import completing
from watchdog.cli.client import Client, Refused
from watchdog.cli.exits import NOT_SO
from watchdog.cli.page import Page
from watchdog.cli.shared import DEFAULT_SOCKET, AsJson, Socket, daemon, fail
from watchdog.cli.verification_page import failing, newest
from watchdog.core.standing import MANUAL

View = dict[str, Any]
WHY = "--reason WHY"
_DEPLOYED = ("config:", "release:")
"""Targets of which what was rolled back is a version that nobody wants again."""


class Stands(StrEnum):
    DONE = "done"
    NEXT = "next"
    WAITS = "waits"  # a condition of it does not hold
    LATER = "later"
    SKIPPED = "skipped"  # the episode ended without it, as far as anybody told


@dataclass(frozen=True, slots=True)
class Step:
    """`why` is what is known of it; `command` is what does it, where one does."""

    name: str
    stands: Stands
    why: str
    command: str = ""


def recover(
    episode: Annotated[
        str,
        typer.Argument(
            help="An episode's name, as in status: E42.", autocompletion=completing.episodes
        ),
    ],
    as_json: AsJson = False,
    socket: Socket = DEFAULT_SOCKET,
) -> None:
    """Show the way forward after a rollback, and which step is next. Changes nothing.

    Conditions are looked at now: whether the target may be deployed, what `resume_when` says.
    """
    with daemon(socket) as client:
        found = next((ep for ep in client.read("/v1/episodes") if ep["id"] == episode), None)
        if found is None:
            fail(f"There is no episode {episode}. See: slo-watchdog status", NOT_SO)
        acted = [
            one for one in client.read("/v1/status")["actions"] if one["name"] == found["action"]
        ]
        on = acted[0]["target"] if acted else ""
        refused, effect = _undo_now(client, found)
        steps = way(found, client.read("/v1/deploys"), refused, on, effect)
        if as_json:
            print(json.dumps({"episode": episode, "steps": [asdict(step) for step in steps]}))
            return
        page = Page()
        page.line(f"{episode} {found['rule']}: {found['state']}: {found['reason']}")
        for number, step in enumerate(steps, 1):
            page.line(f"{number}. {step.name}: {step.stands.value}. {step.why}")
            if step.command and step.stands is not Stands.DONE:
                page.line(f"     $ {step.command}")


def way(ep: View, deploys: View, refused: str, acted_on: str = "", effect: str = "") -> list[Step]:
    """The steps of an episode; `refused` is why it may not be switched on again now, or "", and
    `effect` is what an undo would do.
    `acted_on` is the target of its last action, which it claims no longer once that is undone.

    One alone is next. What could be done beside it says so, and waits for its turn.
    """
    found = _steps(ep, deploys, refused or f"it may be: {effect}", acted_on, may=not refused)
    first = next((step for step in found if step.stands is Stands.NEXT), None)
    return [
        replace(step, stands=Stands.LATER)
        if step.stands is Stands.NEXT and step is not first
        else step
        for step in found
    ]


def _steps(ep: View, deploys: View, undone: str, acted_on: str, *, may: bool) -> list[Step]:
    targets = [claim["target"] for claim in ep["claims"]]
    held = bool(targets)
    over = ep["state"] == "ok"
    steps = [*_verified(ep, "do"), _fix(ep, targets or [acted_on], deploys, over=over)]
    undo = f"slo-watchdog undo {ep['id']} {WHY}"
    if held and all(one.startswith(_DEPLOYED) for one in targets):
        why = (
            "the deploy of the fix does it, and the watchdog lets go then; an undo would bring "
            "back what was rolled back"
        )
        steps.append(Step("Switch on again", Stands.LATER, why))
    elif held:
        stands = Stands.NEXT if may else Stands.WAITS
        steps.append(Step("Switch on again", stands, undone, undo))
    elif not acted_on and not over and ep["state"] != "watched":
        steps.append(Step("Switch on again", Stands.SKIPPED, "nothing of it was rolled back"))
    else:
        steps.append(Step("Switch on again", Stands.DONE, "nothing of it is rolled back any more"))
        steps += _verified(ep, "undo")
    if ep["state"] == "watched":
        steps.append(_watch(ep))
    elif over:
        steps.append(Step("Watch", Stands.DONE, f"over since {ep['since']}: {ep['reason']}"))
    elif held:
        steps.append(Step("Watch", Stands.LATER, "after it is switched on again"))
    else:
        steps.append(_open(ep))
    learned = f"slo-watchdog incident {ep['id']} --format md"
    stands = Stands.NEXT if over else Stands.LATER
    why = "causes, follow-ups and the procedure: its record has the headings"
    steps.append(Step("Write down what was learned", stands, why, learned))
    return steps


def _open(ep: View) -> Step:
    """Nothing of it is rolled back, and it is not over."""
    match ep["state"]:
        case "latched":
            command = f"slo-watchdog close {ep['id']} {WHY}"
            return Step("Watch", Stands.NEXT, "it is latched: a person ends it", command)
        case "awaiting":
            why = "people are asked: approve or deny it, once you have seen what would run"
            return Step("Watch", Stands.NEXT, why, f"slo-watchdog plan {ep['id']}")
    why = f"it is {ep['state']}, and ends when the rule has been healthy for long enough"
    return Step("Watch", Stands.LATER, why, f"slo-watchdog why {shlex.quote(ep['rule'])}")


def _watch(ep: View) -> Step:
    if ep["rule"] == MANUAL:
        why = f"watched since {ep['since']}: a person ordered it, and no rule judges it"
        return Step("Watch", Stands.NEXT, why, "slo-watchdog status")
    why = f"watched since {ep['since']}: a fresh breach rolls back again at once"
    return Step("Watch", Stands.NEXT, why, f"slo-watchdog why {shlex.quote(ep['rule'])}")


def _verified(ep: View, direction: str) -> list[Step]:
    """What the checks said of what stands, or of its undo; nothing where there are none."""
    found = [one for one in newest(ep) if one["direction"] == direction]
    if not found:
        return []
    name = "Verify the rollback" if direction == "do" else "Verify the undo"
    held = all(check["truth"] == "true" for one in found for check in one["checks"])
    failed = any(failing(one) for one in found)
    stands = Stands.DONE if held else Stands.WAITS if failed else Stands.NEXT
    told = "; ".join(f"{one['told']} (at {one['began']})" for one in found)
    return [Step(name, stands, told, f"slo-watchdog verify {ep['id']}")]


def _fix(ep: View, targets: list[str], deploys: View, *, over: bool) -> Step:
    """A deploy of the target that ended well since; one that nobody told of is a question."""
    name = "Deploy the fix"
    since = [
        one
        for one in deploys["past"]
        if one["target"] in targets and one["outcome"] == "ok" and one["ended"] > ep["opened"]
    ]
    if since:
        newest = since[0]
        change = f" ({newest['change']})" if newest["change"] else ""
        return Step(name, Stands.DONE, f"{newest['target']} was deployed{change}")
    frozen = next((one for one in deploys["frozen"] if one["target"] in targets), None)
    if frozen is not None:
        why = (
            f"{frozen['target']} is frozen: {frozen['why']}. When what is to be deployed is not "
            "what was rolled back, lift that first"
        )
        return Step(name, Stands.NEXT, why, frozen["lifted_by"])
    if over:
        return Step(name, Stands.SKIPPED, "the episode is over, and no deploy was told since")
    if ep["state"] == "watched":
        return Step(name, Stands.SKIPPED, "it is switched on again, and no deploy was told since")
    return Step(name, Stands.NEXT, "mend the cause; no deploy has been told since")


def _undo_now(client: Client, ep: View) -> tuple[str, str]:
    """Why the daemon would not switch it back now, or ""; and what it would do, where it would."""
    if not ep["claims"]:
        return "", ""
    try:
        order = {"what": ep["id"], "reason": "asked by recover", "dry": True}
        return "", str(client.order("/v1/undo", order)["effect"])
    except Refused as refused:
        return str(refused), ""
