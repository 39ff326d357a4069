"""What the parser's complaints mean, and what to write instead."""

from __future__ import annotations

import re

_KINDS = {
    "matrix": "a range of samples",
    "vector": "an instant vector",
    "scalar": "a number",
    "string": "a text",
}
_REMEDIES = {
    ("matrix", "vector"): "say how far back, as in {of}(x[5m])",
    ("matrix", "scalar"): "select a metric and say how far back, as in {of}(x[5m])",
    ("vector", "matrix"): "leave the brackets out, or put a function of ranges in between, "
    "as in {of}(max_over_time(x[5m]))",
    ("vector", "scalar"): "select a metric; or vector(...) makes a vector of a number",
    ("scalar", "vector"): "write a number; or scalar(...) makes one of a single series",
}
_WRONG_TYPE = re.compile(
    r"expected type (\w+) in (?:call to function '(\w+)'|aggregation expression), got (\w+)"
)
_OTHERS = (
    (
        r"comparisons between scalars must use BOOL modifier",
        "two numbers are compared",
        "write `bool` after the operator, as in `time() > bool 5`: it gives 1 or 0",
    ),
    (
        r"set operator '(\w+)' not allowed in binary scalar expression",
        "`{0}` stands between vectors, and one side is a number",
        "vector(...) makes a vector of a number",
    ),
    (
        r"binary expression must contain only scalar and instant vector types",
        "operators stand between numbers and instant vectors, and one side is a range or a text",
        "put a function around the range, as in rate(x[5m])",
    ),
    (
        r"unary expression only allowed on expressions of type scalar or vector.*",
        "a sign stands before a number or an instant vector, and here before a range or a text",
        "put a function around the range, as in -delta(x[5m])",
    ),
    (
        r"vector matching only allowed between vectors",
        "`on`, `ignoring` and `group_left` stand between vectors, and one side is a number",
        "leave them out",
    ),
    (
        r"unterminated quoted string (.)",
        "a quote {0} is opened and not closed",
        "close it at the end of the text that it begins",
    ),
    (r"unclosed left parenthesis", "a `(` is not closed", "close it with `)`"),
    (
        r"unexpected right parenthesis '\)'",
        "a `)` closes nothing",
        "remove it, or open it with `(`",
    ),
    (
        r"unexpected end of input inside brackets",
        "a `[` is not closed",
        "close it, as in rate(x[5m])",
    ),
    (
        r"unexpected end of input inside braces",
        "a `{{` is not closed",
        'close it, as in x{job="a"}',
    ),
    (
        r"unexpected identifier '(.+)' in label matching, expected string",
        "the value {0} of a label has no quotes",
        'put it in quotes, as in x{job="a"}',
    ),
    (
        r"bad number or duration syntax: (.+)",
        "{0} is no number and no duration",
        "write it like 5, 0.05, 30s or 5m",
    ),
    (r"unknown function with name '(.+)'", "there is no function {0}", "correct its name"),
    (
        r"expected (\d+) argument\(s\) in call to '(\w+)', got (\d+)",
        "`{1}` takes {0} and is given {2}",
        "count what stands between its commas",
    ),
    (
        r"invalid promql query",
        "two things stand side by side, or an operator has only one side",
        "put an operator or a comma between them, or finish it",
    ),
    (r"no expression found in input", "there is nothing in it", "write an expression"),
)


def explained(complaint: str) -> tuple[str, str]:
    """What is wrong in an expression, and what to do; the latter empty where nobody knows."""
    wrong = _WRONG_TYPE.fullmatch(complaint)
    if wrong:
        expected, function, got = wrong.groups()
        where = f"`{function}`" if function else "an aggregation"
        what = f"{where} takes {_KINDS.get(expected, expected)} and is given {_KINDS.get(got, got)}"
        remedy = _REMEDIES.get((expected, got), "")
        return what, remedy.format(of=function or "sum")
    for pattern, what, instead in _OTHERS:
        found = re.fullmatch(pattern, complaint)
        if found:
            return what.format(*found.groups()), instead
    return complaint, ""
