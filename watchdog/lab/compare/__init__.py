"""Our episodes beside Prometheus's `ALERTS`: where they disagreed over a time, and why."""

from watchdog.lab.compare.asking import QUESTION_SECONDS, How
from watchdog.lab.compare.comparison import Compared, document, judged_by
from watchdog.lab.compare.record import Record, read_record
from watchdog.lab.compare.whole import Wish, compare_all

__all__ = [
    "QUESTION_SECONDS",
    "Compared",
    "How",
    "Record",
    "Wish",
    "compare_all",
    "document",
    "judged_by",
    "read_record",
]
