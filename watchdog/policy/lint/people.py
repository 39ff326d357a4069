"""Lints of contacts: people who can be told of nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchdog.core.words import Mode
from watchdog.policy.contacts import FILE as CONTACTS
from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground
from watchdog.policy.nodes import Place

_NOBODYS = re.compile(r"@[\w.-]+\.invalid$|^\+1?0{3,}\d*$", re.ASCII | re.IGNORECASE)
"""A domain that is set aside for not being there (RFC 2606), a number that no country has."""


def _nobody_there(ground: Ground) -> Iterator[Hit]:
    contacts = ground.policy.contacts
    for person in contacts.people.values() if contacts is not None else ():
        filled_in = [(by, to) for by, to in person.reach if _NOBODYS.search(to)]
        if filled_in:
            said = ", ".join(f"{by} {to}" for by, to in filled_in)
            warned = " once they know that it comes" if person.outside else ""
            outside = " --outside" if person.outside else ""
            yield Hit(
                ground.people[person.name].at("reach"),
                f"{person.name} is told by {said}, which reaches nobody",
                f"Fill it in, then try it{warned}: slo-watchdog notify test {person.name}{outside}",
            )


def _nobody_told(ground: Ground) -> Iterator[Hit]:
    """Of rules that may act or ask. Those that only watch may be tried without people, and an
    Alertmanager that is told of episodes tells them on.
    """
    policy = ground.policy
    acting = sorted(rule.name for rule in policy.rules.values() if rule.mode >= Mode.APPROVE)
    elsewhere = policy.alertmanager is not None and policy.alertmanager.alerts
    if policy.contacts is not None or elsewhere or not acting:
        return
    more = f" and {len(acting) - 1} more" if len(acting) > 1 else ""
    yield Hit(
        Place(CONTACTS, 1, 1),
        f"the file is not there, and {acting[0]}{more} may act or ask: nobody is told of it",
        "Write it: docs/telling.md has a whole one to be copied.",
    )


LINTS = (
    Lint(
        "nobody-told",
        Level.WARNING,
        "Rules that may act or ask, and no `contacts.yaml`",
        "A rollback that nobody hears of is not followed up, and a request for approval expires.",
        _nobody_told,
    ),
    Lint(
        "nobody-there",
        Level.WARNING,
        "A person's address or number is a placeholder",
        "Whoever is called at night by it does not hear of it.",
        _nobody_there,
    ),
)
