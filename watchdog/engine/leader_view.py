"""Who leads, and who else is there, as faces show it."""

from __future__ import annotations

from watchdog.core.capabilities import Fellow
from watchdog.engine.engine import Engine
from watchdog.engine.present import LeadNow
from watchdog.engine.shapes_around import LeaderShape


def lead_now(engine: Engine) -> LeadNow:
    """Who alone holds the record leads, in the one epoch that there is."""
    leading, there = engine.leading, engine.hosts.present()
    return LeadNow(leading.leads(), leading.lead.epoch, len(there), bool(leading.trouble))


def leader_view(engine: Engine) -> LeaderShape | None:
    """None where the record is this process's alone."""
    if engine.ports.peers is None:
        return None
    leading, there = engine.leading, engine.hosts.present()
    here = leading.leads()
    known = frozenset[str]().union(*(one.knows for one in there))
    return {
        "name": leading.lead.holder,
        "here": here,
        "epoch": leading.lead.epoch,
        "trouble": leading.trouble,
        "twin": engine.hosts.twin,
        "daemons": [
            {
                "name": one.name,
                "host": one.host,
                "version": one.version,
                "sees": one.sees,
                "seconds_ago": one.seconds_ago,
                "settings": one.settings,
                "lacks": Fellow(one.name, one.version, one.knows).lacks(known),
            }
            for one in there
        ],
    }
