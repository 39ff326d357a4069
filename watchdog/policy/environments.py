"""Which environments a platform's file says it is for: a policy for another one is refused."""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.policy.document import Document
from watchdog.policy.nodes import Place
from watchdog.policy.problem import Findings, Problem
from watchdog.policy.scalars import is_name


@dataclass(frozen=True, slots=True)
class Named:
    """The environments that a file is for, and where it says so."""

    names: tuple[str, ...]
    place: Place

    def foreign(self, environment: str) -> Problem:
        """The refusal in an environment that is none of them."""
        return Problem(
            self.place.file,
            self.place.line,
            self.place.column,
            f"this policy is for {', '.join(self.names)}, and the process runs in {environment}",
            "Load the folder that belongs here, or correct the process's `environment`.",
        )


def named_in(document: Document, findings: Findings) -> Named | None:
    """What the file says of it; None where it does not say it rightly, which is told."""
    one, several = document.value("environment"), document.value("environments")
    if (one is None) == (several is None):
        place = document.key("environments") if one else document.start
        findings.refuse(
            place,
            "both `environment` and `environments`" if one else "no `environment`",
            "Write `environment: NAME`, or `environments: [NAME, NAME]` when the folder serves "
            "several.",
        )
        return None
    node = one or several
    if node is None:
        return None
    nodes = node.items if node.kind == "list" else [node]
    names = tuple(n.value for n in nodes if isinstance(n.value, str) and is_name(n.value))
    if (node.kind == "list") != (one is None) or len(names) < len(nodes) or not names:
        findings.refuse(
            node.place, "that is no name of an environment", "Write it like production."
        )
        return None
    return Named(names, node.place)
