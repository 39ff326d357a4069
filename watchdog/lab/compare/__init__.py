"""Our episodes beside Prometheus's `ALERTS`: where they disagreed over a time, and why."""

from watchdog.lab.compare.asking import QUESTION_SECONDS, Asked, How, ask
from watchdog.lab.compare.comparison import (
    Compared,
    compare_rule,
    document,
    judged,
    judged_by,
    rules_of,
)
from watchdog.lab.compare.names import SAME_NAME, Named, alert_names
from watchdog.lab.compare.record import Record, read_record
from watchdog.lab.compare.why import Sides

__all__ = [
    "QUESTION_SECONDS",
    "SAME_NAME",
    "Asked",
    "Compared",
    "How",
    "Named",
    "Record",
    "Sides",
    "alert_names",
    "ask",
    "compare_rule",
    "document",
    "judged",
    "judged_by",
    "read_record",
    "rules_of",
]
