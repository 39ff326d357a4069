"""How much one channel may tell: a bucket that fills again, so that no sender fills our record."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(slots=True)
class Bucket:
    """`room` is what it holds when it is full; `per_second` comes back."""

    room: float
    per_second: float
    left: float = math.inf
    at: float = 0.0  # steady seconds

    def wait(self, cost: float, now: float) -> float:
        """Take `cost` out and return 0, or how many seconds to wait until it can be taken."""
        self.left = min(self.room, self.left + max(0.0, now - self.at) * self.per_second)
        self.at = now
        cost = min(cost, self.room)  # what never fits is let through by a full bucket
        if self.left >= cost:
            self.left -= cost
            return 0.0
        return (cost - self.left) / self.per_second


def bucket_of(kind: str) -> Bucket:
    """A webhook tells single events; an Alertmanager tells whole groups, of many at once."""
    return Bucket(2000.0, 10.0) if kind == "token" else Bucket(30.0, 0.5)


LEAST_COST = {"hmac": 1.0, "deploys": 1.0, "answers": 1.0, "token": 5.0}
"""Of one request, however few events it brings."""
