"""Why an expression is refused before it runs, and why it has no value when it runs.

Refused
|-- ParseFault     it is no PromQL
`-- Unsupported    it is PromQL, but not of the subset that is evaluated here

EvaluationFault    the expression and the data of this moment do not go together
"""

from __future__ import annotations

WAY_OUT = "ask a Prometheus for it (`source: prometheus`)"


class Refused(ValueError):
    """An expression that cannot be used. The message says what is wrong and what to do."""


class ParseFault(Refused): ...


class Unsupported(Refused):
    """Outside the subset. Nothing is approximated silently: it is refused by name instead."""

    def __init__(self, construct: str, found: str, instead: str = WAY_OUT) -> None:
        super().__init__(f"{construct} is not evaluated here (found in `{found}`); {instead}")
        self.construct = construct
        self.found = found
        self.instead = instead


class EvaluationFault(Exception):
    """What Prometheus answers with an error: duplicate label sets, ambiguous matches."""
