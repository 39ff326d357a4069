"""What a command writes, read while it runs: all of it is taken, little of it is kept."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Printed:
    """What a command wrote: its beginning and its end, where all of it would be too much."""

    text: str = ""
    total_bytes: int = 0
    cut_bytes: int = 0


@dataclass(slots=True)
class Tap:
    """One output while it is read: keeps the first and the last bytes, counts the rest."""

    fd: int
    cap: int
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    total: int = 0

    def take(self) -> bool:
        """Read once. False at the end of the output."""
        try:
            chunk = os.read(self.fd, _CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.total += len(chunk)
        room = self.cap // 2 - len(self.head)
        if room > 0:
            self.head += chunk[:room]
            self.tail += chunk[room:]
        else:
            self.tail += chunk
        del self.tail[: -(self.cap - self.cap // 2) or None]
        return bool(chunk)

    def printed(self) -> Printed:
        cut = self.total - len(self.head) - len(self.tail)
        between = f"\n[... {cut} bytes left out ...]\n".encode() if cut else b""
        text = bytes(self.head + between + self.tail).decode("utf-8", "replace")
        return Printed(text, self.total, cut)
