"""People whom a watch in a test tells: contacts, the steps of P0, and what was told."""

from __future__ import annotations

from dataclasses import replace

from tests.core.decisions.watch import NOON, Watch, a_policy
from watchdog.core import entries as e
from watchdog.core.spec import Policy
from watchdog.core.telling.contacts import (
    AppriseUrl,
    Audience,
    Channel,
    Contacts,
    Ladder,
    OnCall,
    Person,
    Role,
    Step,
    Told,
    Unless,
)
from watchdog.core.telling.topics import Topic
from watchdog.core.words import Severity

HOUR = 3600.0


def a_channel(name: str, **different: object) -> Channel:
    return replace(Channel(name, AppriseUrl(secret=name)), **different)  # type: ignore[arg-type]  # fields by name


def contacts(*steps: Step, update_seconds: float | None = None) -> Contacts:
    return Contacts(
        channels={
            "chat": a_channel("chat", fallback="mail"),
            "mail": a_channel("mail", to="all@example.org"),
            "sms": a_channel("sms"),
        },
        people={
            "ada": Person("ada", "Ada", (("mail", "ada@example.org"), ("sms", "+41"))),
            "bob": Person("bob", "Bob", (("mail", "bob@example.org"),)),
            "eve": Person("eve", "Eve", (("mail", "eve@counsel.example"),), outside=True),
        },
        roles={"commander": Role("commander", "Commander", ("ada", "bob"))},
        audiences={
            "team": Audience("team", (Told("chat"), Told("mail", "team@example.org"))),
            "press": Audience("press", (Told("eve"),), outside=True),
        },
        on_call=OnCall(("ada", "bob"), 7 * 24 * HOUR, NOON),
        ladders={Severity.P0: Ladder(Severity.P0, steps, update_seconds)},
    )


def told(policy: Policy, who: Contacts) -> Watch:
    """A watch in which somebody is told."""
    watch = Watch(replace(policy, contacts=who))
    with watch.draft() as draft:
        draft.add(e.PolicyApplied("sha", (), "ada", tells=True))
    return watch


def pages(watch: Watch) -> list[e.Paged]:
    return [entry for _, entry in watch.journal if isinstance(entry, e.Paged)]


LADDER = (
    Step(0.0, (Told("on-call"),)),
    Step(15 * 60.0, (Told("commander"),), ("sms",)),
    Step(2 * HOUR, (Told("eve"),), (), Unless.RESOLVED),
)


def latched(*steps: Step, update_seconds: float | None = None) -> Watch:
    watch = told(a_policy(), contacts(*steps, update_seconds=update_seconds))
    watch.break_it()
    watch.end(e.Outcome.UNKNOWN)
    watch.run(1)
    return watch


def escalated(watch: Watch) -> list[tuple[str, ...]]:
    return [page.to for page in pages(watch) if page.topic is Topic.ESCALATED]


def wait(watch: Watch, seconds: float) -> None:
    """Time passes, and one pass is made at its end."""
    watch.now = watch.now.plus(seconds)
    watch.run(1)
