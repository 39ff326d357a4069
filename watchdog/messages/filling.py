"""From fields to a message: the operator's template where there is one, else ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import TemplateError

from watchdog.core.telling.topics import Topic
from watchdog.core.text import shortened
from watchdog.messages.sandbox import made

PUBLIC = "public-"
"""Before the name of a topic: what is announced to the outside of it."""

ANNOUNCED = (Topic.ANNOUNCED, Topic.UPDATE, Topic.COMPLETE)
"""Of these there is a text for the outside."""

STATUS = PUBLIC + "status"
"""What a status page says of one component."""

NAMES = (
    *(topic.value for topic in Topic),
    *(PUBLIC + topic.value for topic in ANNOUNCED),
    STATUS,
)

LONGEST_SUBJECT = 400
LONGEST_BODY = 20_000


@dataclass(frozen=True, slots=True)
class Message:
    """`problem` says why the template was not used, where it was not."""

    subject: str
    body: str
    problem: str = ""


def _ours(name: str) -> str:
    return files("watchdog.messages").joinpath("templates", f"{name}.txt").read_text("utf-8")


TEMPLATES: Mapping[str, str] = {name: _ours(name) for name in NAMES}
"""Our own texts by name."""

FIELDS: Mapping[str, tuple[str, Any]] = {
    "first_line": ("all that fits a phone", "[sandbox] P0 flag:x: contained. Next: nothing."),
    "environment": ("of the daemon", "sandbox"),
    "severity": ("P0 to P3", "P0"),
    "rule": ("whose trouble it is", "redemption-error-rate"),
    "summary": ("the rule's own", "Redemptions fail"),
    "owner": ("of the rule", "redemption-team"),
    "episode": ("its name, for commands", "E4"),
    "note": ("the message's name on the record", "N7"),
    "state": ("of the episode, now", "contained"),
    "verified": ("what was read back", "contained, flag:x is rolled back"),
    "action": ("the last that was decided on", "pause-redemption"),
    "target": ("what it changes; in public, as a status page names it", "flag:x"),
    "title": ("what happened, when the page was raised", "redemption: contained"),
    "body": ("more of it", "enabled is false"),
    "reason": ("what the rule saw", "5.2% > 5%"),
    "impact": ("who is affected, as far as it is known", "120 failed events"),
    "lasted": ("since it began", "4m10s"),
    "expected": ("how long the rollback may take; empty once it took effect", "10m"),
    "next_step": ("what is done by itself", "nothing by itself"),
    "next_step_at": ("when, in UTC and local time; may be empty", ""),
    "next_update_at": ("when people are told again; may be empty", "12:30:00Z"),
    "stop": ("the command that stops it; may be empty", "slo-watchdog undo E4"),
    "began_at": ("of the trouble, in UTC and local time", "12:00:00Z"),
    "noted_at": ("when the page was raised, in UTC and local time", "12:04:10Z"),
    "facts": ("what the record tells of it, in short sentences", ["contained 4 s after"]),
    "checks": ("its verification, a line an action", ["verified after x: 5 of 6 hold"]),
    "runbook": ("of the rule; may be empty", "docs/runbooks/redemption.md"),
    "link": ("to its page; may be empty", "https://watchdog.example.org/episodes/E4"),
    "meanwhile": ("in public: how it is while it stands so, as a status page says; or empty", ""),
    "called": ("who is called, by role and name; empty where it is the team", "on-call (Ada)"),
    "said": ("what the person who announces it adds; may be empty", ""),
}  # fmt: skip
"""What a template may use: its meaning, and an example to try it on."""

STATUS_FIELDS: Mapping[str, tuple[str, Any]] = {
    "environment": ("of the daemon", "sandbox"),
    "component": ("what its users call it", "Redemption"),
    "condition": ("of the component, now, as a page is told it", "paused"),
    "heading": ("the same in words; an incident keeps that of its first showing", "paused"),
    "summary": ("the component's own in the contacts; may be empty", "Redemptions are paused."),
    "impact": ("the same of who is affected; may be empty", "Balances are not affected."),
    "began_at": ("since when the component is so, in UTC", "2026-11-23 14:00 UTC"),
    "verified_at": ("when a pause was read back; empty where in doubt", "2026-11-23 14:00 UTC"),
    "estimate": ("when a pause is expected to be over; may be empty", "2026-11-23 16:00 UTC"),
    "late": ("whether that time has passed", False),
    "next_update_at": ("when readers hear again; may be empty", "2026-11-23 14:30 UTC"),
}  # fmt: skip
"""The same for status pages: nothing in it was not written for the public."""


def fields_of(name: str) -> Mapping[str, tuple[str, Any]]:
    """What the template of this name may use."""
    return STATUS_FIELDS if name == STATUS else FIELDS


def compose(name: str, fields: Mapping[str, Any], override: str | None) -> Message:
    """Never raises for a template's sake."""
    problem = ""
    for text in (override, TEMPLATES[name]):
        if text is None:
            continue
        try:
            filled = made(text).render(fields)
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            problem = problem or f"the template {name} cannot be filled: {error}"
            continue
        subject, _, body = filled.partition("\n")
        return Message(
            shortened(subject.removeprefix("Subject: "), LONGEST_SUBJECT),
            body.strip()[:LONGEST_BODY],
            problem,
        )
    first, title = (fields.get("first_line"), fields.get("title"))
    return Message(
        shortened(str(first or fields.get("component", "")), LONGEST_SUBJECT),
        str(title or fields.get("heading", "")),
        problem,
    )
