"""What a rule is up to, in one or two sentences: why it acts, and why it does not.

Made from what the daemon answers; decides nothing. `why` opens with it, in the middle of the night.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from watchdog.core.text import duration

View = Mapping[str, Any]

_BLIND_MEANWHILE = {
    "pending": " It is blind now, so its clock stands still.",
    "contained": " It is blind meanwhile, as a pause of the traffic that it measures makes it.",
}


def standing(found: View) -> str:
    """`found` is the daemon's answer for one rule: rule, episode, last decision, blindness."""
    rule, ep = found["rule"], found["episode"]
    blind = rule["verdict"] is None or rule["verdict"]["status"] == "blind"
    if ep is not None:
        told = _of_episode(rule, ep, found["last_decision"])
        return told + (_BLIND_MEANWHILE.get(ep["state"], " It is blind now.") if blind else "")
    if rule["verdict"] is None:
        return "Nothing has been read yet, so nothing can be judged."
    if blind:
        return "Blind: this starts nothing and ends nothing until it can be read again."
    if rule["verdict"]["status"] == "breached" and rule["members"]:
        return "Breached in some of its members; each of them is a rule and has its own episode."
    if rule["verdict"]["status"] == "breached":
        return "Breached; the next pass opens an episode."
    stopped = _if_stopped(found["stops"]) if rule["playbook"] is not None else ""
    told = stopped or _if_breached(rule)
    return f"Healthy, so there is nothing to do. {told}"


def _if_stopped(stops: list[str]) -> str:
    return f"A breach would be held, under {'; '.join(stops)}." if stops else ""


def _if_breached(rule: View) -> str:
    mode, lasting = rule["effective_mode"], _lasting(rule)
    if rule["playbook"] is None:
        return f"It has no playbook: a breach{lasting} would be recorded and paged."
    does = f"playbook {rule['playbook']}" + (f" up to {rule['up_to']}" if rule["up_to"] else "")
    match mode:
        case "observe":
            return f"It only watches: a breach{lasting} would not lead to {does}."
        case "shadow":
            return f"A breach{lasting} would record what {does} would do, and do nothing."
    if not rule["cleared"]:
        return (
            "It has not been seen healthy over its whole short window yet: a breach before then "
            "would be held as already burning."
        )
    asks = "ask a person for" if mode == "approve" else "start"
    return f"A breach{lasting} would {asks} {does}."


def _lasting(rule: View) -> str:
    return f" that lasts {duration(rule['for_seconds'])}" if rule["for_seconds"] else ""


def _waiting(name: str, asked: View | None) -> str:
    if asked is None:
        return ""
    said = ", ".join(one["who"] for one in asked["given"]) or "nobody"
    return (
        f"{name} waits for people to approve {asked['action']}: {asked['needed']} must, "
        f"{said} did. What would run: slo-watchdog plan {name}"
    )


def _of_episode(rule: View, ep: View, decision: View | None) -> str:
    name, state, reason = ep["id"], ep["state"], _sentence(ep["reason"])
    decided = decision if decision is not None and decision["episode"] == name else None
    match state:
        case "pending":
            so_far, needed = duration(rule["held_seconds"]), duration(rule["for_seconds"])
            told = f"{name} is pending: breached for {so_far} of the {needed} that it must last."
        case "held":
            told = f"{name} is held: {_sentence(decided['reason']) if decided else reason}"
        case "shadowed":
            why_not = _sentence(rule["mode_reason"])
            told = f"{name} would have acted, had its mode been armed. {why_not}".strip()
        case "awaiting":
            told = _waiting(name, ep["awaiting"]) or f"{name} awaits approval: {reason}"
        case "acting":
            told = f"{name} is acting right now: {reason}"
        case "verifying":
            told = f"{name} has acted; whether that helped is being proven. {reason}"
        case "contained":
            told = f"{name} is contained: {reason} It stays so until a person undoes it."
        case "watched":
            told = f"{name} is over and watched for a while: a fresh breach would reopen it."
        case "latched":
            told = f"{name} is latched: a person must look, nothing more is done. {reason}"
        case _:
            told = f"{name} is {state}: {reason}"
    barred = _sentence(ep["barred"])
    return told + (f" It may not act by itself: {barred}" if barred and state != "held" else "")


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."
