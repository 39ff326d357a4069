"""Which policy is in force, and how another one comes to be.

Saving a file arms nothing: applying does. So a restart loads what was applied last, from the
journal, and not what lies in the folder by then; the folder is only watched (`watching.py`),
checked and reported. A part with an error keeps its last good text, and says so loudly. Files are
read and checked beside the loop, so that no rules folder, however large, makes a pass late.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from watchdog.core.entries import PolicyApplied
from watchdog.core.spec import Policy
from watchdog.core.words import Severity
from watchdog.daemon.rights import changed_owners
from watchdog.engine import Done, Engine, OrderRefused, Person, RulesFolder, unrecorded
from watchdog.policy import Load, load_files, load_folder
from watchdog.policy.diff import compare, hear_anew, rearmed
from watchdog.settings import Settings


class PolicyUnusable(Exception):
    """There is no policy to judge by; the message lists every error with its place."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What this process begins with. `first` where nothing was ever applied before."""

    load: Load
    policy: Policy
    first: bool


class Loading:
    """The policy's life in this process."""

    def __init__(
        self,
        engine: Engine,
        settings: Settings,
        may_apply: Callable[[Person, Iterable[str]], str] = lambda _person, _owners: "",
    ) -> None:
        self._may_apply = may_apply
        self._engine = engine
        self._settings = settings
        engine.on_lead, engine.on_policy = self.took_over, self.follow
        self._files: Mapping[str, str] = {}
        self._one_at_a_time = asyncio.Lock()
        self._found = ""  # the hash of what the folder says
        self._chosen_from = ""  # the hash of what was applied when this process chose
        self.errors: tuple[str, ...] = ()  # of the last look at the folder
        self.pending = False  # the folder says something else than what is in force
        self.failing_since: float | None = None  # steady

    def choose(self) -> Chosen:
        """What was applied last, or, when nothing ever was, the folder. Raises PolicyUnusable."""
        applied = self._engine.book.policy
        if applied is None:
            load = self._folder(last_good=None)
            policy = self._usable(load)
            if not policy.rules:
                raise PolicyUnusable("\n".join([*_texts(load), self._without_rules()]))
        else:
            load = self._believed(applied)
            policy = self._usable(load)
        self._chosen_from = applied.sha256 if applied is not None else ""
        return Chosen(load, policy, first=applied is None)

    def begin(self, chosen: Chosen) -> None:
        """Judge by what was chosen, and see what the folder says by now."""
        applied = self._engine.book.policy
        if applied is not None and (chosen.first or applied.sha256 != self._chosen_from):
            chosen = self.choose()  # another daemon applied it meanwhile
        self._take(chosen)
        self._see(self._folder(last_good=self._files))

    def took_over(self) -> None:
        """We lead by now: what we judge by is on the record, or goes there."""
        self._take(self.choose())

    def follow(self, applied: PolicyApplied) -> None:
        """Another daemon applied it."""
        log = structlog.get_logger()
        load = self._believed(applied)
        for error in _texts(load):
            log.error("policy.applied_elsewhere_but_refused_here", error=error)
        if load.policy is None:
            return
        if load.policy.sha256 != applied.sha256 and not load.errors:
            log.error("policy.differs_here", reason="`variables` or `environment` of the settings")
        self._files = load.files
        self._engine.adopt(load.policy, None)
        self._say_whether_it_pends()
        log.info("policy.followed", sha256=load.policy.sha256, actor=applied.actor)

    def _take(self, chosen: Chosen) -> None:
        if chosen.first:
            self._adopt(chosen.load, chosen.policy, None, "first start")
        elif chosen.policy.sha256 != self._applied_sha256():
            self._adopt(
                chosen.load, chosen.policy, self._as_applied(), "the settings, at a restart"
            )
        else:
            self._files = chosen.load.files
            self._engine.adopt(chosen.policy, None)
        if not chosen.first:
            self._tell_what_is_refused(chosen)

    def _tell_what_is_refused(self, chosen: Chosen) -> None:
        """Loudly: what judges is not what this daemon's settings would make of it."""
        errors = _texts(chosen.load)
        for error in errors:
            structlog.get_logger().error("policy.applied_before_but_refused_now", error=error)
        recorder = self._engine.recorder
        if errors and recorder.leads():
            kept = chosen.policy.sha256 == self._applied_sha256()
            draft = recorder.draft()
            draft.tell(
                "policy:refused",
                Severity.P1,
                f"{self._settings.host} cannot read the rules in force: {errors[0]}",
                "They are judged as they were applied, with the variables of then. Compare "
                "`variables` in its settings with those of before, or of the other daemons."
                if kept
                else "What it can read is judged, and the rest is not. Install the slo-watchdog "
                "that applied them, or a newer one.",
            )
            recorder.commit(draft)

    async def look(self) -> Load:
        """Check the folder and report; load nothing."""
        async with self._one_at_a_time:
            return await self._look()

    async def _look(self) -> Load:
        load = await asyncio.to_thread(self._folder, last_good=self._files)
        self._see(load)
        return load

    def _see(self, load: Load) -> None:
        log = structlog.get_logger()
        errors = _texts(load)
        for error in errors:
            if error not in self.errors:
                log.error("policy.invalid", error=error)
        if self.errors and not errors:
            log.info("policy.valid_again")
        found = load.policy.sha256 if load.policy is not None else self._found
        before, self._found, self.errors = self._found, found, errors
        self._say_whether_it_pends()
        if self.pending and found != before:
            log.warning("policy.pending", sha256=found, remedy="slo-watchdog apply")
        now = self._engine.ports.clock.now().steady
        if not errors:
            self.failing_since = None
        elif self.failing_since is None:
            self.failing_since = now

    def _say_whether_it_pends(self) -> None:
        self.pending = self._found not in {"", self._engine.in_force().sha256}
        self._engine.rules_folder = RulesFolder(self.pending, self.errors)

    async def apply(self, person: Person, dry: bool) -> Done:  # noqa: FBT001  # as the control socket calls it
        """Say what a load would change, and, unless dry, load."""
        async with self._one_at_a_time:
            load = await self._look()
            old = self._engine.in_force()
            changes = self._changes(old, load.policy) if load.policy else ()
            lines = [*changes, *(f"not loaded: {error}" for error in self.errors)]
            if load.policy is None:
                raise OrderRefused("\n".join(lines))
            if not lines:
                told = "nothing changes: the rules folder is in force as it is"
                return Done(told, "apply", {"changes": 0})
            refused = self._engine.leading.elsewhere()
            if refused:
                refused += ": apply there, from its host's rules folder; it is followed here"
            elif changes:
                refused = self._refused(person, old, load.policy)
            if refused and not dry:
                raise OrderRefused(refused)
            if changes and not dry:
                self._adopt(load, load.policy, old, person.name, ordered=True)
                self._see(load)
            data: dict[str, object] = {"errors": list(self.errors)}
            if refused:
                lines.insert(0, f"{refused}. What it would load:")
                data["refused"] = refused
            return Done("\n".join(lines), "apply", data)

    def _refused(self, person: Person, old: Policy, new: Policy) -> str:
        if not person.counts:
            return _not_a_person(person)
        return self._may_apply(person, changed_owners(old, new))

    def _believed(self, applied: PolicyApplied) -> Load:
        """What these texts say with the settings of this process.

        Where they say nothing whole with them, they say what they did when they were applied. A
        text that it cannot read, as a newer program's may be, stays in force for those who can.
        """
        given = dict(applied.files)
        load = load_files(given, self._settings.environment, variables=self._settings.variables)
        if load.errors:
            then = load_files(given, self._settings.environment).policy
            if then is not None and then.sha256 == applied.sha256:
                return replace(load, policy=then, files=given)
        return replace(load, files={**given, **load.files})

    def _applied_sha256(self) -> str:
        applied = self._engine.book.policy
        return applied.sha256 if applied is not None else ""

    def _as_applied(self) -> Policy | None:
        """What was applied last with the variables of then; None where it cannot be told.

        The same files mean something else with other variables in the settings. What may act by
        it that might not before is found out, recorded, and waits until it was once clear.
        """
        applied = self._engine.book.policy
        if applied is None:
            return None
        return load_files(dict(applied.files), self._settings.environment).policy

    def _adopt(
        self,
        load: Load,
        policy: Policy,
        old: Policy | None,
        actor: str,
        *,
        ordered: bool = False,
    ) -> None:
        """`ordered`: now, or it is refused."""
        removed = tuple(set(old.rules) - set(policy.rules)) if old else ()
        missed = self._engine.adopt(
            policy,
            PolicyApplied(
                sha256=policy.sha256,
                parts=tuple((part.owner, part.sha256) for part in policy.parts),
                actor=actor,
                changes=self._changes(old, policy),
                rearmed=tuple(sorted(rearmed(old, policy))),
                removed=tuple(sorted(removed)),
                files=tuple(sorted(load.files.items())),
                hear_anew=hear_anew(old, policy),
                tells=policy.contacts is not None,
            ),
            ordered=ordered,
        )
        if missed is None or missed.in_doubt:
            self._files = load.files
        if missed is not None:
            raise unrecorded(missed)

    def _changes(self, old: Policy | None, new: Policy) -> tuple[str, ...]:
        """What a load would change, also for what is rolled back at this moment."""
        claims = self._engine.book.every_claim()
        return tuple(change.text for change in compare(old, new, claims))

    def _folder(self, *, last_good: Mapping[str, str] | None) -> Load:
        return load_folder(
            Path(self._settings.rules_dir),
            self._settings.environment,
            last_good=last_good,
            variables=self._settings.variables,
        )

    def _usable(self, load: Load) -> Policy:
        if load.policy is None:
            raise PolicyUnusable("\n".join(_texts(load)))
        return load.policy

    def _without_rules(self) -> str:
        return (
            f"{self._settings.rules_dir}: there is no rule that could be loaded, so there would be "
            "nothing to watch. Rules lie in a folder per owner, beside platform.yaml"
        )


def _not_a_person(person: Person) -> str:
    return (
        f"{person.name} does not count as a person here, so nothing is loaded. Order it under "
        "your own name, or set root_is_person"
    )


def _texts(load: Load) -> tuple[str, ...]:
    return tuple(problem.text for problem in load.errors)
