"""The faces: read-only pages, metrics and API over TCP; orders over the control socket.

Nothing that can be reached over TCP changes anything. Whoever changes something comes through
the control socket and is known by the peer's uid, as the kernel tells it.
"""

from watchdog.web.control import Control, control_app
from watchdog.web.metrics import Meters, PolicyLoad
from watchdog.web.readonly import Health, readonly_app
from watchdog.web.serve import Served, serve_tcp, serve_unix

__all__ = [
    "Control",
    "Health",
    "Meters",
    "PolicyLoad",
    "Served",
    "control_app",
    "readonly_app",
    "serve_tcp",
    "serve_unix",
]
