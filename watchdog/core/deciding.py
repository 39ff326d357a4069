"""The one way a decision is written down: with all that is needed to make it again."""

from __future__ import annotations

from watchdog.core.basis import basis_of
from watchdog.core.book import Episode
from watchdog.core.entries import Decided
from watchdog.core.gates import Judgement
from watchdog.core.inputs import Scene, Sight
from watchdog.core.spec import RuleSpec


def decided_on(
    ep: Episode,
    action: str,
    judgement: Judgement,
    inputs: dict[str, object],
    scene: Scene,
    rule: RuleSpec | None,
    sight: Sight | None,
) -> Decided:
    """For an episode's rule and what was seen of it; a person's own order has neither."""
    return Decided(
        decision=scene.draft.book.next_id("D"),
        episode=ep.id,
        rule=ep.rule,
        action=action,
        rung=ep.rung,
        world=ep.world,
        ruling=judgement.ruling,
        reason=judgement.reason,
        gates=judgement.gates,
        policy_sha256=scene.policy.sha256,
        rule_sha256=rule.sha256 if rule is not None else "",
        verdict=sight.verdict if sight is not None else None,
        inputs=inputs,
        basis=basis_of(rule, sight.points) if rule is not None and sight is not None else {},
    )
