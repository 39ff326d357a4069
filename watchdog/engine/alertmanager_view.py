"""The Alertmanager beside us as people are shown it: its silences, and whether it answers."""

from __future__ import annotations

from watchdog.core.alertmanager import Matter
from watchdog.engine.engine import Engine
from watchdog.engine.present import AlertmanagerNow
from watchdog.engine.shapes_around import AlertmanagerShape, MatterShape, SilenceShape
from watchdog.engine.verdict_view import utc


def silences_view(engine: Engine) -> list[SilenceShape]:
    """Those that stand, or will, and may concern a rule of ours; the first to end first."""
    now = engine.ports.clock.now()
    known = sorted(engine.book.outside.silences.values(), key=lambda one: one.silence.ends.steady)
    return [
        {
            "id": one.silence.id,
            "author": one.silence.author,
            "comment": one.silence.comment,
            "matchers": [matcher.text for matcher in one.silence.matchers],
            "starts": utc(one.silence.starts),
            "ends": utc(one.silence.ends),
            "stands": one.silence.stands(now),
            "covers": list(engine.alertmanager.silences.covers(one.silence)),
        }
        for one in known
        if not one.silence.is_over(now)
    ]


def alertmanager_view(engine: Engine) -> AlertmanagerShape | None:
    """None where the policy has none."""
    spec = engine.in_force().alertmanager
    if spec is None:
        return None
    silences, alerts = engine.alertmanager.silences, engine.alertmanager.alerts
    now = alertmanager_now(engine)
    return {
        "silences": {
            **_matter(engine, "silences", asked=spec.silences),
            "seconds_ago": now.silences_age_seconds if now else None,
        },
        "alerts": {
            **_matter(engine, "alerts", asked=spec.alerts),
            "seconds_ago": now.told_age_seconds if now else None,
            "firing": alerts.firing,
        },
        "replicas": [
            {
                "url": one.url,
                "silences": silences.replicas.get(one.url),
                "alerts": alerts.replicas.get(one.url),
            }
            for one in spec.endpoints
        ],
    }


def _matter(engine: Engine, matter: Matter, *, asked: bool) -> MatterShape:
    """How it last turned; `answers` is None before it was asked once."""
    reached = engine.book.outside.reached.get(matter) if asked else None
    return {
        "asked": asked,
        "answers": reached.answers if reached else None,
        "reason": reached.reason if reached else "",
        "since": utc(reached.since) if reached else None,
    }


def alertmanager_now(engine: Engine) -> AlertmanagerNow | None:
    """The same for metrics."""
    spec = engine.in_force().alertmanager
    if spec is None:
        return None
    now, silences, alerts = engine.ports.clock.now(), engine.alertmanager.silences, None
    if spec.alerts:
        alerts = engine.alertmanager.alerts
    heard = [silences.replicas, *([alerts.replicas] if alerts else [])]
    looked, told = silences.looked_at, alerts.told_at if alerts else None
    return AlertmanagerNow(
        up={
            one.url: not any(replicas[one.url] for replicas in heard if one.url in replicas)
            for one in spec.endpoints
            if any(one.url in replicas for replicas in heard)
        },
        silences_age_seconds=now.steady - looked.steady if looked else None,
        silences=len(engine.book.outside.standing_silences(now)) if spec.silences else None,
        told_age_seconds=now.steady - told.steady if told else None,
        alerts=alerts.firing if alerts else None,
    )
