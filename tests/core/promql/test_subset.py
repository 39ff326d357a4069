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
    "idelta(r[1m])": "the function `idelta`",
    "predict_linear(r[1m], 3600)": "the function `predict_linear`",
    "stddev_over_time(r[1m])": "the function `stddev_over_time`",
    "mad_over_time(r[1m])": "the function `mad_over_time`",
    "histogram_fraction(0, 1, r)": "the function `histogram_fraction`",
    'label_replace(r, "a", "$1", "b", "(.*)")': "the function `label_replace`",
    "sort(r)": "the function `sort`",
    "ln(r)": "the function `ln`",
    "hour()": "the function `hour`",
    "max_over_time(rate(r[1m])[5m:1m])": "a subquery",
    "absent_over_time(r[5m:1m])": "a subquery",
    "quantile_over_time(0.5, r[5m:1m])": "a subquery",
    "rate(r[5m:1m])": "a subquery",
    "r[5m:1m]": "a subquery",
    "r @ 1700000000": "the modifier `@`",
    "r @ end()": "the modifier `@`",
    "topk(3, r)": "the aggregation `topk`",
    "stddev(r)": "the aggregation `stddev`",
    'count_values("v", r)': "the aggregation `count_values`",
    "r atan2 r": "the operator `atan2`",
    "r + fill (0) r": "the modifier `fill`",
    'r{a="b" or c="d"}': "`or` between label matchers",
    "sum(1 - ln(r > 1))": "the function `ln`",
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
    ("expression", "construct", "instead"),
    [
        ("r[5m]", "a range without a function around it", "rate(r[5m])"),
        ("(r[5m])", "a range without a function around it", "rate(r[5m])"),
        ('"text"', "a text as the value", "select a metric"),
        ("r offset -5m", "a negative `offset`", "has not happened yet"),
    ],
)
def test_what_no_prometheus_could_answer_either_is_not_sent_to_one(
    expression: str, construct: str, instead: str
) -> None:
    with pytest.raises(Unsupported) as refused:
        check(expression)
    assert refused.value.construct == construct
    assert instead in str(refused.value)
    assert "source: prometheus" not in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "says", "instead"),
    [
        ("time() > 5", "two numbers are compared", "`bool`"),
        (
            "rate(r)",
            "`rate` takes a range of samples and is given an instant vector",
            "rate(x[5m])",
        ),
        ("rate(5)", "is given a number", "rate(x[5m])"),
        ("abs(r[5m])", "`abs` takes an instant vector and is given a range", "leave the brackets"),
        ("sum(r[5m])", "an aggregation takes an instant vector", "sum(max_over_time(x[5m]))"),
        ("sum(1)", "is given a number", "vector(...)"),
        ("clamp_max(r, s)", "`clamp_max` takes a number", "scalar(...)"),
        ("quantile(r, s)", "an aggregation takes a number", "scalar(...)"),
        ("r or 0", "`or` stands between vectors", "vector(...)"),
        ("r[5m] / 2", "one side is a range", "rate(x[5m])"),
        ("-r[5m]", "before a range", "-delta(x[5m])"),
        ("r * on (a) 2", "one side is a number", "leave them out"),
        ("clamp(r, 1)", "`clamp` takes 3 and is given 2", "count what stands between"),
        ("quantile(95, r)", "quantile of 95", "0.95"),
        ("histogram_quantile(-(-99), r)", "histogram_quantile of 99", "0.95"),
        ("quantile_over_time((-0.5), r[5m])", "quantile_over_time of -0.5", "0.95"),
    ],
)
def test_types_are_checked_before_anything_runs(expression: str, says: str, instead: str) -> None:
    with pytest.raises(ParseFault) as fault:
        check(expression)
    assert says in str(fault.value)
    assert instead in str(fault.value)


def test_nesting_has_an_end() -> None:
    check("abs(" * 100 + "r" + ")" * 100)
    with pytest.raises(ParseFault):
        check("abs(" * 400 + "r" + ")" * 400)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "there is nothing in it"),
        ("a b", "two things stand side by side"),
        ("rate(r[5m", "a `[` is not closed"),
        ('r{a="x', 'a quote " is opened and not closed'),
        ("r{a=x}", "the value x of a label has no quotes"),
        ("sum(r))", "a `)` closes nothing"),
        ("rate(r[5x])", "5x is no number and no duration"),
        ("sum(r", "r"),
        ("r{", "a `{` is not closed"),
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
