"""Tells Alertmanager of episodes and of blindness, beside everything else.

What is told is worked out anew from the book each time, so that telling it again mends whatever
went wrong before; nothing that is decided ever waits for it, or reads what came of it. An alert
that nobody tells again expires, so that a dead watchdog's alerts end too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from watchdog.core import entries as e
from watchdog.core.alerting import Alert
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.alerts import alerts_of
from watchdog.core.samples import Labels
from watchdog.core.spec import Policy
from watchdog.core.words import Instant
from watchdog.engine.reaching import GRACE_SECONDS, page_when_long, turned
from watchdog.engine.recorder import Recorder
from watchdog.ports import AlertSink

MATTER: Final = "alerts"
FIRST_PAUSE_SECONDS = 1.0
"""After a failure; each further one doubles it, up to the usual interval."""

LONGEST_PAUSE_SECONDS = 300.0

GATHER_SECONDS = 0.2
"""For how long news are gathered before they are told together."""

_NEWS = (e.EpisodeMoved, e.Decided, e.Paged, e.BlindEnded, e.HoldPlaced, e.HoldEnded, e.Acked)
NOT_TOLD = "Alertmanager cannot be told of episodes"
NOT_TOLD_MEANS = (
    "Whoever watches there sees none of them. Nothing that is decided depends on it. "
    "See: slo-watchdog status"
)

Open = Callable[[AlertmanagerSpec], AlertSink | None]


class AlertTelling:
    """One loop; `told_at` is when any replica last took everything, `firing` how many that were."""

    def __init__(self, recorder: Recorder, open_sink: Open, policy: Callable[[], Policy]) -> None:
        self.replicas: dict[str, str] = {}
        self.told_at: Instant | None = None
        self.firing = 0
        self._recorder = recorder
        self._open = open_sink
        self._policy = policy
        self._again = asyncio.Event()
        self._spec: AlertmanagerSpec | None = None
        self._sink: AlertSink | None = None
        self._fired: dict[Labels, Alert] = {}  # told as firing last
        self._over: dict[Labels, tuple[Alert, Instant]] = {}  # ceased since, and when

    def adopt(self) -> None:
        """Another policy is in force, and perhaps another Alertmanager to tell."""
        wanted = self._policy().alertmanager
        wanted = wanted if wanted is not None and wanted.alerts else None
        if wanted != self._spec:
            self._spec, self.replicas, self.told_at, self.firing = wanted, {}, None, 0
            self._sink = self._open(wanted) if wanted is not None else None
        self._again.set()

    def heard(self, recorded: e.Recorded) -> None:
        """A recorder's listener: something is there to be told."""
        if isinstance(recorded.entry, _NEWS):
            self._again.set()

    async def forever(self) -> None:
        """Until cancelled. What fails is told again, ever more slowly."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            self._again.clear()
            # Who does not lead looks again whether it does: an alert that nobody tells expires.
            wait = None if self._spec is None else self._spec.again_seconds
            if self._spec is not None and self._sink is not None and self._recorder.leads():
                done = await self._tell(self._spec, self._sink)
                wait = self._spec.again_seconds if done else min(pause, self._spec.again_seconds)
                pause = FIRST_PAUSE_SECONDS if done else min(pause * 2, LONGEST_PAUSE_SECONDS)
            try:
                async with asyncio.timeout(wait):
                    await self._again.wait()
            except TimeoutError:
                pass
            # News make a failing one no faster, and of a storm of them one telling is enough.
            failing = pause > FIRST_PAUSE_SECONDS
            await asyncio.sleep(FIRST_PAUSE_SECONDS if failing else GATHER_SECONDS)

    async def _tell(self, spec: AlertmanagerSpec, sink: AlertSink) -> bool:
        """Everything once, be it nothing; whether every replica took it."""
        now = self._recorder.clock.now()
        firing, alerts = self._wanted(spec, now)
        replicas = await _told(spec, sink, alerts, now)
        if spec != self._spec:
            return True
        self.replicas, self.firing = replicas, len(firing)
        failures = [why for why in replicas.values() if why]
        taken = len(failures) < len(replicas)
        draft = self._recorder.draft()
        turned(draft, MATTER, answers=taken, reason=failures[0] if failures else "")
        if taken:
            self._fired, self.told_at = firing, draft.now
        page_when_long(draft, MATTER, spec.page_after_seconds, NOT_TOLD, NOT_TOLD_MEANS)
        self._recorder.commit(draft)
        return not failures

    def _wanted(
        self, spec: AlertmanagerSpec, now: Instant
    ) -> tuple[dict[Labels, Alert], list[Alert]]:
        """What fires, and all that is told: that, and what ended lately."""
        lives = spec.alert_lives_seconds
        told = alerts_of(self._recorder.book, self._policy(), now, lives)
        for labels, alert in self._fired.items():
            self._over.setdefault(labels, (replace(alert, ends_at=now.wall), now))
        for labels, (_, since) in list(self._over.items()):
            old = now.steady - since.steady > lives
            if old or labels in told.firing or labels in told.ended:
                del self._over[labels]
        over = [alert for alert, _ in self._over.values()]
        return told.firing, [*told.firing.values(), *told.ended.values(), *over]


async def _told(
    spec: AlertmanagerSpec, sink: AlertSink, alerts: list[Alert], at: Instant
) -> dict[str, str]:
    """One telling, cut off where the sink breaks its promises."""
    try:
        async with asyncio.timeout(spec.deadline_seconds + GRACE_SECONDS):
            return dict(await sink.tell(alerts, at))
    except TimeoutError:
        why = f"no answer within {spec.deadline_seconds + GRACE_SECONDS:g} s: cut off"
    except Exception as error:  # noqa: BLE001  # an adapter's bug must not end the watch
        why = f"{type(error).__name__} while it was told"
    return dict.fromkeys((one.url for one in spec.endpoints), why)
