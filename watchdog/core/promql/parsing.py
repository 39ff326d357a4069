"""The one place that hands text to the PromQL parser, within limits.

In backticks nothing is an escape: Prometheus takes every character as it stands. The parser here
reads escapes in them as well, so it is given such strings quoted, and means what Prometheus does.
"""

from __future__ import annotations

import json
import re
from typing import Any

import promql_parser as parser

from watchdog.core.promql.explaining import explained
from watchdog.core.promql.faults import ParseFault

MAX_CHARACTERS = 8192
"""Longer expressions are refused; generated rules of public collections stay far below."""

MAX_OPERATORS = 250
"""Operators and opening parentheses: the parser's time grows with the square of their nesting."""

_TEXTS = re.compile(r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`([^`]*)`""", re.DOTALL)
_OPERATORS = re.compile(r"[-+*/%^(<>!]|==|\b(?:and|or|unless|atan2)\b", re.IGNORECASE)


def without_raw(text: str) -> str:
    """The same expression, with strings in double quotes in place of those in backticks."""
    if "`" not in text:
        return text
    return _TEXTS.sub(lambda m: m[0] if m[1] is None else quoted(m[1]), text)


def quoted(text: str) -> str:
    """A string as PromQL writes it in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def parsed(text: str) -> Any:
    """The parser's tree. Raises ParseFault."""
    if len(text) > MAX_CHARACTERS:
        raise ParseFault(f"the expression is longer than {MAX_CHARACTERS} characters")
    if sum(1 for _ in _OPERATORS.finditer(_TEXTS.sub('""', text))) > MAX_OPERATORS:
        raise ParseFault(f"the expression has more than {MAX_OPERATORS} operators and parentheses")
    try:
        return parser.parse(without_raw(text))
    except ValueError as fault:
        what, instead = explained(str(fault))
        raise ParseFault(f"{what} (in `{text}`)" + (f"; {instead}" if instead else "")) from fault
