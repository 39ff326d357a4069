"""What unit tests said of rules, told with an `apply`: kept by the hash of the text tested."""

from __future__ import annotations

from collections.abc import Iterable

from watchdog.core import promotions as p
from watchdog.core.promotion import news, take_results
from watchdog.core.rights import Right
from watchdog.core.spec import RuleSpec
from watchdog.core.words import Mode
from watchdog.engine.orders.desk import Desk, Person


class Proofs:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def wanted(self) -> tuple[str, ...]:
        """Rules that need a passing unit test to be armed, and have none on the record."""
        return tuple(name for name, rule in self._desk.policy.rules.items() if self._wants(rule))

    def take(
        self, person: Person, results: Iterable[p.RuleTested], *, dry: bool
    ) -> tuple[str, ...]:
        """Record what is new, of texts that are in force; each in a sentence.

        Of somebody who does not count as a person nothing is taken.
        """
        if not person.counts:
            return ()
        rules = self._desk.policy.rules
        ours = [one for one in results if one.rule in rules and rules[one.rule].proof == one.sha256]
        for one in ours:
            self._desk.may(person, Right.APPLY, {rules[one.rule].owner})
        found = news(ours, self._desk.book)
        if found and not dry:
            draft = self._desk.wish()
            take_results(found, self._desk.policy, draft)
            self._desk.record(draft)
        return tuple(
            f"unit tests of {one.rule}: {'pass' if one.passed else 'FAIL'}: {one.reason}"
            for one in found
        )

    def _wants(self, rule: RuleSpec) -> bool:
        if rule.playbook is None or rule.mode is Mode.OBSERVE or rule.armed_because:
            return False
        kept = self._desk.book.merits.evidence.get(rule.proof)
        return kept is None or kept.tested is None or not kept.tested.passed
