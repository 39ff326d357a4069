"""The doors of the read-only port by which others tell us something, and what guards them.

Nothing here changes anything by itself: what an authenticated sender tells is recorded and judged
by the rules, with every gate before it.
"""

from watchdog.web.inbound.doors import Inbound, inbound_routes

__all__ = ["Inbound", "inbound_routes"]
