"""`status` for people: the worst first, then what stands, then that all the rest is well."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from watchdog.cli.drills_page import show_drills
from watchdog.cli.lessons_page import show_lessons
from watchdog.cli.page import STYLES, Page, ago, clock, plain, span, until, word
from watchdog.cli.verification_page import newest
from watchdog.web.advice import (
    Advice,
    for_episode,
    for_frozen,
    for_hold,
    for_policy,
    known_rules,
)
from watchdog.web.headline import headline
from watchdog.web.policy_load import PolicyLoad

View = dict[str, Any]

LATE_SECONDS = 5.0
_SHOWN_RULES = 8
_ORDER = ("breached", "blind", "healthy")


def show_status(page: Page, found: View, now: datetime) -> None:
    """Everything on one page."""
    last = found["last_pass_seconds_ago"]
    late = "no pass has been completed yet" if last is None else ""
    if last is not None and last > LATE_SECONDS:
        late = f"the last pass was {span(last)} ago"
    head = headline(found, late)
    page.line(plain(head.title, STYLES[head.tone]))
    page.line(head.text)
    page.line(
        f"{found['environment']} on {found['host']}, ceiling {found['max_mode']}, "
        f"policy {found['policy'][:12]}, last pass "
        + ("never" if last is None else f"{span(last)} ago")
    )
    show_leader(page, found["leader"])
    for error in found["policy_errors"]:
        page.line("not loaded: ", error)
    load = PolicyLoad(found["policy_pending"], tuple(found["policy_errors"]))
    show_advice(page, for_policy(load))
    rules = known_rules(found["rules"])
    if found["episodes"]:
        page.title("Open episodes")
        for ep in found["episodes"]:
            show_episode(page, ep, now, rule_exists=ep["rule"] in rules)
    _stops(page, found, now)
    show_lessons(page, found)
    show_drills(page, found)
    page.title("Rules")
    _rules(page, found["rules"])
    page.title("Actions")
    show_actions(page, found["actions"])
    page.title("Sources")
    page.rows(_source(source) for source in found["sources"])
    if found["alertmanager"]:
        page.title("Alertmanager")
        show_alertmanager(page, found["alertmanager"])
    show_telling(page, found.get("telling"))
    if found.get("status_pages"):
        page.title("Status pages")
        page.rows(_public(one) for one in found["status_pages"])


def show_telling(page: Page, telling: View | None) -> None:
    """What keeps people from being told, and who is on call; nothing where nobody is told."""
    if telling is None:
        return
    on_call = telling["on_call"]
    failing = [one for one in telling["lines"] if one["failing_since"] is not None]
    if on_call is None and not failing and not telling["unusable"]:
        return
    page.title("Telling people")
    if on_call is not None:
        phone = f", {on_call['phone']}" if on_call["phone"] else ""
        page.line(f"on call: {on_call['title']}{phone}")
    if failing:
        page.line(f"{telling['waiting']} messages wait")
    for one in failing:
        page.line(f"{one['line']}: fails since {one['failing_since']}: {one['reason']}")
    for one in telling["unusable"]:
        page.line(f"nobody is told by {one['name']}: {one['reason']}")


def show_leader(page: Page, leader: View | None) -> None:
    """Who decides and acts, where daemons share the record."""
    if leader is None:
        return
    if leader["trouble"]:
        page.line(f"who leads cannot be told, and this daemon only watches: {leader['trouble']}")
        return
    who = leader["name"] or "nobody yet"
    here = "this daemon" if leader["here"] else f"{who}, and this daemon follows"
    named = f" ({who})" if leader["here"] else ""
    others = ", ".join(
        f"{one['name']} on {one['host']}" + ("" if one["sees"] else ", blind")
        for one in leader["daemons"]
    )
    page.line(f"leads: {here}{named}, in epoch {leader['epoch']}. There are: {others}")
    if leader.get("twin"):
        page.line(f"one name, two daemons: {leader['twin']}: stop one, or set another `name`")
    if len({one["version"] for one in leader["daemons"]}) > 1:
        versions = ", ".join(f"{one['name']} {one['version']}" for one in leader["daemons"])
        lesser = " and ".join(one["name"] for one in leader["daemons"] if one["lacks"])
        told = f": what {lesser} does not know is not started" if lesser else ""
        page.line(f"versions differ: {versions}{told}")
    if len({one["settings"] for one in leader["daemons"]}) > 1:
        theirs = "; ".join(f"{one['name']} {one['settings']}" for one in leader["daemons"])
        page.line(f"settings differ, which are to be the same on all: {theirs}")


def _stops(page: Page, found: View, now: datetime) -> None:
    """What keeps actions back, and what keeps deploys back."""
    if found["holds"]:
        page.title("Holds")
        for hold in found["holds"]:
            _hold(page, hold, now)
    if found["deploys"]:
        page.title("Deploys")
        for deploy in found["deploys"]:
            show_deploy(page, deploy, now)
    if found["frozen"]:
        page.title("Frozen: not to be deployed")
        for one in found["frozen"]:
            show_frozen(page, one)
    if found["silences"]:
        page.title("Silences in Alertmanager")
        for silence in found["silences"]:
            _silence(page, silence, now)


def show_episode(page: Page, ep: View, now: datetime, *, rule_exists: bool = True) -> None:
    since = f" for {ago(ep['since'], now)}"
    world = " in shadow" if ep["world"] == "shadow" else ""
    name = f"  {ep['rule']}{world}"
    page.line(plain(ep["id"], "bold"), "  ", word(ep["state"]), since, name, indent=2)
    page.line(ep["reason"], indent=6)
    for what, told in (
        ("read back: ", ep["read_back"] if ep["read_back"] not in ep["reason"] else ""),
        ("may not act by itself: ", ep["barred"] if ep["barred"] not in ep["reason"] else ""),
        ("waits for ", _awaits(ep["awaiting"], now)),
        ("measured: ", "; ".join(ep["measures"]["told"]) if ep["measures"] else ""),
        *(("", one["told"]) for one in newest(ep)),
        ("seen by ", ep["acked_by"]),
        ("ordered by ", f"{ep['actor']}: {ep['why']}" if ep["actor"] else ""),
    ):
        if told:
            page.line(what, told, indent=6)
    show_advice(page, for_episode(ep, rule_exists=rule_exists))


def _awaits(asked: View | None, now: datetime) -> str:
    if asked is None:
        return ""
    said = ", ".join(one["who"] for one in asked["given"])
    missing = "1 person" if asked["missing"] == 1 else f"{asked['missing']} people"
    waits = f"{missing} to approve {asked['action']}" if asked["missing"] else "its gates"
    ends = f" until {clock(asked['until'], now)} ({until(asked['until'], now)})"
    return waits + ends + (f"; approved by {said}" if said else "")


def show_advice(page: Page, advice: list[Advice]) -> None:
    for one in advice:
        page.line(plain(f"{one.what}:", "dim"), indent=6)
        page.line(one.command, indent=8)


def _hold(page: Page, hold: View, now: datetime) -> None:
    until_when = (
        f"until {clock(hold['expires'], now)} ({until(hold['expires'], now)})"
        if hold["expires"]
        else "until it is released"
    )
    what = "silence" if hold["silence"] else "hold"
    page.line(plain(hold["id"], "bold"), f"  {what} on {hold['scope']} {until_when}", indent=2)
    page.line(f"{hold['actor']}: {hold['reason']}", indent=6)
    show_advice(page, [for_hold(hold)])


def show_deploy(page: Page, deploy: View, now: datetime) -> None:
    change = f" ({deploy['change']})" if deploy["change"] else ""
    began = f"  {deploy['target']}{change}, begun {clock(deploy['began'], now)}"
    page.line(plain(deploy["deploy"], "bold"), f"{began} by {deploy['actor']}", indent=2)
    kept = deploy["keeps_back_until"]
    if deploy["ended"]:
        told = f"{deploy['outcome']}, {clock(deploy['ended'], now)}, by {deploy['ended_by']}"
    elif kept:
        told = f"keeps its actions back until {clock(kept, now)} ({until(kept, now)})"
    else:
        told = "lasts too long: it keeps no action back any more"
    page.line(told, indent=6)
    if deploy["reason"]:
        page.line(deploy["reason"], indent=6)


def show_frozen(page: Page, one: View) -> None:
    page.line(plain(one["target"], "bold"), f"  {one['why']}", indent=2)
    show_advice(page, [for_frozen(one)])


def _silence(page: Page, silence: View, now: datetime) -> None:
    ends = f"until {clock(silence['ends'], now)} ({until(silence['ends'], now)})"
    begins = "" if silence["stands"] else f"from {clock(silence['starts'], now)} "
    page.line(plain(silence["id"], "bold"), f"  {begins}{ends}", indent=2)
    page.line(f"{silence['author']}: {silence['comment']}", indent=6)
    page.line(f"{{{', '.join(silence['matchers'])}}}", indent=6)
    covers = silence["covers"]
    more = f" and {len(covers) - _SHOWN_RULES} more" if covers[_SHOWN_RULES:] else ""
    page.line("covers ", ", ".join(covers[:_SHOWN_RULES]) + more or "none of the rules", indent=6)


def show_alertmanager(page: Page, found: View) -> None:
    page.rows(_alertmanager(found))


def _alertmanager(found: View) -> Iterator[tuple[str, str, str]]:
    """What it is asked and told, and what became of it at each replica."""
    for matter, done in (("silences", "read"), ("alerts", "told")):
        about = found[matter]
        if not about["asked"]:
            continue
        ago = about["seconds_ago"]
        when = "not yet" if ago is None else f"{done} {span(ago)} ago"
        firing = f", {about['firing']} firing" if "firing" in about else ""
        state = "healthy" if about["answers"] else "blind"
        broken = [replica for replica in found["replicas"] if replica[matter]]
        if broken:  # each tells what is wrong with it
            when += f"; {len(broken)} of {len(found['replicas'])} failing"
        yield state, matter, (when if broken else about["reason"] or when) + firing
        for replica in broken:
            yield "blind", replica["url"], replica[matter]


def _public(one: View) -> tuple[str, str]:
    """What the public is to see, and whether it does, in one sentence."""
    paused = ", ".join(
        f"{part['name']} as {part['condition']}"
        for part in one["components"]
        if part["condition"] != "operational"
    )
    told = paused or one["condition"]
    if one["shows"] and not one["reason"]:
        return "healthy", f"{one['name']} shows {told}"
    shown = f"; it last took {one['shown']}" if one["shown"] else ""
    return "blind", f"{one['name']} does not show {told}: {one['reason'] or 'not yet'}{shown}"


def _rules(page: Page, rules: list[View]) -> None:
    """Trouble first and with its whole reason; what is well takes one line."""
    unread = {"status": "blind", "reason": "nothing has been read yet"}
    seen = [(rule, rule["verdict"] or unread) for rule in rules]
    for rule, verdict in sorted(seen, key=lambda one: _ORDER.index(one[1]["status"])):
        widest = max(len(one["name"]) for one in rules)
        head = (word(verdict["status"]), " " * (10 - len(verdict["status"])))
        name = f"{rule['name'].ljust(widest)}  {rule['effective_mode'].ljust(9)}"
        reason = verdict["reason"]
        if verdict["status"] == "healthy":
            short = page.short(reason, 2 + 10 + len(name))
            page.line(*head, name, plain(short, "dim"), indent=2)
            if rule["effective_mode"] != rule["mode"]:
                page.line(
                    plain(f"declared {rule['mode']}, {rule['mode_reason']}", "dim"), indent=12
                )
        else:
            page.line(*head, name.rstrip(), indent=2)
            page.line(reason, indent=12)
        _members(page, rule)


def _members(page: Page, rule: View) -> None:
    """Those of a family that are in trouble, a few of them; `why` shows all."""
    troubled = [one for one in rule["members"] if one["status"] != "healthy"]
    for one in sorted(troubled, key=lambda one: _ORDER.index(one["status"]))[:_SHOWN_RULES]:
        gap = " " * (10 - len(one["status"]))
        page.line(word(one["status"]), gap, f"{one['name']}: {one['reason']}", indent=12)
    if len(troubled) > _SHOWN_RULES:
        page.line(f"and {len(troubled) - _SHOWN_RULES} more", indent=12)


def show_actions(page: Page, actions: list[View]) -> None:
    for action in actions:
        state = "ready" if action["ready"] == "true" else "not ready"
        held = ", ".join(action["claimed_by"])
        page.line(
            word(state),
            " " * (10 - len(state)),
            action["name"],
            f"  {action['target']}",
            f", held by {held}" if held else "",
            f", {_proven(action['last_proof'])}",
            indent=2,
        )
        if state != "ready":
            page.line(action["ready_reason"], indent=12)
        for said in action["unpractised"]:
            page.line(word("held"), f" {said}", indent=12)


def _proven(proof: View | None) -> str:
    """When it was last seen to work from end to end."""
    if proof is None:
        return "not proven yet"
    other = "" if proof["of_this_text"] else ", with another text"
    return f"proven {span(proof['seconds_ago'])} ago{other}"


def _source(source: View) -> tuple[str, str, str]:
    state = "blind" if source["failure"] else "healthy"
    last = source["last_seconds_ago"]
    told = source["failure"] or (
        "not read yet"
        if last is None
        else f"every {span(source['every_seconds'])}, read {span(last)} ago "
        f"in {span(source['took_seconds'])}"
    )
    missed = f", {source['missed']} missed" if source["missed"] else ""
    return state, source["name"], told + missed
