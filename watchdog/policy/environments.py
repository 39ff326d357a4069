"""Which environments a platform's file says it is for: a policy for another one is refused."""

from __future__ import annotations

from watchdog.policy.document import Document
from watchdog.policy.problem import Findings, Problem
from watchdog.policy.scalars import is_name


def check_environment(document: Document, environment: str) -> list[Problem]:
    """What is wrong with the environments that the file says it is for."""
    findings = Findings()
    _environment(document, environment, findings)
    return findings.errors


def _environment(document: Document, environment: str, findings: Findings) -> None:
    one, several = document.value("environment"), document.value("environments")
    if (one is None) == (several is None):
        place = document.key("environments") if one else document.start
        findings.refuse(
            place,
            "both `environment` and `environments`" if one else "no `environment`",
            "Write `environment: NAME`, or `environments: [NAME, NAME]` when the folder serves "
            "several.",
        )
        return
    node = one or several
    if node is None:
        return
    names = [n.value for n in node.items] if node.kind == "list" else [node.value]
    if (node.kind == "list") != (one is None) or not all(
        isinstance(n, str) and is_name(n) for n in names
    ) or not names:  # fmt: skip
        findings.refuse(
            node.place, "that is no name of an environment", "Write it like production."
        )
    elif environment not in names:
        listed = ", ".join(str(n) for n in names)
        findings.refuse(
            node.place,
            f"this policy is for {listed}, and the process runs in {environment}",
            "Load the folder that belongs here, or correct the process's `environment`.",
        )
