"""The catalogue's other half: what the load itself refuses, named, with the words it says it in.

These are judged in `policy/`, once; nothing here looks again. The tests hold each entry against a
folder that is refused for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Law:
    """`says` is a part of what the refusal says."""

    id: str
    title: str
    why: str
    says: str


LAWS = (
    Law(
        "slo-never-fires",
        "An slo that can never fire",
        "With budget x period / long x (1 - objective) at or above 1 more than every event would "
        "have to be bad: a dead rule that looks alive.",
        "can never fire",
    ),
    Law(
        "objective-without-budget",
        "An objective of 100 %, or of nothing",
        "It leaves no budget to burn, so no burn can be told.",
        "no budget to burn",
    ),
    Law(
        "factor-beside-budget",
        "A factor that does not match its budget share",
        "A factor is computed from the budget share, exactly; one written beside it could only "
        "disagree, so there is no key for it.",
        "unknown key `factor`",
    ),
    Law(
        "reversed-comparison",
        "A comparison turned round",
        "A ratio of bad events that breaches when it is low would fire while all is well.",
        "breaches when it is above something",
    ),
    Law(
        "bound-never-true",
        "A bound that no ratio can meet, or that every ratio meets",
        "The rule would never fire, or always.",
        "can never be true of a ratio",
    ),
    Law(
        "filtered-expression",
        "An expression that filters its own result",
        'A comparison inside it leaves nothing when all is well, as no data does: "healthy" and '
        '"blind" would look the same.',
        "filters its own result",
    ),
    Law(
        "percentage-slip",
        "A per cent written as a plain number",
        "5 as a ratio is 500 %: the rule would be dead.",
        "If you mean per cent",
    ),
    Law(
        "window-under-two-samples",
        "A window that holds less than two samples",
        "Counters grow from sample to sample; one sample shows no growth.",
        "holds less than two samples",
    ),
    Law(
        "window-beyond-period",
        "A window longer than the objective's period",
        "The budget is that of the period.",
        "is longer than the period",
    ),
    Law(
        "short-not-shorter",
        "A short window that is not shorter than the long one",
        "It is there to show that the trouble still goes on.",
        "is not shorter than the long",
    ),
    Law(
        "armed-too-quick",
        "An armed rule whose `for` is under three samples",
        "One odd sample would start a rollback.",
        "and its samples come every",
    ),
    Law(
        "armed-without-minimum",
        "An armed ratio without `minimum_events`",
        "At night one failure of one request is 100 %.",
        "without `minimum_events`",
    ),
    Law(
        "read-back-missing",
        "An action without a read-back",
        "Nobody could prove that it took effect; exit status 0 is a claim.",
        "has no `read_back`",
    ),
    Law(
        "opposite-states",
        "Two playbooks that want opposite states of one target",
        "Two episodes would fight over it, each undoing the other.",
        "wants",
    ),
    Law(
        "undo-equals-do",
        "An action whose undo wants the state that it made",
        "Nothing would ever be undone.",
        "want the same state",
    ),
    Law(
        "wrong-environment",
        "A policy of another environment",
        "What is measured in one place would roll back in another.",
        "and the process runs in",
    ),
    Law(
        "each-label-lost",
        "A rule with `each` whose expression has lost the label",
        "Its result could not be told apart, so nobody would be watched.",
        "by which `each` tells its result apart",
    ),
    Law(
        "not-granted",
        "A playbook or an action that the owner was not granted",
        "An owner's file alone must not be able to reach somebody else's target.",
        "may not use",
    ),
)
