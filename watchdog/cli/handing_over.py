"""What the next person on call must know, out of what `status` answers: short, and nothing else.

Laws: whatever keeps the watchdog from acting, waits for a person or was promised by one is told;
what is well is not. It is text that can be pasted anywhere: no colour, one line a matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from watchdog.cli.drills_page import drills_wanted
from watchdog.cli.lessons_page import follow_up_told, review_told
from watchdog.cli.page import ago, clock, until
from watchdog.cli.verification_page import failing, newest
from watchdog.core.text import duration, printable, shortened

View = dict[str, Any]

MOST_OF_A_KIND = 25
MOST_CHARACTERS = 400
LATE_PASS_SECONDS = 10.0

_STATES = (
    "latched", "awaiting", "held", "acting", "verifying", "contained", "watched", "pending",
)  # fmt: skip
"""Those that wait for a person before those that do not."""


@dataclass(frozen=True, slots=True)
class Matter:
    """One kind of thing to know. `key` is its name in JSON."""

    key: str
    title: str
    items: tuple[str, ...]


def matters(status: View, now: datetime) -> tuple[Matter, ...]:
    """All that there is to tell, the worst first; nothing where all is well."""
    told = (
        Matter(key, title, tuple(map(_line, make(status, now))))
        for key, (title, make) in _KINDS.items()
    )
    return tuple(one for one in told if one.items)


def text(status: View, found: tuple[Matter, ...], now: datetime) -> str:
    """To be pasted into a message."""
    head = f"Handover of {status['environment']} on {status['host']}, {now:%Y-%m-%d %H:%M}Z"
    head += f"{_local(status, now)}, slo-watchdog {status['version']}, up to {status['max_mode']}"
    lines = [head, *_shift(status)]
    for one in found:
        lines += ["", f"{one.title} ({len(one.items)})"]
        lines += [f"* {item}" for item in one.items[:MOST_OF_A_KIND]]
        if one.items[MOST_OF_A_KIND:]:
            lines.append(f"* and {len(one.items) - MOST_OF_A_KIND} more: slo-watchdog status")
    if not found:
        rules = len(status["rules"])
        watched = "1 rule is watched and not blind" if rules == 1 else (
            f"{rules} rules are watched, none is blind"
        )  # fmt: skip
        well = (
            f"Nothing to hand over: {watched}, no episode is open, nothing is held, silenced, "
            "deployed, frozen, demoted or overdue, and every action is ready."
        )
        lines += ["", well]
    return "\n".join(lines)


def _local(status: View, now: datetime) -> str:
    """The time in the zone in which the policy's people are told times, where it is no UTC."""
    zone = (status["telling"] or {}).get("zone")
    local = now.astimezone(ZoneInfo(zone) if zone else None)
    return f" ({local:%H:%M %Z})" if local.utcoffset() else ""


def _shift(status: View) -> Iterator[str]:
    """Whose turn it is, and who comes next; nothing where the policy names nobody."""
    telling = status["telling"] or {}
    for what, key in (("On call", "on_call"), ("Next", "next_on_call")):
        who = telling.get(key)
        if who is not None:
            yield _line(f"{what}: {who['title']}{', ' + who['phone'] if who['phone'] else ''}")


def document(status: View, found: tuple[Matter, ...], now: datetime) -> View:
    """The same as plain data: every kind is there, also the empty ones."""
    told = {one.key: list(one.items) for one in found}
    return {
        "at": now.isoformat(timespec="seconds"),
        "environment": status["environment"],
        "host": status["host"],
        "version": status["version"],
        "max_mode": status["max_mode"],
        "on_call": (status["telling"] or {}).get("on_call"),
        "next_on_call": (status["telling"] or {}).get("next_on_call"),
        "nothing_to_tell": not found,
        "matters": {key: told.get(key, []) for key in _KINDS},
    }


def _line(item: str) -> str:
    return printable(shortened(item, MOST_CHARACTERS))


def _trouble(status: View, _: datetime) -> Iterator[str]:
    last, leader = status["last_pass_seconds_ago"], status["leader"]
    if last is None or last > LATE_PASS_SECONDS:
        since = "never" if last is None else f"{duration(round(last))} ago"
        yield f"it does not judge: the last pass was {since}"
    if status["recording"] != "ok":
        yield f"it cannot record, and so does not act: {status['recording']}"
    if leader is not None and leader["trouble"]:
        yield f"who leads cannot be told: {leader['trouble']}"
    if status["clock"] != "ok":
        yield f"the clock is {status['clock']}, so nothing may act"
    if not status["rules"]:
        yield "no rule is in force: it watches nothing"
    for error in status["policy_errors"]:
        yield f"not loaded, the last good text stays in force: {error}"
    if status["policy_pending"] and not status["policy_errors"]:
        yield "the rules folder was changed and is not in force: slo-watchdog apply"


def _episodes(status: View, now: datetime) -> Iterator[str]:
    live = [ep for ep in status["episodes"] if ep["world"] == "live"]
    for ep in sorted(live, key=lambda ep: _STATES.index(ep["state"])):
        seen = f"seen by {ep['acked_by']}" if ep["acked_by"] else "nobody has acknowledged it"
        kept = ", ".join(one["target"] for one in ep["claims"])
        asked = ep["awaiting"]
        since = f"{clock(ep['since'], now)} ({ago(ep['since'], now)})"
        told = [
            f"{ep['id']} {ep['rule']} {ep['severity']}: {ep['state']} since {since}, {seen}",
            f"stays rolled back: {kept}" if kept else "",
            _awaits(ep["id"], asked, now) if asked else "",
            f"ordered by {ep['actor']}: {ep['why']}" if ep["actor"] else "",
            "may not act by itself" if ep["barred"] else "",
            *(one["told"] for one in newest(ep) if failing(one)),
            ep["reason"],
        ]
        yield ". ".join(one for one in told if one)


def _awaits(episode: str, asked: View, now: datetime) -> str:
    until_when = clock(asked["until"], now)
    what = f"waits for {asked['missing']} to approve {asked['action']} until {until_when}"
    return f"{what}: slo-watchdog plan {episode}"


def _holds(status: View, now: datetime) -> Iterator[str]:
    for hold in status["holds"]:
        what = "silence" if hold["silence"] else "hold"
        ends = (
            f"until {clock(hold['expires'], now)} ({until(hold['expires'], now)})"
            if hold["expires"]
            else "until it is released"
        )
        yield f"{hold['id']} {what} on {hold['scope']} {ends}, by {hold['actor']}: {hold['reason']}"


def _silences(status: View, now: datetime) -> Iterator[str]:
    for one in status["silences"]:
        if one["stands"] and one["covers"]:
            covers = ", ".join(one["covers"])
            ends = clock(one["ends"], now)
            yield f"{one['id']} until {ends}, by {one['author']}: {one['comment']}; covers {covers}"


def _deploys(status: View, now: datetime) -> Iterator[str]:
    for one in status["deploys"]:
        change = f" ({one['change']})" if one["change"] else ""
        yield (
            f"{one['deploy']} of {one['target']}{change}, by {one['actor']}, begun "
            f"{clock(one['began'], now)}, ends by itself {clock(one['until'], now)}"
        )


def _frozen(status: View, _: datetime) -> Iterator[str]:
    for one in status["frozen"]:
        yield f"{one['target']}: {one['why']}. To allow it again: {one['lifted_by']}"


def _not_ready(status: View, _: datetime) -> Iterator[str]:
    for one in status["actions"]:
        if one["ready"] != "true" and not one["claimed_by"]:
            yield f"{one['name']} ({one['target']}): {one['ready_reason']}"


def _unverified(status: View, _: datetime) -> Iterator[str]:
    """What was rolled back or undone, and a check of which failed when it was last looked at."""
    for action in status["actions"]:
        for one in action.get("verification", ()):
            last = one["last"]
            if last is not None and last["truth"] == "false":
                again = f"slo-watchdog verify {action['name']} --check {one['check']}"
                yield f"{action['name']}: {one['check']}: {last['reason']}. Look again: {again}"


def _demoted(status: View, _: datetime) -> Iterator[str]:
    """Rules that one thing keeps down stand together."""
    together: dict[str, list[str]] = {}
    for rule in status["rules"]:
        if rule["mode"] != rule["effective_mode"]:
            why = f"{rule['effective_mode']} instead of {rule['mode']}: {rule['mode_reason']}"
            together.setdefault(why, []).append(rule["name"])
    for why, names in together.items():
        yield f"{', '.join(names)}: {why}"


def _blind(status: View, _: datetime) -> Iterator[str]:
    for rule in status["rules"]:
        verdict = rule["verdict"]
        if verdict is None or verdict["status"] == "blind":
            yield f"{rule['name']}: {verdict['reason'] if verdict else 'nothing has been read yet'}"
        blind = [one for one in rule["members"] if one["status"] == "blind"]
        for member in blind if verdict is None or verdict["status"] != "blind" else ():
            yield f"{member['name']}: {member['reason']}"


def _untold(status: View, now: datetime) -> Iterator[str]:
    """People, and the public, who are not told what they should be."""
    telling = status["telling"]
    failing = [one for one in telling["lines"] if one["failing_since"]] if telling else []
    for one in failing:
        since = f"{clock(one['failing_since'], now)} ({ago(one['failing_since'], now)})"
        yield f"{one['line']} fails since {since}: {one['reason']}"
    if failing and telling:
        yield f"{telling['waiting']} messages wait to be told"
    for one in telling["unusable"] if telling else ():
        yield f"nobody is told by {one['name']}: {one['reason']}"
    for one in status["status_pages"]:
        known = one["told_here"] or one["failing_since"] is not None
        if known and not one["shows"]:
            shown = f"; it last took {one['shown']}" if one["shown"] else ""
            why = one["reason"] or "not yet"
            yield f"status page {one['name']} does not show {one['condition']}: {why}{shown}"


def _overdue(status: View, _: datetime) -> Iterator[str]:
    for one in status["follow_ups"]:
        if one["overdue"]:
            yield f"{one['follow_up']} {follow_up_told(one)}: {one['text']}"
    if review := review_told(status["procedure"]):
        yield review
    yield from drills_wanted(status)


_KINDS: dict[str, tuple[str, Callable[[View, datetime], Iterator[str]]]] = {
    "trouble": ("It does not work as it should", _trouble),
    "episodes": ("Open episodes", _episodes),
    "holds": ("Holds: nothing starts by itself under them", _holds),
    "silences": ("Silences in Alertmanager", _silences),
    "deploys": ("Deploys under way", _deploys),
    "frozen": ("Frozen: not to be deployed", _frozen),
    "not_ready": ("Actions that would not work", _not_ready),
    "unverified": ("Checks after a rollback that failed last", _unverified),
    "demoted": ("Rules that do less than they declare", _demoted),
    "blind": ("Blind rules", _blind),
    "untold": ("Not told", _untold),
    "overdue": ("Overdue", _overdue),
}
