"""What a person can do about what the page shows, with the exact command for it.

Words in capitals are to be replaced. Nothing here decides anything: the daemon refuses what it
should not do, and every command shows its effect before it does it.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from watchdog.web.policy_load import PolicyLoad

View = Mapping[str, Any]

WHY = "--reason 'WHY'"


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do. `command` is empty where nothing can be typed."""

    what: str
    command: str = ""


def known_rules(rules: list[View]) -> frozenset[str]:
    """The names of a status's rules, and of their members."""
    members = (member["name"] for rule in rules for member in rule["members"])
    return frozenset([*(rule["name"] for rule in rules), *members])


def for_episode(ep: View, *, rule_exists: bool = True) -> list[Advice]:
    """What can be done about an open episode, the likeliest first."""
    name = ep["id"]
    if ep["world"] == "shadow" and rule_exists:
        return _in_shadow(ep)
    found = _by_state(ep) if rule_exists or ep["actor"] else [_removed(ep)]
    if not ep["acked_by"] and ep["state"] not in {"pending", "watched", "shadowed"}:
        found.append(Advice("Say that you are looking", f"slo-watchdog ack {name}"))
    return found


def _in_shadow(ep: View) -> list[Advice]:
    """Only what would have been done can have been right or false."""
    name, rule = ep["id"], shlex.quote(ep["rule"])
    mark = Advice("Say whether it would have been right", f"slo-watchdog mark {name} true")
    see = Advice("It would do nothing; see what holds it back", f"slo-watchdog why {rule}")
    return {"shadowed": [mark], "held": [see]}.get(ep["state"], [])


def _by_state(ep: View) -> list[Advice]:
    name, action = ep["id"], shlex.quote(ep["action"] or "ACTION")
    undo = Advice(
        "When the cause is mended, switch it back; it is watched afterwards",
        f"slo-watchdog undo {name}",
    )
    by_hand = Advice(
        "Roll back by your own decision",
        f"slo-watchdog rollback {action} --kind technical {WHY}",
    )
    close = Advice("When you have looked, close it", f"slo-watchdog close {name} {WHY}")
    act = Advice("Let it act", f"slo-watchdog act {name} {WHY}")
    mark = Advice("Say that it was right, or false", f"slo-watchdog mark {name} true")
    undo_it = [undo] if ep["claims"] else []
    if ep["outcome"] == "unknown" and not ep["claims"]:
        late = "If it was changed all the same, and is to be as before, switch it back"
        undo_it = [Advice(late, undo.command)]
    held = [act if ep["barred"] else by_hand] if ep["action"] else []  # else nothing could act
    return {
        "held": held,
        "awaiting": _asked(name),
        "shadowed": [mark, by_hand],
        "verifying": undo_it,
        "contained": undo_it,
        "latched": [*undo_it, close],
    }.get(ep["state"], [])


def _asked(name: str) -> list[Advice]:
    return [
        Advice("See what would run, and what would be lost", f"slo-watchdog plan {name}"),
        Advice("Approve it", f"slo-watchdog approve {name} {WHY}"),
        Advice("Deny it", f"slo-watchdog deny {name} {WHY}"),
    ]


def _removed(ep: View) -> Advice:
    return Advice(
        "Its rule is not in the policy any more: close it", f"slo-watchdog close {ep['id']} {WHY}"
    )


def for_hold(hold: View) -> Advice:
    return Advice("End it", f"slo-watchdog release {hold['id']}")


def for_frozen(one: View) -> Advice:
    """The command is the daemon's own."""
    what = "When what is to be deployed is not what was rolled back"
    return Advice(what, str(one["lifted_by"]).replace("TEXT", "'WHY'"))


def for_action(action: View) -> Advice:
    name = shlex.quote(action["name"])
    if action["claimed_by"]:
        return Advice("Switch it back", f"slo-watchdog undo {name}")
    return Advice("Roll back by hand", f"slo-watchdog rollback {name} --kind technical {WHY}")


def for_policy(load: PolicyLoad) -> list[Advice]:
    """About the rules folder, when it is not what is in force."""
    if load.errors:
        count = len(load.errors)
        said = "an error" if count == 1 else f"{count} errors"
        return [
            Advice(
                f"The rules folder has {said}; the last good text stays in force. "
                "Mend it, then load it",
                "slo-watchdog apply",
            )
        ]
    if load.pending:
        return [
            Advice(
                "The rules folder was changed and is not in force yet. Loading it shows first "
                "what would change",
                "slo-watchdog apply",
            )
        ]
    return []


HOLD_ALL = Advice("Stop all automatic starts", f"slo-watchdog hold --all --for 1h {WHY}")
