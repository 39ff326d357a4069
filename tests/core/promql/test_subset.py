"""What is not evaluated here is refused by name, when the rule is loaded and not at night."""

from __future__ import annotations

import pytest

from watchdog.core.promql import (
    ParseFault,
    Refused,
    Selector,
    Unsupported,
    check,
    evaluate,
    outline,
)
from watchdog.core.series import SeriesStore

REFUSED = {
    "irate(r[1m])": "the function `irate`",
    "avg_over_time(r[1m])": "the function `avg_over_time`",
    "histogram_quantile(0.9, r)": "the function `histogram_quantile`",
    "absent(r)": "the function `absent`",
    "abs(r)": "the function `abs`",
    "time()": "the function `time`",
    "vector(1)": "the function `vector`",
    "max_over_time(rate(r[1m])[5m:1m])": "the function `max_over_time`",
    "rate(r[5m:1m])": "a subquery",
    "r[5m]": "a range without a function around it",
    '"text"': "a text as the value",
    "r offset 5m": "the modifier `offset`",
    "rate(r[1m] offset 5m)": "the modifier `offset`",
    "r @ 1700000000": "the modifier `@`",
    "r @ end()": "the modifier `@`",
    "topk(3, r)": "the aggregation `topk`",
    "quantile(0.9, r)": "the aggregation `quantile`",
    "stddev(r)": "the aggregation `stddev`",
    "group(r)": "the aggregation `group`",
    'count_values("v", r)': "the aggregation `count_values`",
    "r == 1": "the operator `==`",
    "r != 1": "the operator `!=`",
    "r > 1": "the operator `>`",
    "r < 1": "the operator `<`",
    "r >= 1": "the operator `>=`",
    "r <= bool 1": "the operator `<=`",
    "r and r": "the operator `and`",
    "r or r": "the operator `or`",
    "r unless r": "the operator `unless`",
    "r atan2 r": "the operator `atan2`",
    "r + on (a) r": "the modifier `on`",
    "r + ignoring (a) r": "the modifier `ignoring`",
    "r * on (a) group_left r": "the modifier `group_left`",
    "r * on (a) group_right (b) r": "the modifier `group_right`",
    "r + fill (0) r": "the modifier `fill`",
    'r{a="b" or c="d"}': "`or` between label matchers",
    "sum(1 - (r > 1))": "the operator `>`",
    r'r{a=~"\\bword"}': r"the regular expression construct \b",
    r'r{a=~"\\pL"}': r"the regular expression construct \p",
    'r{a=~"(?m)x"}': "the regular expression construct (?m",
}


@pytest.mark.parametrize(("expression", "construct"), REFUSED.items())
def test_what_lies_outside_the_subset_is_refused_by_name(expression: str, construct: str) -> None:
    with pytest.raises(Unsupported) as refused:
        check(expression)
    assert refused.value.construct == construct
    assert construct in str(refused.value)
    assert "source: prometheus" in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "no expression"),
        ("sum(r", "r"),
        ("r{", "braces"),
        ("rate(r)", "matrix"),
        ("sum(1)", "vector"),
        ("nosuch(r)", "nosuch"),
        ("{}", "non-empty matcher"),
        ('r{a=~"("}', "("),
        ('r{a=~"x**"}', "one repetition directly after another"),
        ('r{a=~"a{3,2}"}', ""),
        ("1 + " * 3000 + "1", "longer than 8192"),
        ("(" * 3000 + "1" + ")" * 3000, "more than 250 operators"),
        ("1^" * 3000 + "1", "more than 250 operators"),
        (" and ".join(["r"] * 300), "more than 250 operators"),
    ],
)
def test_what_is_no_promql_is_a_parse_fault(expression: str, says: str) -> None:
    with pytest.raises(ParseFault) as fault:
        check(expression)
    assert says in str(fault.value)


def test_a_pattern_that_explodes_is_refused() -> None:
    with pytest.raises(Refused):
        check('r{a=~"(((a{100}){100}){100})"}')


@pytest.mark.parametrize("chain", ["1^", "1 + ", "-", "1 - r * "])
def test_a_long_chain_of_operators_is_evaluated(chain: str) -> None:
    text = chain * (240 // sum(chain.count(sign) for sign in "^+-*")) + "1"
    answer = evaluate(check(text), SeriesStore(1, 0), 0.0)
    assert answer.failure is None


def test_operators_within_quotes_are_none() -> None:
    pattern = "-".join(["x"] * 300)
    assert check(f'r{{a=~"{pattern}",b="\\"(("}}').selectors


def test_an_expression_tells_what_it_wants() -> None:
    expression = check(
        'sum(rate(bad_total{code=~"5..",a!="\\"x\\""}[10m])) / sum(rate(all_total[5m]))'
    )
    assert expression.names == ("all_total", "bad_total")
    assert expression.selectors == ('bad_total{code=~"5..",a!="\\"x\\""}', "all_total")
    assert expression.range_seconds == 600 + 300
    assert not expression.filters


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("1 + 1", ()),
        ("r / r", ("r",)),
        ('{__name__="r",a="b"}', ("r",)),
        ('{"with.dots"}', ("with.dots",)),
        ('{a="b"}', None),
        ('r + {__name__=~"r.*"}', None),
    ],
)
def test_names_are_none_where_a_selector_has_no_exact_name(
    expression: str, names: tuple[str, ...] | None
) -> None:
    assert check(expression).names == names


@pytest.mark.parametrize(
    "text",
    ["r", 'r{a="b"}', 'r{a=~"b.*",c!="d"}', '{a="b"}', '{__name__="with.dots",a="ü\\n\\\\"}'],
)
def test_a_selectors_text_is_the_selector_again(text: str) -> None:
    assert Selector.parse(text).text == text
    assert Selector.parse(Selector.parse(text).text) == Selector.parse(text)


@pytest.mark.parametrize("text", ["rate(r[5m])", "r + r", "r[5m]", "r offset 1m", "1"])
def test_only_a_plain_selector_is_a_selector(text: str) -> None:
    with pytest.raises(Unsupported):
        Selector.parse(text)


@pytest.mark.parametrize(
    ("expression", "filters"),
    [
        ("r > 5", True),
        ("((r)) == r", True),
        ("(r != 0)", True),
        ("-(r > 5)", True),
        ("r > 5 or s > 5", True),
        ("r and s < 1", True),
        ("r > bool 5", False),
        ("sum(r > 5)", False),
        ("r", False),
        ("r or vector(0)", False),
        ("1 > bool 0", False),
    ],
)
def test_a_result_that_is_filtered_is_told_apart(expression: str, *, filters: bool) -> None:
    assert outline(expression).filters is filters


def test_an_outline_is_also_drawn_of_what_is_not_evaluated_here() -> None:
    drawn = outline('max_over_time(rate(r{a="b"}[5m] offset 1h)[30m:1m] offset 2h) or topk(3, s)')
    assert drawn.names == ("r", "s")
    assert drawn.selectors == ('r{a="b"}', "s")
    assert drawn.range_seconds == 5 * 60 + 3600 + 30 * 60 + 2 * 3600 + 300
