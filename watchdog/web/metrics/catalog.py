"""Every metric of ours: name, kind, help and labels. The documentation is made from this.

Units are seconds and ratios, last in the name; counters end in `_total`. A yes or no is 1 or 0.
"""

from __future__ import annotations

from watchdog.web.metrics.metric import (
    ACTION_BUCKETS,
    COUNTER,
    EFFECT_BUCKETS,
    GAUGE,
    HISTOGRAM,
    INFO,
    POLL_BUCKETS,
    Metric,
)
from watchdog.web.metrics.procedure_catalog import PROCEDURE

WATCHING = (
    Metric("build", INFO, "The running program.", ("version", "python")),
    Metric(
        "process", INFO, "Where it runs and how far it may go.", ("environment", "host", "max_mode")
    ),
    Metric("passes_total", COUNTER, "Completed passes over the rules."),
    Metric("last_pass_timestamp_seconds", GAUGE, "When the last pass was completed."),
    Metric(
        "last_pass_age_seconds", GAUGE, "Time since the last completed pass, by a steady clock."
    ),
    Metric(
        "pass_longest_seconds",
        GAUGE,
        "The longest pass of the last minute, or since the last scrape when that is longer ago.",
    ),
    Metric("leads", GAUGE, "1 where this daemon leads those that share its store."),
    Metric("lease_epoch", GAUGE, "The epoch of who leads; one more with each change."),
    Metric("daemons", GAUGE, "Daemons heard of within a lease on the shared store, this one too."),
    Metric("store_lost", GAUGE, "1 while the shared store does not answer: nothing is started."),
    Metric(
        "clock_synced",
        GAUGE,
        "1 while the clock is known to be synchronised; else nothing is started. Left out where "
        "`time_sync` ignores it.",
    ),
)

RULES = (
    Metric(
        "rule",
        INFO,
        "Each rule, to join the others with.",
        ("rule", "owner", "severity", "kind", "source", "playbook"),
    ),
    Metric("rule_verdict", GAUGE, "1 for the status that the rule has.", ("rule", "status")),
    Metric("rule_blind", GAUGE, "1 for why a rule is blind, while it is.", ("rule", "reason")),
    Metric(
        "rule_members",
        GAUGE,
        "How many members of a rule with `each` have the status.",
        ("rule", "status"),
    ),
    Metric("rule_value", GAUGE, "The number that was compared last.", ("rule",)),
    Metric("rule_held_seconds", GAUGE, "For how long the breach has added up.", ("rule",)),
    Metric("rule_for_seconds", GAUGE, "For how long a breach must last.", ("rule",)),
    Metric("rule_burn", GAUGE, "Speed at which the error budget is spent.", ("rule", "window")),
    Metric("rule_burn_limit", GAUGE, "The burn above which a window speaks.", ("rule", "window")),
    Metric("rule_window_ratio", GAUGE, "Bad events over all events.", ("rule", "window")),
    Metric("rule_window_coverage_ratio", GAUGE, "Share of the window seen.", ("rule", "window")),
    Metric(
        "rule_mode_declared",
        GAUGE,
        "As the rule says: 0 observe, 1 shadow, 2 approve, 3 armed.",
        ("rule",),
    ),
    Metric(
        "rule_mode_effective",
        GAUGE,
        "The lowest of process, rule, its rung and earned evidence.",
        ("rule",),
    ),
    Metric(
        "rule_mode_lowered",
        GAUGE,
        "1 for what keeps a rule below the mode that it declares.",
        ("rule", "by"),
    ),
    Metric(
        "rule_shadow_seconds",
        GAUGE,
        "Watched in shadow since the newest would-act that nobody explained.",
        ("rule",),
    ),
    Metric(
        "rule_would_acts_unexplained",
        GAUGE,
        "Would-acts that nobody explained, or that were marked false.",
        ("rule",),
    ),
    Metric(
        "rule_evaluation_age_seconds", GAUGE, "Time since the samples were asked for.", ("rule",)
    ),
    Metric("rule_sample_age_seconds", GAUGE, "Age of the newest sample judged.", ("rule",)),
    Metric("blindness_total", COUNTER, "Rules that became blind, by why.", ("reason",)),
)

BUDGETS = (
    Metric("slo_objective_ratio", GAUGE, "The share of events that must be good.", ("rule",)),
    Metric("slo_period_seconds", GAUGE, "The period of the error budget.", ("rule",)),
    Metric(
        "slo_error_budget_remaining_ratio",
        GAUGE,
        "Share of the period's error budget that is left; below 0 once it is overspent.",
        ("rule",),
    ),
    Metric(
        "slo_error_budget_coverage_ratio",
        GAUGE,
        "Share of the period that was seen; the rest counts as good traffic.",
        ("rule",),
    ),
    Metric(
        "slo_error_budget_exhaustion_seconds",
        GAUGE,
        "Time until the budget is gone at the burn of the shortest long window: "
        "+Inf while nothing burns, 0 once it is gone.",
        ("rule",),
    ),
)

SOURCES = (
    Metric("source_polls_total", COUNTER, "Polls since the source was loaded.", ("source",)),
    Metric("source_missed_polls_total", COUNTER, "Polls skipped, being late.", ("source",)),
    Metric("source_errors_total", COUNTER, "Polls that failed, by why.", ("source", "reason")),
    Metric("source_failing", GAUGE, "1 while the last poll failed.", ("source",)),
    Metric("source_last_poll_age_seconds", GAUGE, "Time since the last poll.", ("source",)),
    Metric(
        "source_poll_duration_seconds", HISTOGRAM, "How long polls take.", ("source",), POLL_BUCKETS
    ),
)

EVENT_RESULTS = (
    "new",
    "resolved",
    "repeated",
    "late",
    "unauthenticated",
    "not_fresh",
    "malformed",
    "too_large",
    "too_slow",
    "cut_off",
    "too_many",
    "truncated",
    "in_future",
    "not_recorded",
    "refused",
    "deaf",
)
"""What can come of what a sender tells: four kinds of news, and why a request was refused."""

EVENTS = (
    Metric(
        "events_total",
        COUNTER,
        "Events told by senders, and requests of theirs that were refused, by what came of them.",
        ("channel", "result"),
    ),
)

DECISIONS = (
    Metric("episodes_open", GAUGE, "Open episodes by state.", ("world", "state")),
    Metric("episodes_total", COUNTER, "Episodes opened.", ("world",)),
    Metric("decisions_total", COUNTER, "Decisions recorded.", ("world", "ruling")),
    Metric("refusals_total", COUNTER, "Refusals by the gate that ruled.", ("world", "gate")),
    Metric("holds_standing", GAUGE, "People's holds and silences in force."),
    Metric("pages_total", COUNTER, "Pages raised for people.", ("severity", "silenced")),
)

ACTIONS = (
    Metric(
        "action_ready", GAUGE, "1 when the last preflight says that it would work.", ("action",)
    ),
    Metric("action_claimed", GAUGE, "Episodes that need the action's state.", ("action",)),
    Metric("action_open_intents", GAUGE, "Changes of a target under way."),
    Metric("action_budget_left", GAUGE, "Automatic starts that the budget still allows."),
    Metric(
        "awaiting_approvals",
        GAUGE,
        "People's approvals that are asked for and missing.",
        ("action",),
    ),
    Metric(
        "actions_total",
        COUNTER,
        "Ended changes, by what the read-back showed.",
        ("action", "direction", "outcome"),
    ),
    Metric(
        "action_duration_seconds",
        HISTOGRAM,
        "From the intent to its end.",
        ("action", "direction"),
        ACTION_BUCKETS,
    ),
    Metric(
        "breach_to_effect_seconds",
        HISTOGRAM,
        "From a rule's breach to the read-back that first showed the effect.",
        ("action",),
        EFFECT_BUCKETS,
    ),
    Metric("drifts_total", COUNTER, "Targets that somebody else changed.", ("action",)),
)

DEPLOYS = (
    Metric("deploys_in_progress", GAUGE, "1 while a deploy is under way on it.", ("target",)),
    Metric(
        "deploys_frozen",
        GAUGE,
        "1 while it may not be deployed, having been rolled back.",
        ("target",),
    ),
    Metric("deploys_total", COUNTER, "Deploys that ended, by how.", ("outcome",)),
)

ALERTMANAGER = (
    Metric(
        "alertmanager_up",
        GAUGE,
        "1 when the replica did all that it was asked last.",
        ("alertmanager",),
    ),
    Metric("alertmanager_silences", GAUGE, "Its silences that stand and may concern a rule."),
    Metric("alertmanager_silences_age_seconds", GAUGE, "Time since its silences were read."),
    Metric("alertmanager_alerts", GAUGE, "Alerts that it was told of as firing."),
    Metric("alertmanager_told_age_seconds", GAUGE, "Time since a replica took all alerts."),
)

TELLING = (
    Metric("notes_waiting", GAUGE, "Pages that somebody is still to be told of."),
    Metric("notes_oldest_seconds", GAUGE, "For how long the oldest of them waits."),
    Metric(
        "channel_failing",
        GAUGE,
        "1 while a line of the channel fails, or its credential cannot be read.",
        ("channel",),
    ),
    Metric(
        "status_page_wrong", GAUGE, "1 while it does not show what stands, or fails.", ("page",)
    ),
    Metric(
        "notes_total",
        COUNTER,
        "Pages by what became of them on a line: sent, given_up or dropped.",
        ("channel", "fate"),
    ),
)

RECORD = (
    Metric("policy", INFO, "The policy in force.", ("environment", "sha256")),
    Metric("policy_part", INFO, "Each owner's part of it.", ("owner", "sha256")),
    Metric("policy_pending", GAUGE, "1 while the rules folder says something else."),
    Metric(
        "policy_errors", GAUGE, "Errors in the rules folder; the last good text stays in force."
    ),
    Metric("policy_failing_seconds", GAUGE, "For how long there have been errors."),
    Metric("journal_last_seq", GAUGE, "Number of the newest entry."),
    Metric("journal_entries_total", COUNTER, "Entries written by this process.", ("kind",)),
    Metric("journal_stuck", GAUGE, "1 while nothing can be recorded, so that nothing acts."),
    Metric("journal_stuck_seconds", GAUGE, "For how long nothing could be recorded."),
    Metric("journal_reserve_ready", GAUGE, "1 while room is kept back for a full disk."),
)

GROUPS = {
    "Is it watching": WATCHING,
    "Rules": RULES,
    "Error budgets": BUDGETS,
    "Sources": SOURCES,
    "Events": EVENTS,
    "Episodes and decisions": DECISIONS,
    "Actions": ACTIONS,
    "Numbers of the procedure": PROCEDURE,
    "Deploys": DEPLOYS,
    "Alertmanager": ALERTMANAGER,
    "Telling people": TELLING,
    "Policy and record": RECORD,
}

CATALOG = {metric.short: metric for group in GROUPS.values() for metric in group}
