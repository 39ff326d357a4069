"""What no expectation may hold, and what to write instead."""

from __future__ import annotations


class BadExpectation(ValueError):
    """An expectation that cannot be judged. `message` says what is wrong, `instead` what to do."""

    def __init__(self, message: str, instead: str) -> None:
        super().__init__(f"{message}. {instead}")
        self.message = message
        self.instead = instead


_INSTEAD = {
    "function_expression": (
        "a function",
        "Name the field itself, without a function; length(a[?b == 'x']) may be counted",
    ),
    "pipe": (
        "a pipe",
        "Write the path in full: a.b instead of a | b. To choose: (a[?name == 'x'] | [0].b) == `1`",
    ),
    "filter_projection": (
        "a filter",
        "Name one element: a[0].b, or choose it: (a[?name == 'x'] | [0].b)",
    ),
    "slice": ("a slice", "Name one element: a[0]"),
    "flatten": ("a flattened list", "Name one element: a[0]"),
    "projection": ("a list of many values", "Name one element: a[0]"),
    "value_projection": ("a wildcard", "Name the field"),
    "multi_select_list": ("a list of fields", "Compare each field, and join with &&"),
    "multi_select_dict": ("an object of fields", "Compare each field, and join with &&"),
    "literal": ("a path into a literal", "Name a field of the document"),
}


def against_null() -> BadExpectation:
    return BadExpectation(
        "a comparison with null proves nothing, since an error document lacks the field too",
        "Compare with the value that the field has when all is well",
    )


def cannot_judge(kind: str) -> BadExpectation:
    what, instead = _INSTEAD.get(
        kind, ("this", "Join comparisons and boolean fields with &&, || and !")
    )
    return BadExpectation(f"{what} ({kind}) has no proven true or false", instead)
