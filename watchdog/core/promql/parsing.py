"""The one place that hands text to the PromQL parser, within limits."""

from __future__ import annotations

from typing import Any

import promql_parser as parser

from watchdog.core.promql.faults import ParseFault

MAX_CHARACTERS = 8192
"""Longer expressions are refused; generated rules of public collections stay far below."""


def parsed(text: str) -> Any:
    """The parser's tree. Raises ParseFault."""
    if len(text) > MAX_CHARACTERS:
        raise ParseFault(f"the expression is longer than {MAX_CHARACTERS} characters")
    try:
        return parser.parse(text)
    except RecursionError:
        raise ParseFault("the expression is nested too deeply") from None
    except ValueError as fault:
        raise ParseFault(f"{fault} (in `{text}`)") from fault
