"""What people are told, on its way: from the notes on the record to the channels, and back.

The law: nothing that is decided waits for it. A note is sent once it is durable, by whoever leads;
that it was sent is recorded after, so a death in between sends it again under the same name. Each
line takes its notes in their order, one letter at a time; one that fails is tried again ever more
slowly and holds no other up. What gathered meanwhile goes as one letter, its first and last whole.
"""

from __future__ import annotations

from watchdog.engine.outbox.outbox import LineNow as LineNow
from watchdog.engine.outbox.outbox import Outbox as Outbox
