"""`/metrics`: what the watchdog tells of itself, in Prometheus's text format and OpenMetrics.

Counters count the journal's entries, as they become durable; gauges are read from the engine when
they are asked for. Label names are fixed in `catalog.py`, and label values come from our policy
and our own words alone: nothing that a watched service answers can become a series.
"""

from watchdog.web.metrics.catalog import CATALOG
from watchdog.web.metrics.exposition import encoded, families
from watchdog.web.metrics.meters import Meters
from watchdog.web.metrics.metric import Metric
from watchdog.web.metrics.reference import reference

__all__ = ["CATALOG", "Meters", "Metric", "encoded", "families", "reference"]
