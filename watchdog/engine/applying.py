"""What applying a policy puts on the record, besides that it is applied."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core import promotion
from watchdog.core.aftermath import policy_changed
from watchdog.core.draft import Draft
from watchdog.core.drilled import to_count
from watchdog.core.entries import PolicyApplied
from watchdog.core.spec import Policy
from watchdog.engine.recorder import Recorder, Unrecorded


@dataclass(frozen=True, slots=True)
class Applying:
    """One policy in the place of another."""

    old: Policy | None
    new: Policy
    applied: PolicyApplied
    shadow_seconds: float | None

    def record(self, recorder: Recorder, *, ordered: bool) -> Unrecorded | None:
        """What a person ordered is durable or told; what a process begins with may wait."""
        if ordered:
            return recorder.order(self._put(recorder.wish()))
        recorder.commit(self._put(recorder.draft()))
        return None

    def _put(self, draft: Draft) -> Draft:
        draft.add(self.applied)
        policy_changed(self.old, self.new, draft)
        promotion.policy_changed(self.old, self.new, draft, self.shadow_seconds)
        for counted in to_count(self.new, draft.book.drills):
            draft.add(counted)
        return draft
