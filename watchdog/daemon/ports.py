"""What an engine stands on: every port with the adapter that the settings and the policy call for.

Who asks to show a status page has connections of its own: it never waits for those of a rollback,
nor they for it.
"""

from __future__ import annotations

from watchdog.actions import open_actuator, open_probe
from watchdog.actions.restore import RestoreActuator
from watchdog.actions.tree.adapter import TreeActuator
from watchdog.clock import SystemClock
from watchdog.core.spec import SourceSpec
from watchdog.core.trees import RestoreSystem, SwapTree
from watchdog.engine import Ports
from watchdog.notify import open_alerts, open_notifier, open_status_page
from watchdog.ports import Alertmanagers, MetricSource
from watchdog.sources import open_past, open_silences, open_source
from watchdog.store import Store
from watchdog.web.metrics import Meters
from watchdog.wire.http import Wire
from watchdog.wire.secrets import lacks


def ports_of(store: Store, clock: SystemClock, wire: Wire, meters: Meters) -> Ports:
    """All of them, on one process's connections."""
    public = wire.apart("status pages")

    def source(spec: SourceSpec) -> MetricSource:
        return meters.counting(spec, open_source(spec, wire))

    return Ports(
        journal=store.journal,
        history=store.history,
        lease=store.lease,
        clock=clock,
        actuator=open_actuator(wire, {SwapTree: TreeActuator(), RestoreSystem: RestoreActuator()}),
        probe=open_probe(wire),
        open_source=source,
        open_past=lambda spec: open_past(spec, wire),
        alertmanagers=Alertmanagers(
            lambda spec: open_silences(spec, wire), lambda spec: open_alerts(spec, wire)
        ),
        peers=store.peers,
        shift=clock.shift,
        open_notifier=lambda channel: open_notifier(channel, wire),
        open_status_page=lambda page: open_status_page(page, public),
        lacks=lambda name: lacks(wire.secrets, name),
    )
