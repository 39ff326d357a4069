"""`plan` for people: what would run, against what, what would be lost, what stands against it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from watchdog.cli.page import Page, clock, plain, span, until, word
from watchdog.core.text import duration

View = dict[str, Any]

_BY = {"ssh": "by signature", "socket": "over the control socket"}


def show_plan(page: Page, found: View, now: datetime) -> None:
    action = found["action"]
    whose = f" for {found['episode']} ({found['rule'] or 'by hand'})" if found["episode"] else ""
    whose = whose or (f" for {found['rule']}, if it breached now" if found["rule"] else "")
    page.line(plain(action["name"], "bold"), f" on {action['target']}{whose}")
    page.line("Nothing is run by asking. It would now be: ", word(found["ruling"] or "not judged"),
              f", {found['reason']}")  # fmt: skip
    page.title("What would run")
    page.rows(list(_steps(action)))
    page.title("Against what")
    page.rows(list(_anchor(action, now)))
    if action["loses"]:
        page.line(plain("LOST: ", "bold red"), action["loses"], indent=2)
    page.title("What every gate says now")
    page.rows(
        (("pass" if gate["passed"] else "REFUSES"), gate["gate"], gate["reason"])
        for gate in found["gates"]
    )
    page.title("Who must say yes")
    page.rows(list(_approvals(found["approvals"], now)))
    if afterwards := list(_afterwards(found)):
        page.title("Afterwards")
        page.rows(afterwards)


def _steps(action: View) -> Iterator[tuple[str, str]]:
    yield "on", "any host" if action["host"] == "any" else action["host"]
    yield "within", duration(action["deadline_seconds"])
    yield from _how("do", action["do"])
    for one in action["verify"]:
        yield from _how("then verify", one)
    if action["publish"]:
        yield from _how("then publish", action["publish"])
    asked = action["read_back"]
    yield "read back", f"{asked['url']}: {action['do']['expect']}"
    if "given" in asked:
        yield "", f"given that {asked['given']}"
    if action["undo"]:
        yield from _how("undo", action["undo"])
        yield "", f"which must show: {action['undo']['expect']}"
    else:
        yield "undo", "none: what it changes is restored by hand"
    for check in action["ready_when"]:
        yield "ready when", f"{check['url']}: {check['expect']}"


def _how(name: str, how: View) -> Iterator[tuple[str, str]]:
    match how["how"]:
        case "run":
            yield name, shlex.join(how["argv"])
            if how["cwd"]:
                yield "", f"in {how['cwd']}"
        case "call":
            yield from _call(name, how)
        case "swap":
            yield name, f"a copy of {how['previous']} takes the place of {how['current']}, at once"
            if how["mutable"]:
                yield "", f"stays live: {', '.join(how['mutable'])}"
        case "deploy":
            yield from _deploy(name, how)
        case "restore":
            yield name, f"{how['archive']} over {how['root']}"
            yield "", f"stops and starts: {', '.join(how['services'])}"
        case other:
            yield name, other


def _call(name: str, how: View) -> Iterator[tuple[str, str]]:
    yield name, f"{how['method']} {how['url']}"
    for header in how["headers"]:
        yield "", header
    if how["body"] is not None:
        yield "", how["body"]


def _deploy(name: str, how: View) -> Iterator[tuple[str, str]]:
    yield from _how(name, how["by"])
    proof = how["deployable"]
    told = shlex.join(proof["argv"]) if "argv" in proof else f"{proof['url']}: {proof['expect']}"
    yield "", f"once it is proven again that it can be deployed: {told}"
    yield "", f"what runs is told by {how['present']}"
    if not how["displaced"]:
        yield "", f"what is restored is told by {how['anchor']}"


def _anchor(action: View, now: datetime) -> Iterator[tuple[str, str]]:
    ready = "ready" if action["ready"] == "true" else "not ready"
    yield ready, action["ready_reason"]
    anchor = action["anchor"]
    if anchor is None:
        return
    known_by = f"{clock(anchor['known_by'], now)}, {span(anchor['age_seconds'])} ago"
    if action["do"]["how"] == "deploy":  # its version is what is restored, and nothing is written
        yield "known by", known_by
    else:
        yield "restores", anchor["digest"]
        yield "known by", known_by
        yield "written at", clock(anchor["written_at"], now)
    for name, fact in anchor["facts"].items():
        if not name.endswith("digest"):
            yield name.replace("_", " "), fact
    if anchor["quarantined_by"]:
        yield "quarantined", f"{anchor['quarantined_by']} rolled this very content back"


def _approvals(asks: View, now: datetime) -> Iterator[tuple[str, str]]:
    needed = asks["needed"]
    if not needed:
        yield "nobody", "whoever may order it"
        return
    people = "1 person" if needed == 1 else f"{needed} people"
    yield "where it asks", f"{people}, {' or '.join(_BY.get(one, one) for one in asks['means'])}"
    if asks.get("undrilled"):
        yield "", asks["undrilled"]
    if asks["may"] is not None:
        yield "may", ", ".join(asks["may"]) or "nobody: the rights file gives it to nobody"
    request = asks["request"]
    if request is None:
        return
    ends = f"{clock(request['until'], now)} ({until(request['until'], now)})"
    yield "asked", f"{request['missing']} of {request['needed']} missing, until {ends}"
    if request["requester"]:
        yield "asked by", f"{request['requester']}, who does not count"
    for one in request["given"]:
        yield "yes", f"{one['who']}: {one['reason']}"


def _afterwards(found: View) -> Iterator[tuple[str, str]]:
    action, within = found["action"], found["within_seconds"]
    for check in action["contained_when"]:
        yield "contained when", f"{check['url']}: {check['expect']}"
    if within is not None:
        yield "proven within", f"{duration(within)}, or by events after it that are good again"
        after = found["next"]
        if after is None:
            yield "if proven not", "a person must look: there is no further step"
        else:
            asks = f", asks {after['approvals']}" if after["mode"] == "approve" else ""
            yield "if proven not", f"{after['action']} ({after['mode']}{asks})"
        yield "if not known", "a person must look"
    for check in action["resume_when"]:
        yield "a person may undo when", f"{check['url']}: {check['expect']}"
    for check in found.get("verification", ()):
        says = f": {check['says']}" if check["says"] else ""
        after = "" if len(check["after"]) > 1 else f" after {check['after'][0]} alone"
        yield "verified by", f"{check['check']}, {check['looks_at']}{says}{after}"
