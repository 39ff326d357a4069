"""The numbers of the procedure, as the catalog has them."""

from __future__ import annotations

from watchdog.web.metrics.metric import (
    ACTION_BUCKETS,
    COUNTER,
    EFFECT_BUCKETS,
    GAUGE,
    HISTOGRAM,
    RECOVERY_BUCKETS,
    Metric,
)

PROCEDURE = (
    Metric("rollbacks_total", COUNTER, "Rollbacks, by how they ended.", ("action", "ended")),
    Metric(
        "rollback_duration_seconds",
        HISTOGRAM,
        "From the decision to the read-back that first showed the effect.",
        ("action",),
        ACTION_BUCKETS,
    ),
    Metric(
        "first_bad_to_effect_seconds",
        HISTOGRAM,
        "From the first bad sample to the read-back that first showed the effect.",
        ("action",),
        EFFECT_BUCKETS,
    ),
    Metric(
        "breach_to_contained_seconds",
        HISTOGRAM,
        "From a breach to its containment; contained is not recovered.",
        ("severity",),
        RECOVERY_BUCKETS,
    ),
    Metric(
        "breach_to_recovered_seconds",
        HISTOGRAM,
        "From a breach to the first proof that the service works again.",
        ("severity",),
        RECOVERY_BUCKETS,
    ),
    Metric("rollback_frequency", GAUGE, "Rollbacks in the period.", ("action", "rule", "period")),
    Metric(
        "rollback_in_time_ratio",
        GAUGE,
        "Share of the period's rollbacks that were done within the action's `sla`.",
        ("action", "period"),
    ),
    Metric(
        "service_downtime_seconds",
        GAUGE,
        "For how long in the period the rule's service failed, from its first bad samples.",
        ("rule", "period"),
    ),
    Metric(
        "feature_downtime_seconds",
        GAUGE,
        "For how long in the period the target stood as an action had set it.",
        ("target", "period"),
    ),
    Metric(
        "target_downtime_seconds",
        GAUGE,
        "The same and the failing of what it was rolled back for, overlaps counted once.",
        ("target", "period"),
    ),
    Metric(
        "downtime_seconds",
        GAUGE,
        "For how long in the period a service failed or a feature stood as an action had set it.",
        ("period",),
    ),
    Metric(
        "rule_affected",
        GAUGE,
        "Who was affected by the rule's newest episode: its `impact`, else failed events.",
        ("rule", "of"),
    ),
    Metric(
        "action_proof_age_seconds",
        GAUGE,
        "Time since the action, as it is written now, was last proven by its read-back: +Inf "
        "where it never was.",
        ("action",),
    ),
    Metric("follow_ups_open", GAUGE, "Follow-ups of episodes that nobody closed.", ("task",)),
    Metric("follow_ups_overdue", GAUGE, "Those of them whose day is over.", ("task",)),
    Metric(
        "procedure_review_overdue",
        GAUGE,
        "1 while the rollback procedure must be reviewed anew. Left out where the platform file "
        "has no `procedure`.",
    ),
    Metric(
        "procedure_review_due_seconds",
        GAUGE,
        "Time until its review is due; below 0 once it is overdue.",
    ),
    Metric(
        "drill_age_seconds",
        GAUGE,
        "Time since the last drill of this kind that passed: +Inf where none ever did. Of kinds "
        "that are planned or were ever practised.",
        ("drill",),
    ),
    Metric("drill_passed", GAUGE, "Whether the last drill of this kind passed.", ("drill",)),
    Metric(
        "drill_overdue",
        GAUGE,
        "1 while a drill of this kind is overdue. Of those that the platform file plans.",
        ("drill",),
    ),
    Metric(
        "action_practised",
        GAUGE,
        "0 while its last drill failed, the drill of its kind is overdue, or `drilled_within` has "
        "it ask people; 1 otherwise.",
        ("action",),
    ),
    Metric("drill_duration_seconds", GAUGE, "How long the last drill took.", ("drill",)),
    Metric(
        "verification_held",
        GAUGE,
        "Whether this check of the action held when it was last looked at after a rollback or an "
        "undo; 0 also where it was not known.",
        ("action", "check"),
    ),
    Metric(
        "verification_failed",
        GAUGE,
        "1 where this check of the action was proven to fail when it was last looked at.",
        ("action", "check"),
    ),
    Metric(
        "verification_age_seconds",
        GAUGE,
        "Time since this check of the action was last known.",
        ("action", "check"),
    ),
    Metric("preflight_age_seconds", GAUGE, "Time since all actions were looked at."),
)
