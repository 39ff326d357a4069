"""Does anybody accept a connection? Refused, reset, silent or unreachable is the service's fault;
a name that has no address, and limits of our own machine, are not.
"""

from __future__ import annotations

from watchdog.core.probes import TcpProbe
from watchdog.core.samples import Failure, Fault, Look
from watchdog.core.spec import SourceSpec
from watchdog.core.words import Instant
from watchdog.sources.faults import failure_of
from watchdog.wire.door import knock
from watchdog.wire.http import HttpProblem
from watchdog.wire.names import Names


class TcpLook:
    def __init__(self, spec: SourceSpec, how: TcpProbe) -> None:
        self._spec, self._how = spec, how
        self._names = Names()

    async def look(self, at: Instant) -> Look | Failure:  # noqa: ARG002  # judged by what comes now
        host, port = self._how.host, self._how.port
        where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        trouble = await knock(self._names, host, port, deadline_seconds=self._spec.deadline_seconds)
        if trouble is None:
            return Look(holds=True, reason=f"{where} accepts connections")
        kind, why = trouble
        problem = HttpProblem(kind, f"{where}: {why}", sent=False)
        failure = failure_of(problem, asked=Fault.SERVICE)
        if failure is None:
            raise TypeError("a problem is no answer")
        return (
            Look(holds=False, reason=failure.reason) if failure.fault is Fault.SERVICE else failure
        )
