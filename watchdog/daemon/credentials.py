"""Which credentials a policy needs: one that is missing is told at the start, not in the night."""

from __future__ import annotations

from collections.abc import Iterator

from watchdog.core.spec import ActionSpec, Endpoint, HttpCall, Policy


def credentials(policy: Policy) -> tuple[str, ...]:
    """Their names, each once."""
    asked = [source.endpoint for source in policy.sources.values()]
    endpoints = [endpoint for endpoint in asked if endpoint is not None]
    for action in policy.actions.values():
        endpoints += _endpoints(action)
    endpoints += policy.alertmanager.endpoints if policy.alertmanager is not None else ()
    names = [header.secret for endpoint in endpoints for header in endpoint.headers]
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _endpoints(action: ActionSpec) -> Iterator[Endpoint]:
    yield action.read_back
    for step in (action.do, action.undo):
        if step is not None and isinstance(step.how, HttpCall):
            yield step.how.endpoint
    for check in (*action.contained_when, *action.resume_when, *action.ready_when):
        yield check.endpoint
