"""How the rollback procedure did over a time: the report, computed from the journal.

Laws
* Made of entries alone, by pure functions: the same entries give the same report.
* Durations are differences on the steady clock; weeks and months are those of the calendar in UTC,
  and what happened belongs to the one in which it began.
* What is not known is said to be not known, and is no 0. What was only a drill counts as a drill.
"""

from watchdog.lab.review.ledger import Ledger, read_ledger
from watchdog.lab.review.numbers import Review, review
from watchdog.lab.review.paper import review_paper

__all__ = ["Ledger", "Review", "read_ledger", "review", "review_paper"]
