"""What an Alertmanager says, as the record has it: its silences, and whether it answers at all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from watchdog.core import entries as e
from watchdog.core.alertmanager import Reached
from watchdog.core.silences import Standing
from watchdog.core.words import Instant


@dataclass(slots=True)
class Outside:
    """Folded from the journal's entries, as the book is."""

    silences: dict[str, Standing] = field(default_factory=dict)  # by their id
    reached: dict[str, Reached] = field(default_factory=dict)  # matter -> how it turned last

    def standing_silences(self, now: Instant) -> tuple[Standing, ...]:
        return tuple(s for s in self.silences.values() if s.silence.stands(now))

    def take(self, entry: e.Entry, at: Instant) -> None:
        match entry:
            case e.SilenceSeen(silence):
                known = self.silences.get(silence.id)
                self.silences[silence.id] = Standing(silence, known.seen if known else at)
            case e.SilenceEnded(silence=gone):
                self.silences.pop(gone, None)
            case e.AlertmanagerTurned():
                self.reached[entry.matter] = Reached(entry.answers, entry.reason, at)
            case e.Paged(key) if key.startswith("alertmanager:"):
                matter = key.removeprefix("alertmanager:")
                if matter in self.reached:
                    self.reached[matter] = replace(self.reached[matter], paged=True)
            case _:
                pass
