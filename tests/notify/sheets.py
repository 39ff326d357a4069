"""What status pages are told in their adapters' stories."""

from __future__ import annotations

from dataclasses import replace

from watchdog.core.telling.status_pages import COURSE_OF, Component, Condition
from watchdog.core.words import Instant
from watchdog.ports import IncidentSheet, StatusSheet

REDEMPTION = Component("redemption", "Redemption", reference="b13yz5g2cw10")
AT = Instant(1_764_000_000.0, 100.0)
KEY = "sandbox/public/redemption/E1"


def sheet(condition: Condition, revision: str = "", *, reference: str = "") -> StatusSheet:
    """One component, which is so."""
    said = revision or condition.value
    incident = IncidentSheet(
        key=KEY,
        revision=said,
        component=REDEMPTION,
        condition=condition,
        course=COURSE_OF[condition],
        title=f"Redemption: {condition.value}",
        body=f"It is {said}.",
        since=AT,
        reference=reference,
    )
    fine = condition is Condition.OPERATIONAL
    return StatusSheet(
        environment="sandbox",
        page="public",
        identity=f"sandbox/public/{said}",
        worst=condition,
        components=((REDEMPTION, condition),),
        open=() if fine else (incident,),
        over=(incident,) if fine else (),
        at=AT,
    )


def quiet() -> StatusSheet:
    """Nothing is the matter, and nothing was."""
    return replace(sheet(Condition.OPERATIONAL), over=())
