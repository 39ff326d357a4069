"""Lints of contacts: people who can be told of nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from watchdog.policy.lint.finding import Hit, Level, Lint
from watchdog.policy.lint.ground import Ground

_NOBODYS = re.compile(r"@[\w.-]+\.invalid$|^\+1?0{3,}\d*$", re.ASCII | re.IGNORECASE)
"""A domain that is set aside for not being there (RFC 2606), a number that no country has."""


def _nobody_there(ground: Ground) -> Iterator[Hit]:
    contacts = ground.policy.contacts
    for person in contacts.people.values() if contacts is not None else ():
        filled_in = [(by, to) for by, to in person.reach if _NOBODYS.search(to)]
        if filled_in:
            said = ", ".join(f"{by} {to}" for by, to in filled_in)
            yield Hit(
                ground.people[person.name].at("reach"),
                f"{person.name} is told by {said}, which reaches nobody",
                f"Fill it in, then try it: slo-watchdog notify test {person.name}",
            )


LINTS = (
    Lint(
        "nobody-there",
        Level.WARNING,
        "A person's address or number is a placeholder",
        "Whoever is called at night by it does not hear of it.",
        _nobody_there,
    ),
)
