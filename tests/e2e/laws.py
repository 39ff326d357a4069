"""What must hold of every story, whatever was told in it: read from its journal and its target."""

from collections import Counter
from collections.abc import Sequence

from tests.e2e.household import Watchdog
from watchdog.core.entries import (
    Decided,
    EpisodeMoved,
    IntentEnded,
    IntentOpened,
    Outcome,
    Recorded,
    Ruling,
)
from watchdog.core.episode import TABLE
from watchdog.core.words import Direction
from watchdog.sandbox.flags import REDEMPTION
from watchdog.sandbox.handle import Sandbox
from watchdog.store import open_reader

STRANGER = "somebody-else"


def check_laws(watchdog: Watchdog, sandbox: Sandbox) -> None:
    """The journal's chain stands, and nothing happened that it does not explain."""
    if not watchdog.where.url and not (watchdog.state / "journal.db").exists():
        return
    with open_reader(watchdog.where) as reader:
        reader.verify()
    journal = watchdog.journal()
    _only_edges_of_the_table(journal)
    _every_start_was_allowed(journal)
    _nothing_twice(journal)
    _every_effect_was_intended(journal, sandbox)


def _only_edges_of_the_table(journal: Sequence[Recorded]) -> None:
    for one in journal:
        if isinstance(one.entry, EpisodeMoved):
            assert TABLE[one.entry.before, one.entry.event] is one.entry.after


def _every_start_was_allowed(journal: Sequence[Recorded]) -> None:
    """By a decision before it, or it is a person's undo."""
    allowed: set[str] = set()
    for one in journal:
        match one.entry:
            case Decided(ruling=Ruling.ALLOWED) as decided:
                allowed.add(decided.decision)
            case IntentOpened(direction=Direction.DO) as intent:
                assert intent.decision in allowed, f"{intent} follows no decision"
            case IntentOpened() as intent:
                assert intent.actor, f"{intent} undoes by itself"
            case _:
                pass


def _nothing_twice(journal: Sequence[Recorded]) -> None:
    """One episode never causes the same action twice; what was abandoned had no effect."""
    opened = [one.entry for one in journal if isinstance(one.entry, IntentOpened)]
    ended = [one.entry for one in journal if isinstance(one.entry, IntentEnded)]
    abandoned = {end.intent for end in ended if end.outcome is Outcome.ABANDONED}
    times = Counter(
        (i.episode, i.action)
        for i in opened
        if i.direction is Direction.DO and i.intent not in abandoned
    )
    assert not [what for what, count in times.items() if count > 1]


def _every_effect_was_intended(journal: Sequence[Recorded], sandbox: Sandbox) -> None:
    """Counted at the target: no more effective changes than intents, each after one."""
    opened = [one for one in journal if isinstance(one.entry, IntentOpened)]
    changes = [change for change in sandbox.changes(REDEMPTION) if change.by != STRANGER]
    assert len(changes) <= len(opened)
    for number, change in enumerate(changes):
        assert opened[number].at.wall <= change.at
