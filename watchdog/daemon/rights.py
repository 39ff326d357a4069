"""The rights in force in this process: read at the start, and again at SIGHUP.

A start with a wrong file is refused; a reload of one leaves what was good in force, and says so.
One that is gone by then is wrong, too: nobody gains a right by a file that vanishes.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from watchdog.core.rights import Right, Rights
from watchdog.core.spec import Policy
from watchdog.daemon.rights_file import RightsRefused, read_rights
from watchdog.engine import Person
from watchdog.settings import Settings


class RightsInForce:
    """Raises RightsRefused where the file is wrong at the start."""

    def __init__(self, settings: Settings) -> None:
        self._file = settings.rights
        named = "rights" in settings.model_fields_set
        self.now: Rights | None = read_rights(self._file, needed=named)
        log = structlog.get_logger()
        if self.now is None:
            told = "whoever reaches the control socket and counts as a person may give any order"
            log.info("rights.none", file=str(self._file), means=told)
        else:
            log.info("rights.read", file=str(self._file), grants=len(self.now.grants))

    def reload(self) -> None:
        """Take what the file says by now; keep what was good where it is wrong."""
        log = structlog.get_logger()
        try:
            found = read_rights(self._file, needed=self.now is not None)
        except RightsRefused as refused:
            log.error("rights.invalid", error=str(refused), kept="what was read before")  # noqa: TRY400  # told to people, no bug
            return
        if found != self.now:
            grants = len(found.grants) if found is not None else 0
            log.warning("rights.changed", file=str(self._file), grants=grants)
        self.now = found

    def may_apply(self, person: Person, owners: Iterable[str]) -> str:
        """Why these owners' parts are not this person's to apply; "" where they are."""
        if self.now is None or person.everything:
            return ""
        return self.now.refusal(person.name, person.account, Right.APPLY, owners, every=True)


def changed_owners(old: Policy, new: Policy) -> frozenset[str]:
    """Whose parts say something else."""
    before = {(part.owner, part.sha256) for part in old.parts}
    after = {(part.owner, part.sha256) for part in new.parts}
    return frozenset(owner for owner, _ in before ^ after)
