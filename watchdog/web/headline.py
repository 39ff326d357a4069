"""One sentence for somebody who was just woken: does it watch, and is anything the matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

View = dict[str, Any]

_HANDED_OVER = frozenset({"held", "awaiting", "latched"})
_WOULD_ACT = frozenset({"approve", "armed"})


@dataclass(frozen=True, slots=True)
class Headline:
    """`tone` is calm, busy (it works on it), look (a person must) or dead (do not rely on it)."""

    tone: str
    title: str
    text: str


def headline(status: View, unhealthy: str) -> Headline:
    """The worst thing first."""
    return (
        _broken(status, unhealthy)
        or _in_trouble(status)
        or _stopped(status)
        or _unready(status)
        or _unshown(status)
        or _quiet(status)
    )


def _broken(status: View, unhealthy: str) -> Headline | None:
    if unhealthy:
        return Headline("dead", "It is not watching", unhealthy)
    leader = status["leader"]
    if leader is not None and leader["trouble"]:
        told = f"The store that it shares does not answer: {leader['trouble']}"
        return Headline("dead", "It watches, and does not act", told)
    if status["recording"] != "ok":
        return Headline("dead", "It cannot record, and so does not act", status["recording"])
    return None


def _in_trouble(status: View) -> Headline | None:
    episodes = [
        ep
        for ep in status["episodes"]
        if ep["state"] not in {"watched", "shadowed"} and ep["world"] == "live"
    ]
    if not episodes:
        return None
    every = [one for rule in status["rules"] for one in (rule, *rule["members"])]
    watching = {rule["name"] for rule in every if rule["effective_mode"] == "observe"}
    for_people = [
        ep
        for ep in episodes
        if ep["state"] in _HANDED_OVER
        # What climbed to a rung that only observes did act before: that one needs a person.
        and not (ep["state"] == "held" and ep["rule"] in watching and ep["rung"] == 0)
    ]
    if for_people:
        title = _count(len(for_people), "episode needs you", "episodes need you")
        return Headline("look", title, _names(for_people))
    tone = "look" if any(ep["state"] == "contained" for ep in episodes) else "busy"
    return Headline(tone, _open(episodes), _names(episodes))


def _stopped(status: View) -> Headline | None:
    """It watches, and something keeps it from acting as it should."""
    if status["holds"]:
        return Headline("look", "It watches, but is held", _held(status["holds"]))
    silenced = [one for one in status["silences"] if one["stands"] and one["covers"]]
    if silenced:
        return Headline("look", "It watches, and Alertmanager silences rules", _by(silenced))
    if status["clock"] != "ok":
        told = f"The clock is {status['clock']} (time_sync = required)."
        return Headline("look", "It watches, but may not act", told)
    if status["policy_errors"]:
        told = "The last good text stays in force: " + status["policy_errors"][0]
        return Headline("look", "The rules folder has errors", told)
    return None


def _unready(status: View) -> Headline | None:
    """It judges, and would have nothing that works to answer with."""
    if not status["rules"]:
        return Headline("look", "It watches nothing", "There is no rule in force.")
    relied_on = {
        rung["action"]
        for rule in status["rules"]
        for rung in rule["rungs"]
        if rung["effective_mode"] in _WOULD_ACT
    }
    unready = [
        one
        for one in status["actions"]
        if one["name"] in relied_on and one["ready"] != "true" and not one["claimed_by"]
    ]
    if not unready:
        return None
    title = _count(len(unready), "action is not ready", "actions are not ready")
    told = "; ".join(f"{one['name']}: {one['ready_reason']}" for one in unready[:3])
    return Headline("look", title, told + ("; ..." if unready[3:] else ""))


def _unshown(status: View) -> Headline | None:
    """It acts, and the public would not hear of it."""
    pages = status.get("status_pages", ())
    wrong = [one for one in pages if one["failing_since"] is not None and not one["shows"]]
    if not wrong:
        return None
    title = _count(len(wrong), "status page does not show", "status pages do not show")
    told = "; ".join(f"{one['name']}: {one['reason'] or 'not yet'}" for one in wrong[:3])
    return Headline("look", f"{title} what stands", told + ("; ..." if wrong[3:] else ""))


def _quiet(status: View) -> Headline:
    blind = [rule["name"] for rule in status["rules"] if _blind(rule)]
    if blind:
        names = ", ".join(blind[:5]) + (" ..." if len(blind) > 5 else "")
        return Headline("look", _count(len(blind), "rule is blind", "rules are blind"), names)
    breached = [r["name"] for r in status["rules"] if r["verdict"]["status"] == "breached"]
    count = _count(len(status["rules"]), "rule", "rules")
    if breached:
        return Headline("busy", f"{count} watched", "Breached: " + ", ".join(breached[:5]))
    told = f"{count} watched, none breached, none blind."
    watched = [ep for ep in status["episodes"] if ep["state"] == "watched"]
    if watched:
        title = _count(len(watched), "episode is watched", "episodes are watched")
        return Headline("busy", title, f"{_names(watched)} {told}")
    if status["policy_pending"]:
        told += " The rules folder was changed and is not applied."
        return Headline("busy", "All is well", told)
    return Headline("calm", "All is well", told)


def _open(episodes: list[View]) -> str:
    if all(ep["state"] == "contained" for ep in episodes):
        return _count(len(episodes), "episode is contained", "episodes are contained")
    return _count(len(episodes), "episode is open", "episodes are open")


def _names(episodes: list[View]) -> str:
    shown = "; ".join(f"{ep['id']} {ep['rule']}: {ep['state']}" for ep in episodes[:4])
    return shown + ("; ..." if len(episodes) > 4 else ".")


def _held(holds: list[View]) -> str:
    return "; ".join(f"{hold['scope']}, by {hold['actor']}: {hold['reason']}" for hold in holds[:3])


def _by(silences: list[View]) -> str:
    told = [
        f"{', '.join(one['covers'][:3])}{' ...' if one['covers'][3:] else ''}, "
        f"by {one['author']}: {one['comment']}"
        for one in silences[:3]
    ]
    return "; ".join(told)


def _blind(rule: View) -> bool:
    return rule["verdict"] is None or rule["verdict"]["status"] == "blind"


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
