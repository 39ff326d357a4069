"""Tells the service manager how we are: READY, STATUS, WATCHDOG, RELOADING, STOPPING.

The protocol is one datagram to the socket named by $NOTIFY_SOCKET (sd_notify(3)); without it,
nothing is sent. WATCHDOG is sent only after a completed pass, by whoever completed it.
"""

from __future__ import annotations

import os
import socket


class ServiceManager:
    """Speaks to systemd where it is there."""

    def __init__(self, address: str | None = None) -> None:
        found = address if address is not None else os.environ.get("NOTIFY_SOCKET", "")
        self._address = "\0" + found[1:] if found.startswith("@") else found
        self._socket: socket.socket | None = None
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)  # noqa: FBT003  # the socket's own signature

    def tell(self, *lines: str) -> None:
        """Send, or let it be: a full or vanished socket must not stop the watch."""
        if self._socket is not None:
            try:
                self._socket.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
