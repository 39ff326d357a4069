"""Real servers for tests and bench: what Debian ships, started on free loopback ports.

Each is used with `async with X.start(...)`, is waited for until it is ready, is stopped by its own
pid, and is killed by the kernel when the starting thread dies.
"""

from tests.real_parts.alertmanager import RealAlertmanager
from tests.real_parts.fault_proxy import FaultProxy, Weather
from tests.real_parts.prometheus import RealPrometheus
from tests.real_parts.server import RealServer, program
from tests.real_parts.victoria_metrics import RealVictoriaMetrics

__all__ = [
    "FaultProxy",
    "RealAlertmanager",
    "RealPrometheus",
    "RealServer",
    "RealVictoriaMetrics",
    "Weather",
    "program",
]
