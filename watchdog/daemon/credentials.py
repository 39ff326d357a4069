"""Which credentials a policy needs: one that is missing is told at the start, not in the night."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.origins import served_at
from watchdog.core.releases import DeployRelease, FieldOf
from watchdog.core.spec import ActionSpec, Check, Endpoint, How, HttpCall, Policy


def credentials(policy: Policy) -> tuple[str, ...]:
    """Their names, each once."""
    asked = [source.endpoint for source in policy.sources.values()]
    endpoints = [endpoint for endpoint in asked if endpoint is not None]
    for action in policy.actions.values():
        endpoints += _endpoints(action)
    for checks in policy.verification.values():
        endpoints += (found for check in checks if (found := served_at(check.how)) is not None)
    endpoints += policy.alertmanager.endpoints if policy.alertmanager is not None else ()
    names = [header.secret for endpoint in endpoints for header in endpoint.headers]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _endpoints(action: ActionSpec) -> Iterator[Endpoint]:
    yield action.read_back
    for step in (action.do, action.undo):
        if step is not None:
            yield from _asked_by(step.how)
    for check in (*action.contained_when, *action.resume_when, *action.ready_when):
        yield check.endpoint


def _asked_by(how: How) -> Iterator[Endpoint]:
    match how:
        case HttpCall(endpoint=endpoint):
            yield endpoint
        case DeployRelease():
            yield from _asked_by(how.by)
            yield from (how.deployable.endpoint,) if isinstance(how.deployable, Check) else ()
            tellings = (how.present, how.anchor)
            yield from (one.endpoint for one in tellings if isinstance(one, FieldOf))
        case _:
            pass
