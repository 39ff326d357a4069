"""Expectations of served documents: proven, disproven, or not to be known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import jmespath
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from watchdog.core.words import Truth
from watchdog.wire.expectation import BadExpectation, check_expectation, judge

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN

STATUS = {
    "status": "operational",
    "peg": {"status": "ok", "collateralization": 1.0},
    "featureFlags": {"btc_mainnet_redemption": False, "staking_slashing": True},
    "diagnostics": {"totalChecks": 15, "passedChecks": 14},
    "validators": [{"name": "a", "active": True}, {"name": "b", "active": False}],
    "odd name": {"x-y": 3},
    "nothing": None,
}


@pytest.mark.parametrize(
    ("expect", "truth"),
    [
        ("featureFlags.btc_mainnet_redemption == `false`", TRUE),
        ("featureFlags.btc_mainnet_redemption == `true`", FALSE),
        ("`false` == featureFlags.btc_mainnet_redemption", TRUE),
        ("!(featureFlags.btc_mainnet_redemption)", TRUE),
        ("featureFlags.staking_slashing", TRUE),
        ("peg.status == 'ok'", TRUE),
        ("peg.status != 'ok'", FALSE),
        ("peg.collateralization >= `1`", TRUE),  # an integer and a float are both numbers
        ("peg.collateralization < `1`", FALSE),
        ("diagnostics.passedChecks < diagnostics.totalChecks", TRUE),
        ("diagnostics.passedChecks == diagnostics.totalChecks", FALSE),
        ("validators[0].active && !(validators[-1].active)", TRUE),
        ('"odd name"."x-y" == `3`', TRUE),
        ("peg.status == 'ok' && status == 'down'", FALSE),
        ("peg.status == 'ok' || status == 'down'", TRUE),
        ("!(peg.status == 'ok' || status == 'down')", FALSE),
    ],
)
def test_what_was_read_is_proven_or_disproven(expect: str, truth: Truth) -> None:
    assert judge(expect, STATUS).truth is truth


@pytest.mark.parametrize(
    "expect",
    [
        "featureFlags.gone == `false`",
        "featureFlags.gone != `true`",
        "!(featureFlags.gone)",
        "nothing == 'ok'",
        "nothing > `1`",
        "peg.ratio < `1`",
        "peg.status.deeper == 'ok'",  # a path through text
        "validators[2].active",
        "validators.active",  # a name inside a list
        "peg[0] == `1`",  # an index into an object
        "status == `1`",  # text against a number
        "status > `1`",
        "peg.collateralization == `true`",  # Python would take 1.0 for true
        "peg.collateralization == '1.0'",
        "status",  # not a boolean; JMESPath would take any text for true
        "diagnostics.totalChecks",
        "peg == 'ok'",  # an object
        "peg == peg",
        "status == diagnostics.totalChecks",
        "status < peg.status",  # text is not ordered
        "peg.status == 'ok' || featureFlags.gone",  # one unread field, and nothing is proven
        "status == 'down' && featureFlags.gone",
        "!(status == 'down' && featureFlags.gone)",
    ],
)
def test_what_was_not_read_is_unknown(expect: str) -> None:
    assert judge(expect, STATUS).truth is UNKNOWN


@pytest.mark.parametrize(
    "document", [{"error": "busy"}, {"enabled": None}, {}, [], "enabled", True, 3, None]
)
@pytest.mark.parametrize(
    "expect",
    [
        "enabled == `false`",
        "enabled != `true`",
        "!enabled",
        "enabled == `true`",
        "!(enabled == `true`)",
    ],
)
def test_a_document_of_another_kind_proves_nothing(document: object, expect: str) -> None:
    assert judge(expect, document).truth is UNKNOWN


def test_a_document_may_be_the_value_itself() -> None:
    assert judge("@ == 'paused'", "paused").truth is TRUE
    assert judge("@", False).truth is FALSE  # noqa: FBT003  # the document is this value
    assert judge("[0].enabled", [{"enabled": True}]).truth is TRUE


@pytest.mark.parametrize("value", [float("inf"), float("nan"), -float("inf")])
def test_a_number_that_is_none_proves_nothing(value: float) -> None:
    assert judge("ratio > `1`", {"ratio": value}).truth is UNKNOWN
    assert judge("ratio == ratio", {"ratio": value}).truth is UNKNOWN


# -- what is told ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expect", "document", "reason", "seen"),
    [
        (
            "enabled == `false`",
            {"enabled": True, "name": "x"},
            "enabled == false does not hold: enabled is true",
            "enabled: true",
        ),
        ("!enabled", {"enabled": False}, "enabled is false", "enabled: false"),
        (
            "flags.redemption",
            {"flags": {"other": 1}},
            "flags.redemption is missing or null",
            'flags: {"other": 1}',
        ),
        (
            "enabled == `false`",
            {"error": "busy"},
            "enabled is missing or null",
            '@: {"error": "busy"}',
        ),
        (
            "enabled == `false`",
            {"enabled": "no"},
            "enabled is text, not true or false",
            'enabled: "no"',
        ),
        (
            "a == b",
            {"a": 1, "b": "1"},
            "a is a number, b is text",
            'a: 1; b: "1"',
        ),
        # Only what decided is told: the true part does not matter to a false whole.
        (
            "a == `1` && b == `2`",
            {"a": 1, "b": 3},
            "b == 2 does not hold: b is 3",
            "b: 3",
        ),
    ],
)
def test_the_part_that_decided_is_told(
    expect: str, document: object, reason: str, seen: str
) -> None:
    judged = judge(expect, document)

    assert (judged.reason, judged.seen) == (reason, seen)


def test_what_was_seen_has_a_bound() -> None:
    judged = judge("enabled", {"error": "x" * 10_000})

    assert len(judged.seen) == 4000
    assert judged.seen.startswith('@: {"error": "xxx')


def test_half_a_character_in_a_document_can_still_be_recorded() -> None:
    judged = judge("name == 'x'", json.loads(r'{"name": "\ud83d"}'))

    assert judged.truth is FALSE
    judged.seen.encode()
    judged.reason.encode()


# -- what is refused when it is loaded -------------------------------------------------------------


@pytest.mark.parametrize(
    ("expect", "instead"),
    [
        ('status == "ok"', "Write 'ok' in single quotes"),
        ("status == `ok`", "Write text in single quotes"),
        ("enabled == false", "`false`, in backquotes"),
        ("true", "`true`, in backquotes"),
        ("`true`", "Compare a field with it"),
        ("enabled || `true`", "Compare a field with it"),
        ("`1` == `1`", "Put a field on one side"),
        ("x == `null`", "the value that the field has when all is well"),
        ("x != null", "the value that the field has when all is well"),
        ("x == `[1]`", "Compare single fields"),
        ("x == `{}`", "Compare single fields"),
        ("x < `1e999`", "Compare single fields"),
        ("x > 'a'", "Write a number in backquotes"),
        ("x >= `true`", "Write a number in backquotes"),
        ("length(a) > `1`", "without a function"),
        ("a | b", "a.b instead of a | b"),
        ("a[?b == `1`]", "Name one element"),
        ("a[*].b == `1`", "Name one element"),
        ("a[] == `1`", "Name one element"),
        ("a[0:2] == `1`", "Name one element"),
        ("a.* == `1`", "Name the field"),
        ("[a, b]", "Compare each field"),
        ("{a: b}", "Compare each field"),
        ("(a == b) == c", "join comparisons with && and ||"),
        ("(a || b).c", "Join comparisons and boolean fields"),
        ("&a", "Join comparisons and boolean fields"),
        ("", "Write for example"),
        ("enabled = `false`", "Write for example"),
        ("enabled ==", "Write for example"),
        ("!flags.redemption", "!(a.b)"),  # the parser reads (!flags).redemption
        ("(" * 900 + "a" + ")" * 900, "Split it"),
        ("!" * 100 + "a", "Split it"),
        ("!" * 1999 + "a", "Split it"),
        ("!" * 3000 + "a", "split it"),
    ],
)
def test_what_cannot_be_judged_is_refused_with_what_to_write(expect: str, instead: str) -> None:
    with pytest.raises(BadExpectation) as refused:
        check_expectation(expect)

    assert instead in refused.value.instead
    assert refused.value.message
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "expect",
    ['"a b" == `1`', '`1` == "a b".c', "a == b", "a.false == `true`", "@.a", "((((a))))"],
)
def test_what_can_be_judged_is_taken(expect: str) -> None:
    check_expectation(expect)


# -- any expectation, any document -----------------------------------------------------------------


@dataclass(frozen=True)
class Written:
    """A random expectation, and what it needs: the type of each field that it names."""

    text: str
    needs: tuple[tuple[str, type], ...]


FIELDS = ("a", "b", "c")
LITERALS: Mapping[type, st.SearchStrategy[object]] = {
    bool: st.booleans(),
    float: st.integers(-2, 2) | st.sampled_from([0.0, 0.5, 1.0]),
    str: st.sampled_from(["", "ok", "1", "true"]),
}


def literal(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else f"`{json.dumps(value)}`"


@st.composite
def comparisons(draw: st.DrawFn) -> Written:
    name = draw(st.sampled_from(FIELDS))
    kind = draw(st.sampled_from([bool, float, str]))
    if kind is bool and draw(st.booleans()):
        return Written(name, ((name, bool),))
    orders = ["==", "!=", "<", "<=", ">", ">="] if kind is float else ["==", "!="]
    op = draw(st.sampled_from(orders))
    value = literal(draw(LITERALS[kind]))
    sides = (name, value) if draw(st.booleans()) else (value, name)
    return Written(f"{sides[0]} {op} {sides[1]}", ((name, kind),))


def join(inner: st.SearchStrategy[Written]) -> st.SearchStrategy[Written]:
    return st.builds(
        lambda x, y, op: Written(f"({x.text}) {op} ({y.text})", x.needs + y.needs),
        inner,
        inner,
        st.sampled_from(["&&", "||"]),
    ) | st.builds(lambda x: Written(f"!({x.text})", x.needs), inner)


expectations = st.recursive(comparisons(), join, max_leaves=6)
values = st.none() | st.lists(st.integers(), max_size=1) | st.just({"a": 1})
documents = st.dictionaries(
    st.sampled_from(FIELDS), st.one_of(*LITERALS.values()) | values, max_size=3
)


def is_a(value: object, kind: type) -> bool:
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind)


@given(expectations, documents)
@example(Written("!(a)", (("a", bool),)), {})
@example(Written("a == `1`", (("a", float),)), {"a": True})
@example(Written("(a) || (b)", (("a", bool), ("b", bool))), {"a": True})
def test_where_every_field_was_read_jmespath_agrees_and_else_nothing_is_known(
    expectation: Written, document: dict[str, object]
) -> None:
    read = all(is_a(document.get(name), kind) for name, kind in expectation.needs)
    expected = Truth.of(jmespath.search(expectation.text, document)) if read else UNKNOWN

    judged = judge(expectation.text, document)

    assert judged.truth is expected
    assert judged.reason
    assert judged.seen


@given(st.text("abc01.[]()!&|<>=`'\"@*?:, ", max_size=12))
def test_any_text_is_either_taken_or_refused(text: str) -> None:
    try:
        check_expectation(text)
    except BadExpectation:
        return
    assert judge(text, {}).truth is UNKNOWN  # nothing is ever proven by an empty document
