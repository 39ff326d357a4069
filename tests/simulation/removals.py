"""What keeps the watchdog safe, taken out piece by piece: each must turn some seed red.

A simulation that stays green without the fsync, the intent, the read-back, the marker or the
approvals has not looked. Each removal is a patch of the simulated part or of the engine's wiring.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.simulation.machine import Disk, Held
from tests.simulation.outside import SimProbe
from tests.simulation.restorer import Helper
from tests.simulation.trees import Tree, TreeHost
from watchdog.core.draft import Draft
from watchdog.core.entries import IntentOpened, Recorded
from watchdog.core.gates import GateInputs
from watchdog.core.spec import Endpoint
from watchdog.core.telling import escalation
from watchdog.core.trees import Facts
from watchdog.core.words import CheckReading, Instant, Truth
from watchdog.engine.outbox.outbox import Outbox
from watchdog.engine.recorder import Recorder
from watchdog.engine.runner import Runner
from watchdog.ports import Attempt, Attempted, Delivered, Delivery


def without_the_fsync(patch: pytest.MonkeyPatch) -> None:
    """What was committed is in the page cache, and nowhere else."""
    patch.setattr(Disk, "sync", lambda _disk: None)


def without_the_intent(patch: pytest.MonkeyPatch) -> None:
    """The runner hears of it; the record does not."""
    commit = Recorder.commit

    def unrecorded(recorder: Recorder, draft: Draft) -> bool:
        intents = [x for x in draft.entries if isinstance(x, IntentOpened)]
        draft.entries = [x for x in draft.entries if not isinstance(x, IntentOpened)]
        durable = commit(recorder, draft)
        for intent in intents:
            for listener in recorder._listeners:
                if isinstance(getattr(listener, "__self__", None), Runner):
                    listener(Recorded(0, draft.now, intent, ""))
        return durable

    patch.setattr(Recorder, "commit", unrecorded)


def without_the_read_back(patch: pytest.MonkeyPatch) -> None:
    """What was claimed is believed."""

    async def believed(
        _probe: SimProbe, _endpoint: Endpoint, _expect: str, *, at: Instant, deadline_seconds: float
    ) -> CheckReading:
        del deadline_seconds
        return CheckReading(Truth.TRUE, "believed", at)

    patch.setattr(SimProbe, "read", believed)


def without_the_marker(patch: pytest.MonkeyPatch) -> None:
    """Whatever waits at its place is exchanged with what is live."""

    async def forward(host: TreeHost, key: str, facts: Facts, life: Held) -> Attempt:
        generation = dict(facts).get("generation", "")
        await host._step(life)
        if host.staged is None:
            return Attempt(Attempted.REFUSED, "nothing is staged")
        host._exchange(key, Tree(host.live.content, f"before-{generation}"))
        if host.is_cut_off():
            return Attempt(Attempted.UNKNOWN, "it was ended at its deadline")
        await host._step(life)
        return await host._finish(generation, key, life)

    patch.setattr(TreeHost, "forward", forward)


def without_the_approvals(patch: pytest.MonkeyPatch) -> None:
    """Nobody need say yes, neither to the watchdog nor to the helper."""
    patch.setattr(GateInputs, "approved", property(lambda _inputs: True))
    patch.setattr(Helper, "_approved", lambda helper: f"D-{len(helper.begun)}")


def without_the_pages(patch: pytest.MonkeyPatch) -> None:
    """What came about is recorded, and nobody is told."""
    patch.setattr(Draft, "tell", lambda *_given, **_named: None)


def without_the_sending(patch: pytest.MonkeyPatch) -> None:
    """A letter is taken for sent."""

    async def taken_for_sent(*_: object) -> Delivery:
        return Delivery(Delivered.SENT)

    patch.setattr(Outbox, "_send", taken_for_sent)


def without_the_outbox(patch: pytest.MonkeyPatch) -> None:
    """What is on the record for people stays there."""
    patch.setattr(Outbox, "_begin", lambda _outbox: None)


def without_the_escalation(patch: pytest.MonkeyPatch) -> None:
    """Who does not answer is waited for."""
    patch.setattr(escalation, "_wants", lambda _step, _episode: False)


@dataclass(frozen=True, slots=True)
class Removal:
    """`laws`: by what it shows. `seeds`: known to show it; one of them is enough."""

    take_out: Callable[[pytest.MonkeyPatch], None]
    laws: tuple[str, ...]
    seeds: tuple[int, ...]


REMOVALS = (
    Removal(
        without_the_fsync,
        ("acknowledged writes survive", "every effect has an earlier durable intent"),
        (1, 2, 3),
    ),
    Removal(without_the_intent, ("every effect has an earlier durable intent",), (1, 2, 3)),
    Removal(without_the_read_back, ("done is said only of what is so",), (1, 2, 3)),
    Removal(without_the_marker, ("at most one effect",), (9, 44, 45)),
    Removal(without_the_approvals, ("a restore needs its approvals",), (2, 13, 22)),
    Removal(without_the_pages, ("every outcome is told",), (1, 2, 3)),
    Removal(without_the_sending, ("told is said only of what came",), (1, 2, 3)),
    Removal(without_the_outbox, ("every outcome is sent",), (1, 2, 3)),
    Removal(without_the_escalation, ("who does not answer leads to the next",), (1, 2, 3)),
)
