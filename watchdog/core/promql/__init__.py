"""PromQL, evaluated here: for sources that are scraped directly, without a Prometheus.

`check` an expression once, `evaluate` it at every pass; `select` gives raw samples; `outline`
tells what any expression asks for. The subset is what plan.py and calls.py build, listed in
docs/promql.md; all else is refused by name. Meaning is Prometheus 3's: ranges open on the left,
5 minutes of look-back, staleness.
"""

from watchdog.core.promql.explaining import explained
from watchdog.core.promql.expression import Expression, check, evaluate
from watchdog.core.promql.faults import ParseFault, Refused, Unsupported
from watchdog.core.promql.outline import Outline, inner_filter, outline, own_filter
from watchdog.core.promql.selector import Matcher, Selector, no_room, select

__all__ = [
    "Expression",
    "Matcher",
    "Outline",
    "ParseFault",
    "Refused",
    "Selector",
    "Unsupported",
    "check",
    "evaluate",
    "explained",
    "inner_filter",
    "no_room",
    "outline",
    "own_filter",
    "select",
]
