"""Which names an expression wants, and which selectors look at which time."""

import pytest

from watchdog.sources.selectors import names_in, parsed


@pytest.mark.parametrize(
    ("expression", "texts"),
    [
        ("x", ["x{}"]),
        ('rate(x{a="b\\"c\\\\d",e!~"f|g"}[5m])', ['x{a="b\\"c\\\\d",e!~"f|g"}']),
        ('topk(scalar(k), -x{a="1"})', ['x{a="1"}', "k{}"]),
        ("x / x + (x)", ["x{}"]),
        ('{__name__="x",a=~"5\\\\..",b!="\\n"}', ['{__name__="x",a=~"5\\\\..",b!="\\n"}']),
        ("vector(1)", []),
    ],
)
def test_selectors_keep_their_matchers_and_lose_their_time(
    expression: str, texts: list[str]
) -> None:
    assert [selector.text for selector in parsed(expression).selectors] == texts


@pytest.mark.parametrize(
    ("expression", "looks_at"),
    [
        ("x", 1000),
        ("x offset 5m", 700),
        ("x offset -5m", 1300),
        ("x @ 400", 400),
        ("x @ 400 offset 1m", 340),
        ("x @ end() offset 1m", 940),
        ("max_over_time(x[1h:1m] offset 2m)", 880),
        ("max_over_time(rate(x[1m] offset 1m)[1h:1m] @ 500 offset 2m)", 320),
        ("max_over_time((x @ 400)[1h:1m] offset 2m)", 400),
    ],
)
def test_each_selector_knows_the_time_it_looks_at(expression: str, looks_at: float) -> None:
    (selector,) = parsed(expression).selectors
    assert selector.looks_at(1000) == looks_at
    assert parsed(expression).plain == (expression == "x")


def test_wanted_names_are_exact_or_everything() -> None:
    exact = names_in(['sum(x_bucket{le="1"}) / y', '{__name__="z"}'])
    assert exact == frozenset({"x_bucket", "y", "z"})
    assert names_in(["x", '{__name__=~"y.*"}']) is None
    assert names_in([]) == frozenset()
