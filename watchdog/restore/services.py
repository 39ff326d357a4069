"""The units that patterns name: which run now, stopped and proven stopped, started by name.

`systemctl start 'mycelia-*'` after a stop matches nothing and exits 0, since patterns are matched
against what is loaded: so what ran is written down by name before anything is stopped. Exit
statuses are claims; what counts is what the units' own states say afterwards.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence

from watchdog.restore.child import run
from watchdog.restore.refused import Refused, shown

_SYSTEMCTL = "/usr/bin/systemctl"
_TYPES = ("service", "socket", "timer", "path", "target")
"""What starts or is a service. A mount is none, and stopping it would take the tree away."""
_OWN = ("slo-watchdog.service", "slo-watchdog-")
_ASKING_SECONDS = 60.0
_STOPPING_SECONDS = 900.0
_STARTING_SECONDS = 900.0
_SETTLING_SECONDS = 30.0
_RUNNING = frozenset({"active", "activating", "reloading", "deactivating", "refreshing"})
_UP = frozenset({"active", "reloading", "refreshing"})


def running(patterns: Sequence[str]) -> tuple[str, ...]:
    """The units that these patterns name and that run, without the watchdog's own, sorted."""
    if not patterns:
        return ()
    argv = [
        *(_SYSTEMCTL, "list-units", "--all", "--full", "--no-pager", "--output=json"),
        *(f"--type={','.join(_TYPES)}", "--", *patterns),
    ]
    ended = run(argv, seconds=_ASKING_SECONDS)
    if ended.status != 0:
        raise Refused(f"systemctl cannot tell which services run: {ended.said}")
    try:
        found = json.loads(ended.output)
        names = {str(one["unit"]) for one in found if one["active"] in _RUNNING}
    except (ValueError, KeyError, TypeError):
        raise Refused(f"systemctl says something else than units: {ended.said}") from None
    return tuple(sorted(name for name in names if not name.startswith(_OWN)))


def stop(units: Sequence[str], patterns: Sequence[str]) -> None:
    """Stop all that run by now, and prove that none does. Raises Refused."""
    for _ in range(3):  # one may have been started by another while it was stopped
        left = running(patterns)
        if not left:
            return
        ended = run([_SYSTEMCTL, "stop", "--", *left], seconds=_STOPPING_SECONDS)
        if ended.status != 0:
            raise Refused(f"systemctl stop ended with {ended.status}: {ended.said}")
    left = running(patterns)
    if left:
        others = [name for name in left if name not in units]
        raise Refused(f"{', '.join(left)} still run" + (f"; {others[0]} anew" if others else ""))


def start(units: Sequence[str]) -> tuple[str, ...]:
    """Start exactly these, and say of each that did not come up what it is instead."""
    if not units:
        return ()
    run([_SYSTEMCTL, "daemon-reload"], seconds=_ASKING_SECONDS)  # their files may be others now
    run([_SYSTEMCTL, "reset-failed", "--", *units], seconds=_ASKING_SECONDS)
    ended = run([_SYSTEMCTL, "start", "--", *units], seconds=_STARTING_SECONDS)
    until = time.monotonic() + _SETTLING_SECONDS
    while True:
        states = _states(units)
        down = {name: state for name, state in states.items() if state not in _UP}
        waiting = any(state == "activating" for state in down.values())
        if not down or not waiting or time.monotonic() > until:
            break
        time.sleep(0.2)
    said = f" ({ended.said})" if ended.status != 0 else ""
    return tuple(f"{shown(name)} is {state}{said}" for name, state in sorted(down.items()))


def _states(units: Iterable[str]) -> Mapping[str, str]:
    """What each unit is; one that ran to its end, as a one-shot does, counts as active."""
    found: dict[str, str] = {}
    for unit in units:
        keys = "--property=ActiveState,Result,Type,ExecMainStartTimestampMonotonic"
        ended = run([_SYSTEMCTL, "show", keys, "--", unit], seconds=_ASKING_SECONDS)
        told = dict(line.partition("=")[::2] for line in ended.output.splitlines())
        state = told.get("ActiveState", "unknown")
        once = told.get("Type") == "oneshot" and told.get("Result") == "success"
        found[unit] = "active" if state == "inactive" and once else state
    return found
