"""What befell each rule lately: its texts, its blindness, its episodes, what it may do.

Filled from the journal's entries as they become durable. Bounded over all rules together: of what
is older the journal tells.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import singledispatchmethod
from typing import Any

from watchdog.core import entries as e
from watchdog.core.naming import is_of
from watchdog.core.promotions import RuleDemoted, RulePromoted, RuleTested, ShadowBegan, ShadowEnded
from watchdog.core.states import State
from watchdog.core.text import duration
from watchdog.core.words import Instant

KEPT = 5000

Fact = tuple[str, str, str]
"""The rule, what befell it (a word), and how."""


class History:
    """One list for all rules."""

    def __init__(self) -> None:
        self._facts: deque[tuple[Fact, Instant]] = deque(maxlen=KEPT)
        self._rules: dict[str, str] = {}  # open episode -> its rule

    def of(self, rule: str, most: int = 50) -> list[dict[str, Any]]:
        """Newest first: at, what, text, and which rule, where it is a member's."""
        found = []
        for (name, what, text), at in reversed(self._facts):
            if is_of(name, rule):
                found.append({"at": utc(at), "rule": name, "what": what, "text": text})
                if len(found) == most:
                    break
        return found

    def heard(self, recorded: e.Recorded) -> None:
        """A recorder's listener."""
        for fact in self._facts_of(recorded.entry):
            self._facts.append((fact, recorded.at))

    @singledispatchmethod
    def _facts_of(self, entry: object) -> Iterator[Fact]:
        del entry
        return iter(())

    @_facts_of.register
    def _policy(self, entry: e.PolicyApplied) -> Iterator[Fact]:
        for text in entry.changes:  # each begins with what it is about
            yield text.partition(" ")[0], "text", f"{text} (by {entry.actor})"

    @_facts_of.register
    def _blind(self, entry: e.BlindBegan) -> Iterator[Fact]:
        yield entry.rule, "blind", f"{entry.blind.value.replace('_', ' ')}: {entry.reason}"

    @_facts_of.register
    def _sees(self, entry: e.BlindEnded) -> Iterator[Fact]:
        yield entry.rule, "sees", f"sees again, after {duration(entry.seconds)}"

    @_facts_of.register
    def _opened(self, entry: e.EpisodeOpened) -> Iterator[Fact]:
        self._rules[entry.episode] = entry.rule
        because = f": {entry.verdict.reason}" if entry.verdict is not None else ""
        yield entry.rule, "opened", f"{entry.episode} opened{because}"

    @_facts_of.register
    def _moved(self, entry: e.EpisodeMoved) -> Iterator[Fact]:
        if entry.after is State.OK:
            yield self._rules.pop(entry.episode, ""), "ended", f"{entry.episode}: {entry.reason}"

    @_facts_of.register
    def _tested(self, entry: RuleTested) -> Iterator[Fact]:
        said = "passed" if entry.passed else "failed"
        yield entry.rule, "tested", f"unit test {said}: {entry.reason}"

    @_facts_of.register
    def _shadow(self, entry: ShadowBegan) -> Iterator[Fact]:
        yield entry.rule, "shadow", "shadow began"

    @_facts_of.register
    def _no_shadow(self, entry: ShadowEnded) -> Iterator[Fact]:
        yield entry.rule, "shadow", "shadow ended"

    @_facts_of.register
    def _promoted(self, entry: RulePromoted) -> Iterator[Fact]:
        yield entry.rule, "promoted", f"may act: {entry.reason}"

    @_facts_of.register
    def _demoted(self, entry: RuleDemoted) -> Iterator[Fact]:
        by = f" (by {entry.actor})" if entry.actor else ""
        yield entry.rule, "demoted", f"keeps to shadow: {entry.reason}{by}"

    @_facts_of.register
    def _filled(self, entry: e.WindowsFilled) -> Iterator[Fact]:
        yield entry.rule, "filled", "its windows were filled from the source's history"

    @_facts_of.register
    def _retired(self, entry: e.MemberRetired) -> Iterator[Fact]:
        yield entry.member, "retired", entry.reason


def utc(at: Instant) -> str:
    return at.utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")
