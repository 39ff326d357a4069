"""Which policy is in force, and how another one comes to be.

Saving a file arms nothing: applying does. So a restart loads what was applied last, from the
journal, and not what lies in the folder by then; the folder is only watched, checked and
reported. A part with an error keeps its last good text, and says so loudly.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import structlog
from watchfiles import awatch

from watchdog.core.entries import PolicyApplied
from watchdog.core.spec import Policy
from watchdog.engine import Done, Engine, OrderRefused, Person
from watchdog.policy import Load, load_files, load_folder
from watchdog.policy.diff import compare, rearmed
from watchdog.settings import Settings


class PolicyUnusable(Exception):
    """There is no policy to judge by; the message lists every error with its place."""


class Loading:
    """The policy's life in this process."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._files: Mapping[str, str] = {}
        self.errors: tuple[str, ...] = ()  # of the last look at the folder
        self.pending = False  # the folder says something else than what is in force
        self.failing_since: float | None = None  # steady

    def first(self) -> None:
        """At the start: what was applied last, or, when nothing ever was, the folder."""
        applied = self._engine.book.policy
        if applied is None:
            load = self._folder(last_good=None)
            policy = self._usable(load)
            self._adopt(load, policy, "first start")
            return
        load = load_files(
            dict(applied.files), self._settings.environment, variables=self._settings.variables
        )
        policy = self._usable(load)
        self._files = load.files
        self._engine.adopt(policy, None)
        self.look()

    def look(self) -> Load:
        """Check the folder and report; load nothing."""
        load = self._folder(last_good=self._files)
        self.errors = tuple(problem.text for problem in load.errors)
        self.pending = (
            load.policy is not None and load.policy.sha256 != self._engine.in_force().sha256
        )
        now = self._engine.ports.clock.now().steady
        self.failing_since = (self.failing_since or now) if self.errors else None
        return load

    async def apply(self, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as the control socket calls it
        """Say what a load would change, and, unless dry, load."""
        load = self.look()
        old = self._engine.in_force()
        lines = [change.text for change in compare(old, load.policy)] if load.policy else []
        lines += [f"not loaded: {error}" for error in self.errors]
        if load.policy is None:
            raise OrderRefused("\n".join(lines))
        if not lines:
            return Done("nothing changes: the rules folder is in force as it is", "apply")
        if not dry:
            if not person.counts:
                raise OrderRefused(f"{person.name} does not count as a person here")
            self._adopt(load, load.policy, person.name)
            self.look()
        return Done("\n".join(lines), "apply", {"errors": list(self.errors)})

    async def watch_forever(self) -> None:
        """Report what is saved into the folder."""
        log = structlog.get_logger()
        async for _ in awatch(self._settings.rules_dir, recursive=True):
            self.look()
            for error in self.errors:
                log.error("policy.invalid", error=error)
            if self.pending:
                log.warning("policy.pending", remedy="slo-watchdog apply")
            await asyncio.sleep(0)

    def _adopt(self, load: Load, policy: Policy, actor: str) -> None:
        old = self._engine.policy
        removed = tuple(set(old.rules) - set(policy.rules)) if old else ()
        self._files = load.files
        self._engine.adopt(
            policy,
            PolicyApplied(
                sha256=policy.sha256,
                parts=tuple((part.owner, part.sha256) for part in policy.parts),
                actor=actor,
                changes=tuple(change.text for change in compare(old, policy)),
                rearmed=tuple(sorted(rearmed(old, policy))),
                removed=tuple(sorted(removed)),
                files=tuple(sorted(load.files.items())),
            ),
        )

    def _folder(self, *, last_good: Mapping[str, str] | None) -> Load:
        return load_folder(
            Path(self._settings.rules_dir),
            self._settings.environment,
            last_good=last_good,
            variables=self._settings.variables,
        )

    def _usable(self, load: Load) -> Policy:
        if load.policy is None:
            raise PolicyUnusable("\n".join(problem.text for problem in load.errors))
        for problem in load.errors:
            structlog.get_logger().error("policy.invalid", error=problem.text)
        return load.policy
