"""One element of a list by what it says of itself: the one that is meant, or nothing is known."""

from __future__ import annotations

import json

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.words import Truth
from watchdog.wire.expectation import BadExpectation, check_expectation, judge

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.UNKNOWN

FLAGS = {
    "flags": [
        {"name": "checkout-v2", "on": True, "where": {"env": "production"}},
        {"name": "checkout", "on": False, "where": {"env": "production"}},
        {"name": "twice", "on": True},
        {"name": "twice", "on": False},
        "no object",
        {"on": True},
        {"name": 1, "on": True},
    ],
    "names": ["a", "b"],
    "count": 2,
}


@pytest.mark.parametrize(
    ("expect", "truth"),
    [
        ("(flags[?name == 'checkout'] | [0].on) == `false`", TRUE),
        ("(flags[?name == 'checkout-v2'] | [0].on)", TRUE),
        ("!(flags[?name == 'checkout-v2'] | [0].on)", FALSE),
        ("(flags[?name == 'checkout'] | [0]).on == `false`", TRUE),
        ("(flags[?'checkout' == name] | [0].where.env) == 'production'", TRUE),
        ("(flags[?where.env == 'production' && on == `true`] | [0].name) == 'checkout-v2'", TRUE),
        ("(flags[?name == `1`] | [0].on)", TRUE),
        ("(names[?@ == 'b'] | [0]) == 'b'", TRUE),
        ("length(names[?@ == 'b' || @ == 'c']) == `1`", TRUE),
        ("length(flags[?name == 'checkout' || (name == 'twice' && on == `true`)]) == `2`", TRUE),
        ("length(flags[?on == `true` && where == `null`]) == `3`", TRUE),
        ("length(flags[?name == 'gone']) == `0`", TRUE),  # counted, and there is none
        ("length(flags[?name == 'gone']) >= `1`", FALSE),
    ],
)
def test_the_one_that_is_meant_is_judged(expect: str, truth: Truth) -> None:
    assert judge(expect, FLAGS).truth is truth
    assert bool(jmespath.search(expect, FLAGS)) is (truth is TRUE)


@pytest.mark.parametrize(
    ("expect", "reason"),
    [
        (
            "(flags[?name == 'gone'] | [0].on) == `false`",
            "none of the 7 elements of flags have name == 'gone'",
        ),
        (
            "(flags[?name == 'twice'] | [0].on) == `true`",
            "2 elements of flags have name == 'twice'",
        ),
        (
            "(flags[?name == 'checkout'] | [0].gone) == `false`",
            "flags[?name == 'checkout'] | [0].gone is missing or null",
        ),
        ("(gone[?name == 'checkout'] | [0].on) == `false`", "gone is missing or null"),
        ("(count[?name == 'checkout'] | [0].on) == `false`", "count is no list"),
        ("length(gone[?name == 'checkout']) == `0`", "gone is missing or null"),
        ("length(count[?name == 'checkout']) == `0`", "count is no list"),
        (
            "(flags[?name == '1'] | [0].on)",  # a number is no text
            "none of the 7 elements of flags have name == '1'",
        ),
    ],
)
def test_where_it_is_not_clear_which_is_meant_nothing_is_known(expect: str, reason: str) -> None:
    judged = judge(expect, FLAGS)

    assert (judged.truth, judged.reason) == (UNKNOWN, reason)


def test_a_count_that_is_another_is_told_once() -> None:
    judged = judge("length(flags[?name == 'a' || (name == 'b' || on == `1`)]) >= `1`", FLAGS)

    counted = "length(flags[?name == 'a' || name == 'b' || on == 1])"
    assert judged.reason == f"{counted} >= 1 does not hold: there are 0"
    assert judged.seen == f"{counted}: 0"


def test_an_empty_list_is_called_so() -> None:
    expected = "flags is empty: nothing has name == 'a'"
    assert judge("(flags[?name == 'a'] | [0].on)", {"flags": []}).reason == expected


@pytest.mark.parametrize(
    ("expect", "instead"),
    [
        ("flags[?name == 'x'] | [0].on == `true`", "(a[?name == 'x'] | [0].b)"),  # binds last
        ("(flags[?name == 'x'].on | [0]) == `true`", "(a[?name == 'x'] | [0].b)"),
        ("(flags[?name == 'x'] | [1].on)", "(a[?name == 'x'] | [0].b)"),
        ("(flags[?name == 'x'] | on)", "(a[?name == 'x'] | [0].b)"),
        ("flags[?name == 'x'].on", "or choose it"),
        ("(flags[?name != 'x'] | [0].on)", "[?name == 'a']"),
        ("(flags[?!(name == 'x')] | [0].on)", "[?name == 'a']"),
        ("(flags[?on] | [0].on)", "[?name == 'a']"),
        ("(flags[?name == other] | [0].on)", "[?name == 'a']"),
        ("(flags[?`null` == `null`] | [0].on)", "[?name == 'a']"),
        ("(flags[?'a' == `null`] | [0].on)", "[?name == 'a']"),
        ("(flags[?name != `null`] | [0].on)", "[?name == 'a']"),
        ('(flags[?name == "x"] | [0].on)', "in single quotes"),
        ("length(flags) > `1`", "may be counted"),
        ("length(flags[?name == 'x'], flags) > `1`", "may be counted"),
        ("length(flags[?name == 'x'])", "may be counted"),
        ("keys(flags[?name == 'x']) == `1`", "without a function"),
    ],
)
def test_what_does_not_choose_clearly_is_refused(expect: str, instead: str) -> None:
    with pytest.raises(BadExpectation) as refused:
        check_expectation(expect)

    assert instead in refused.value.instead


_VALUES = st.sampled_from(["a", "b", True, False, 0, 1, None])
_ELEMENTS = st.dictionaries(st.sampled_from(["n", "m"]), _VALUES, max_size=2)


@given(st.lists(_ELEMENTS | st.none(), max_size=5), st.sampled_from(["a", "b", True, 1]))
def test_a_count_is_jmespaths_count(elements: list[object], wanted: object) -> None:
    literal = f"'{wanted}'" if isinstance(wanted, str) else f"`{json.dumps(wanted)}`"
    meant = [e for e in elements if isinstance(e, dict) and _same(e.get("n"), wanted)]

    expect = f"length(l[?n == {literal}]) == `{len(meant)}`"

    assert judge(expect, {"l": elements}).truth is TRUE
    one = judge(f"(l[?n == {literal}] | [0].n) == {literal}", {"l": elements})
    assert one.truth is (TRUE if len(meant) == 1 else UNKNOWN)


def _same(value: object, wanted: object) -> bool:
    return value == wanted and isinstance(value, bool) is isinstance(wanted, bool)
