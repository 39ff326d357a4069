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
    field         names and indices: a.b, "odd name".b, a[0], a[-1], @;
                  in parentheses, of the one element that is meant: (a[?n == 'x'] | [0].b);
                  how many are meant: length(a[?n == 'x' && (m == 'y' || m == 'z')])
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
from watchdog.wire.choosing import Chosen, Condition, Counted, Same, Several
from watchdog.wire.kinds import SCALARS, Scalar, kind_of, shortened, written
from watchdog.wire.parts import (
    EQUALITIES,
    SIGNS,
    Comparison,
    Connective,
    Flag,
    Literal,
    Negation,
    Part,
    Path,
)
from watchdog.wire.unjudged import BadExpectation as BadExpectation  # noqa: PLC0414  # for callers
from watchdog.wire.unjudged import against_null, cannot_judge

_LONGEST = 2000  # characters of an expectation
_DEEPEST = 50  # so that judging never meets the interpreter's own limit


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
        what = str(error).partition("\n")[0].rstrip(":")  # behind it stands a picture of the place
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
        case "field" | "subexpression" | "index_expression" | "current" | "pipe":
            return Flag(_field(tree))
        case "literal":
            raise BadExpectation(
                f"{written(tree['value'])} says nothing about the document",
                "Compare a field with it: enabled == `false`",
            )
        case other:
            raise cannot_judge(other)


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
        case "function_expression" if tree["value"] == "length":
            return _counted(tree)
        case "field" | "subexpression" | "index_expression" | "current" | "pipe":
            return _field(tree)
        case "comparator" | "and_expression" | "or_expression" | "not_expression":
            raise BadExpectation(
                "a comparison cannot be compared",
                "Compare fields, and join comparisons with && and ||, in parentheses",
            )
        case other:
            raise cannot_judge(other)


def _literal(value: object) -> Literal:
    if isinstance(value, bool | int | float | str) and kind_of(value) in SCALARS:
        return Literal(value)
    if value is None:
        raise against_null()
    raise BadExpectation(
        f"{written(value)} is {kind_of(value)}",
        "Compare single fields with single values: names[0] == 'a' && names[1] == 'b'",
    )


def _field(tree: Mapping[str, Any]) -> Path:
    path = _path(tree)
    if path.keys == ("null",):
        raise against_null()
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
        case "pipe":
            return _chosen(tree)
        case "not_expression":
            # Python's parser reads !a.b as (!a).b, which is always null.
            raise BadExpectation(
                "! binds before the dot, so this is a path into a negation",
                "Put the path in parentheses: !(a.b)",
            )
        case other:
            raise cannot_judge(other)


def _chosen(tree: Mapping[str, Any]) -> Path:
    """A field of the one element of a list that is meant."""
    chosen, rest = tree["children"]
    if chosen["type"] != "filter_projection" or _kinds_in(rest) & {"comparator", "pipe"}:
        raise cannot_judge("pipe")
    keys = _path(rest).keys
    if keys[:1] != (0,):
        raise cannot_judge("pipe")
    path, condition = _filtered(chosen)
    return Path((*path.keys, Chosen(condition), *keys[1:]))


def _kinds_in(tree: Mapping[str, Any]) -> set[str]:
    return {tree["type"]}.union(*(_kinds_in(child) for child in tree["children"]))


def _counted(tree: Mapping[str, Any]) -> Path:
    (counted,) = tree["children"] if len(tree["children"]) == 1 else ({"type": ""},)
    if counted["type"] != "filter_projection":
        raise cannot_judge("function_expression")
    path, condition = _filtered(counted)
    return Path((*path.keys, Counted(condition)))


def _filtered(tree: Mapping[str, Any]) -> tuple[Path, Condition]:
    """The list, and which of its elements are meant."""
    of, after, condition = tree["children"]
    if after["type"] != "identity":
        raise cannot_judge("filter_projection")
    return _path(of), _condition(condition)


def _is_null(tree: Mapping[str, Any]) -> bool:
    return bool(tree["type"] == "literal" and tree["value"] is None)


def _condition(tree: Mapping[str, Any], depth: int = 0) -> Condition:
    if depth > _DEEPEST:
        raise BadExpectation("nested too deeply", "Split it into several checks")
    match tree["type"]:
        case "comparator" if tree["value"] == "eq":
            given = [child for child in tree["children"] if not _is_null(child)]
            sides = [_side(child) for child in given]
            fields = [side.keys for side in sides if isinstance(side, Path)]
            literals = (side.value for side in sides if isinstance(side, Literal))
            values: list[Scalar | None] = [*[None] * (2 - len(given)), *literals]
            plain = [key for keys in fields for key in keys if isinstance(key, str | int)]
            if len(values) == 1 and len(plain) == len(fields[0]):
                return Same(tuple(plain), values[0])
        case "and_expression" | "or_expression" as kind:
            both = kind == "and_expression"
            inner = [_condition(child, depth + 1) for child in tree["children"]]
            return Several(both, tuple(part for one in inner for part in one.split(all_of=both)))
    raise BadExpectation(
        "an element is chosen by what its fields are",
        "Write [?name == 'a'], with && and || where there are several",
    )
