"""Verification as commands show it: a run with its checks, and what stands of an episode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchdog.cli.page import Page
from watchdog.core.text import duration

View = Mapping[str, Any]

WORDS = {"true": "holds", "false": "FAILS", "unknown": "not known", None: "under way"}


def show_verification(page: Page, one: View) -> None:
    """Its line, and a line for each check."""
    by = f", asked for by {one['by']}" if one["by"] else ""
    page.line(f"{one['verification']} at {one['began']}{by}: {one['told']}")
    width = max((len(check["check"]) for check in one["checks"]), default=0)
    for check in one["checks"]:
        took = check["look_seconds"]
        beside = f" ({duration(took)})" if took is not None else ""
        says = f"{check['says']}: " if check["says"] else ""
        word = WORDS.get(check["truth"], str(check["truth"]))
        name = f"{check['check']:{width}}"
        page.line(f"{name}  {word:9}  {says}{check['reason']}{beside}", indent=2)


def newest(ep: View) -> list[View]:
    """Of each action that an episode changed: the newest verification that began by itself, with
    what was found since where somebody asked again.
    """
    found: dict[str, View] = {}
    for one in ep.get("verification", ()):
        before = found.get(one["action"])
        if before is None or not one["by"]:
            found[one["action"]] = one
        elif before["direction"] == one["direction"]:
            found[one["action"]] = _since(before, one)
    return list(found.values())


def _since(before: View, later: View) -> View:
    anew = {check["check"]: check for check in later["checks"]}
    checks = [anew.get(check["check"], check) for check in before["checks"]]
    changed = [c["truth"] for c in checks] != [c["truth"] for c in before["checks"]]
    told = f"{before['told']}; since then, {later['told']}" if changed else before["told"]
    return {**before, "checks": checks, "told": told}


def failing(one: View) -> list[View]:
    return [check for check in one["checks"] if check["truth"] == "false"]
