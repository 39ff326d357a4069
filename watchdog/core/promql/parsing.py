"""The one place that hands text to the PromQL parser, within limits."""

from __future__ import annotations

import re
from typing import Any

import promql_parser as parser

from watchdog.core.promql.explaining import explained
from watchdog.core.promql.faults import ParseFault

MAX_CHARACTERS = 8192
"""Longer expressions are refused; generated rules of public collections stay far below."""

MAX_OPERATORS = 250
"""Operators and opening parentheses: the parser's time grows with the square of their nesting."""

_TEXTS = re.compile(r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`""", re.DOTALL)
_OPERATORS = re.compile(r"[-+*/%^(<>!]|==|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)


def parsed(text: str) -> Any:
    """The parser's tree. Raises ParseFault."""
    if len(text) > MAX_CHARACTERS:
        raise ParseFault(f"the expression is longer than {MAX_CHARACTERS} characters")
    if sum(1 for _ in _OPERATORS.finditer(_TEXTS.sub('""', text))) > MAX_OPERATORS:
        raise ParseFault(f"the expression has more than {MAX_OPERATORS} operators and parentheses")
    try:
        return parser.parse(text)
    except ValueError as fault:
        what, instead = explained(str(fault))
        raise ParseFault(f"{what} (in `{text}`)" + (f"; {instead}" if instead else "")) from fault
