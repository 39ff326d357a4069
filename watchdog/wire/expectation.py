"""Hold a JMESPath expectation against a JSON document: true, false or unknown.

The law: an answer is TRUE or FALSE only if every field that the expectation names was there and
was of the type it is compared with. One field missing, null, or of another type, anywhere in
the expectation, and the whole is UNKNOWN, since a document that lacks a field is not the
document that was meant. (These are Kleene's weak connectives: UNKNOWN wins over TRUE and FALSE.)

JMESPath's own answers are not used, because they decide where nothing was seen: on the error
document `{"error": "busy"}` it says that "enabled == `false`" is false, "enabled != `true`" is
true and "!enabled" is true. Its parser is used, and of its language what can be judged:

    expectation   comparison | boolean field | !(x) | x && y | x || y | (x)
    comparison    == != of two scalars of one type, < <= > >= of two numbers;
                  at least one side is a field
    field         names and indices: a.b, "odd name".b, a[0], a[-1], @
    literal       `true`  `false`  `3.5`  'text'

Everything else is refused when the policy is loaded, with what to write instead.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.lexer import Lexer

from watchdog.core.words import Truth
from watchdog.wire.parts import (
    EQUALITIES,
    SCALARS,
    SIGNS,
    Comparison,
    Connective,
    Flag,
    Literal,
    Negation,
    Part,
    Path,
    kind_of,
    shortened,
    written,
)

_LONGEST = 2000  # characters of an expectation
_DEEPEST = 50  # so that judging never meets the interpreter's own limit


class BadExpectation(ValueError):
    """An expectation that cannot be judged. `message` says what is wrong, `instead` what to do."""

    def __init__(self, message: str, instead: str) -> None:
        super().__init__(f"{message}. {instead}")
        self.message = message
        self.instead = instead


@dataclass(frozen=True, slots=True)
class Judged:
    truth: Truth
    reason: str
    seen: str  # the fields that decided, and their values


def check_expectation(expr: str) -> None:
    """Raise BadExpectation unless `expr` can be held against a document."""
    _compiled(expr)


def judge(expr: str, document: object) -> Judged:
    """Hold `expr` against a parsed JSON document. Raises BadExpectation, as when loading."""
    outcome = _compiled(expr).judge(document)
    truth = Truth.UNKNOWN if outcome.holds is None else Truth.of(outcome.holds)
    return Judged(truth, "; ".join(outcome.because), shortened("; ".join(outcome.seen)))


@functools.lru_cache(maxsize=1024)
def _compiled(expr: str) -> Part:
    if len(expr) > _LONGEST:
        raise BadExpectation(
            f"an expectation of {len(expr)} characters is too long",
            f"Keep it below {_LONGEST}, or split it into several checks",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a bare word in backquotes only warns
            tree = jmespath.compile(expr).parsed
            _refuse_quoted_fields(expr)
    except PendingDeprecationWarning:
        raise BadExpectation(
            "backquotes hold JSON, and a bare word is none",
            "Write text in single quotes, like 'ok', and `true`, `false` and numbers in backquotes",
        ) from None
    except JMESPathError as error:
        what = str(error).partition("\n")[0]
        raise BadExpectation(
            f"not JMESPath: {what}", "Write for example: status == 'ok' && enabled == `false`"
        ) from None
    except RecursionError:
        raise BadExpectation("nested too deeply", "Split it into several checks") from None
    return _node(tree)


def _refuse_quoted_fields(expr: str) -> None:
    """Refuse a quoted name right after a comparison, with nothing more of a path after it.

    In JMESPath double quotes name a field: status == "ok" compares two fields, for ever unknown.
    """
    tokens = [*Lexer().tokenize(expr)]
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (
            before["type"] in SIGNS
            and token["type"] == "quoted_identifier"
            and after["type"] not in {"dot", "lbracket"}
        ):
            raise BadExpectation(
                f'double quotes name a field, so "{token["value"]}" is not text',
                f"Write '{token['value']}' in single quotes",
            )


def _node(tree: Mapping[str, Any], depth: int = 0) -> Part:
    if depth > _DEEPEST:
        raise BadExpectation("nested too deeply", "Split it into several checks")
    match tree["type"]:
        case "comparator":
            return _comparison(tree)
        case "and_expression" | "or_expression" as kind:
            parts = tuple(_node(child, depth + 1) for child in tree["children"])
            return Connective(kind == "and_expression", parts)
        case "not_expression":
            return Negation(_node(tree["children"][0], depth + 1))
        case "field" | "subexpression" | "index_expression" | "current":
            return Flag(_field(tree))
        case "literal":
            raise BadExpectation(
                f"{written(tree['value'])} says nothing about the document",
                "Compare a field with it: enabled == `false`",
            )
        case other:
            raise _cannot_judge(other)


def _comparison(tree: Mapping[str, Any]) -> Comparison:
    left, right = (_side(child) for child in tree["children"])
    op = str(tree["value"])
    if isinstance(left, Literal) and isinstance(right, Literal):
        raise BadExpectation(
            f"{left.text} {SIGNS[op]} {right.text} says nothing about the document",
            "Put a field on one side: enabled == `false`",
        )
    for side in (left, right):
        if op not in EQUALITIES and isinstance(side, Literal) and kind_of(side.value) != "a number":
            raise BadExpectation(
                f"{SIGNS[op]} orders numbers only, and {side.text} is {kind_of(side.value)}",
                "Write a number in backquotes, like `3.5`, or compare with == or !=",
            )
    return Comparison(op, left, right)


def _side(tree: Mapping[str, Any]) -> Path | Literal:
    match tree["type"]:
        case "literal":
            return _literal(tree["value"])
        case "field" | "subexpression" | "index_expression" | "current":
            return _field(tree)
        case "comparator" | "and_expression" | "or_expression" | "not_expression":
            raise BadExpectation(
                "a comparison cannot be compared",
                "Compare fields, and join comparisons with && and ||, in parentheses",
            )
        case other:
            raise _cannot_judge(other)


def _literal(value: object) -> Literal:
    if isinstance(value, bool | int | float | str) and kind_of(value) in SCALARS:
        return Literal(value)
    if value is None:
        raise _against_null()
    raise BadExpectation(
        f"{written(value)} is {kind_of(value)}",
        "Compare single fields with single values: names[0] == 'a' && names[1] == 'b'",
    )


def _field(tree: Mapping[str, Any]) -> Path:
    path = _path(tree)
    if path.keys == ("null",):
        raise _against_null()
    if path.keys in {("true",), ("false",)}:
        raise BadExpectation(
            f"{path.text} without backquotes names a field",
            f"Compare a field with `{path.text}`, in backquotes",
        )
    return path


def _path(tree: Mapping[str, Any]) -> Path:
    match tree["type"]:
        case "field" | "index":
            return Path((tree["value"],))
        case "current" | "identity":
            return Path(())
        case "subexpression" | "index_expression":
            return Path(tuple(key for child in tree["children"] for key in _path(child).keys))
        case "not_expression":
            # Python's parser reads !a.b as (!a).b, which is always null.
            raise BadExpectation(
                "! binds before the dot, so this is a path into a negation",
                "Put the path in parentheses: !(a.b)",
            )
        case other:
            raise _cannot_judge(other)


_INSTEAD = {
    "function_expression": ("a function", "Name the field itself, without a function"),
    "pipe": ("a pipe", "Write the path in full: a.b instead of a | b"),
    "filter_projection": ("a filter", "Name one element: a[0].b"),
    "slice": ("a slice", "Name one element: a[0]"),
    "flatten": ("a flattened list", "Name one element: a[0]"),
    "projection": ("a list of many values", "Name one element: a[0]"),
    "value_projection": ("a wildcard", "Name the field"),
    "multi_select_list": ("a list of fields", "Compare each field, and join with &&"),
    "multi_select_dict": ("an object of fields", "Compare each field, and join with &&"),
    "literal": ("a path into a literal", "Name a field of the document"),
}


def _against_null() -> BadExpectation:
    return BadExpectation(
        "a comparison with null proves nothing, since an error document lacks the field too",
        "Compare with the value that the field has when all is well",
    )


def _cannot_judge(kind: str) -> BadExpectation:
    what, instead = _INSTEAD.get(
        kind, ("this", "Join comparisons and boolean fields with &&, || and !")
    )
    return BadExpectation(f"{what} ({kind}) has no proven true or false", instead)
