"""What an alert's expression becomes, and what of it is only recognised with certainty."""

from __future__ import annotations

from typing import Any

import pytest

from tests.policy.importers.beside import as_policy
from watchdog.policy.importers.importing import Imported, import_texts
from watchdog.policy.importers.promql import tree_of, written

BAD = 'r_total{code=~"5.."}'


def alert(expr: str, **fields: str) -> Imported:
    lines = "".join(f"      {key}: {value}\n" for key, value in fields.items())
    block = expr.replace("\n", "\n        ")
    text = f"groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n        {block}\n"
    return import_texts({"f.yaml": text + lines.replace("      ", "    ", 1)})


def signal(expr: str) -> tuple[str, dict[str, Any]]:
    result = alert(expr)
    as_policy(result)  # whatever comes out, loads
    (draft,) = result.drafts
    return draft.signal


VALUES = {
    "sum(q) > 5": ("sum(q)", "> 5"),
    "5 < sum(q)": ("sum(q)", "> 5"),
    "sum(q) >= 5 * 60": ("sum(q)", ">= 300"),
    "sum(q) != 0": ("sum(q)", "!= 0"),
    "sum(q) > 1e3": ("sum(q)", "> 1000"),
    "sum(q) < -5": ("-(sum(q))", "> 5"),
    "sum(a) - sum(b) > -0.5": ("-(sum(a) - sum(b))", "< 0.5"),
    "(sum(q)) > 5": ("sum(q)", "> 5"),
    "q > 5": ("max(q)", "> 5"),
    "q <= 5": ("min(q)", "<= 5"),
    "sum by (job) (q) > 5": ("sum by (job) (q)", "> 5"),
    "q == 0": ("max(q == bool 0)", "== 1"),
    "q > 1 / 3": ("max(q > bool (1 / 3))", "== 1"),
    "q > 0.1 * 3": ("max(q > bool (0.1 * 3))", "== 1"),
    "q > on (job) group_left (x) w": ("max(q > bool on (job) group_left (x) w)", "== 1"),
    "sum(q) > sum(w) * 2": ("sum(q) > bool (sum(w) * 2)", "== 1"),
    "sum(q) > scalar(w)": ("sum(q) > bool scalar(w)", "== 1"),
    "time() - max(t) > 600": ("time() - max(t)", "> 600"),
    "(a or b) > 5": ("max(a or b)", "> 5"),
    "histogram_quantile(0.9, sum by (le) (rate(l[5m]))) > 1": (
        "histogram_quantile(0.9, sum by (le) (rate(l[5m])))",
        "> 1",
    ),
}


@pytest.mark.parametrize("expr", VALUES)
def test_a_comparison_is_a_value_and_a_bound(expr: str) -> None:
    value, bound = VALUES[expr]
    assert signal(expr) == ("threshold", {"expr": value, "breach_when": bound})


PRESENT = [
    "a > 5 and b == 0",
    "a unless b",
    "absent(a)",
    "absent(a) == 1",
    "absent_over_time(a[10m])",
    "a > 5 or b > 5",
    "count(up == 0) > 2",
    "(a unless b) > 5",
    "sum(a) / (sum(b) > 0) > 0.1",
    "a",
    "(a > 5) * 100",
    "a > 5 > 3",
]


@pytest.mark.parametrize("expr", PRESENT)
def test_what_may_vanish_in_health_is_judged_by_its_presence(expr: str) -> None:
    kind, fields = signal(expr)
    assert (kind, fields["breach_when"]) == ("threshold", "present")
    assert written(tree_of(fields["expr"])) == written(tree_of(expr))


@pytest.mark.parametrize("expr", ["vector(1)", "1 > bool 0", "time() > bool 5", "sum(a)"])
def test_an_alert_that_always_fires_is_dropped_and_told_of(expr: str) -> None:
    result = alert(expr)
    assert not result.drafts
    assert [note.field for note in result.report.notes] == ["alert A"]
    assert [e.what for e in result.errors] == ["nothing in it became a rule"]


RATIOS = {
    f"sum(rate({BAD}[5m])) / sum(rate(r_total[5m])) > 0.05": ("bad", BAD, "> 5%"),
    f"sum(increase({BAD}[5m])) / sum(increase(r_total[5m])) >= 0.001": ("bad", BAD, ">= 0.1%"),
    f"100 * (sum(rate({BAD}[5m])) / sum(rate(r_total[5m]))) > 5": ("bad", BAD, "> 5%"),
    f"sum(rate({BAD}[5m])) / sum(rate(r_total[5m])) * 100 > 2.5": ("bad", BAD, "> 2.5%"),
    f"100 * sum(rate({BAD}[5m])) / sum(rate(r_total[5m])) > 5": ("bad", BAD, "> 5%"),
    f"(sum(rate({BAD}[5m])) * 100) / sum(rate(r_total[5m])) > 5": ("bad", BAD, "> 5%"),
    f"(sum(rate({BAD}[5m])) or vector(0)) / sum(rate(r_total[5m])) > 0.05": ("bad", BAD, "> 5%"),
    "1 - sum(rate(ok_total[5m])) / sum(rate(r_total[5m])) > 0.05": ("good", "ok_total", "> 5%"),
    "1 - (sum(rate(ok_total[5m])) / sum(rate(r_total[5m]))) > 5 / 100": (
        "good",
        "ok_total",
        "> 5%",
    ),
    "sum(rate(ok_total[5m])) / sum(rate(r_total[5m])) < 0.99": ("good", "ok_total", "> 1%"),
    "(sum(rate(r_total[5m])) - sum(rate(ok_total[5m]))) / sum(rate(r_total[5m])) > 0.1": (
        "good",
        "ok_total",
        "> 10%",
    ),
}


@pytest.mark.parametrize("expr", RATIOS)
def test_a_share_of_counters_is_a_ratio_over_its_window(expr: str) -> None:
    word, events, bound = RATIOS[expr]
    kind, fields = signal(expr)
    assert kind == "threshold"
    assert fields == {word: events, "total": "r_total", "over": 300.0, "breach_when": bound}


NO_RATIOS = {
    "other windows": f"sum(rate({BAD}[5m])) / sum(rate(r_total[10m])) > 0.05",
    "other functions": f"sum(rate({BAD}[5m])) / sum(increase(r_total[5m])) > 0.05",
    "groups": f"sum by (job) (rate({BAD}[5m])) / sum by (job) (rate(r_total[5m])) > 0.05",
    "without sums": f"rate({BAD}[5m]) / rate(r_total[5m]) > 0.05",
    "an offset": f"sum(rate({BAD}[5m] offset 1h)) / sum(rate(r_total[5m] offset 1h)) > 0.05",
    "irate": f"sum(irate({BAD}[5m])) / sum(irate(r_total[5m])) > 0.05",
    "means": f"avg(rate({BAD}[5m])) / avg(rate(r_total[5m])) > 0.05",
    "the same twice": "sum(rate(r_total[5m])) / sum(rate(r_total[5m])) > 0.05",
    "a bound beyond": f"sum(rate({BAD}[5m])) / sum(rate(r_total[5m])) > 1.5",
    "too little of it": f"sum(rate({BAD}[5m])) / sum(rate(r_total[5m])) == 0.05",
    "half of it": f"0.5 * sum(rate({BAD}[5m])) / sum(rate(r_total[5m])) > 0.05",
    "two of them": f"sum(rate({BAD}[5m])) + sum(rate(x[5m])) / sum(rate(r_total[5m])) > 0.05",
}


@pytest.mark.parametrize("why", NO_RATIOS)
def test_what_is_no_such_share_stays_an_expression(why: str) -> None:
    kind, fields = signal(NO_RATIOS[why])
    assert kind == "threshold"
    assert "expr" in fields


def burning(window: str) -> str:
    return f"sum(rate({BAD}[{window}])) / sum(rate(r_total[{window}]))"


def pair(long: str, short: str, limit: str) -> str:
    return f"({burning(long)} > {limit} and {burning(short)} > {limit})"


WORKBOOK = f"{pair('1h', '5m', '(14.4 * 0.001)')} or {pair('6h', '30m', '(6 * 0.001)')}"


def shares(expr: str) -> list[str]:
    kind, fields = signal(expr)
    assert kind == "slo", fields
    assert (fields["bad"], fields["total"]) == (BAD, "r_total")
    return [str(one["budget"]) for one in fields["burn"]]


def test_the_workbooks_alert_is_an_slo() -> None:
    kind, fields = signal(WORKBOOK)
    assert kind == "slo"
    assert fields == {
        "objective": "99.9%",
        "period": 30 * 86_400.0,
        "bad": BAD,
        "total": "r_total",
        "burn": [
            {"budget": "2%", "long": 3600.0, "short": 300.0},
            {"budget": "5%", "long": 21_600.0, "short": 1800.0},
        ],
    }


def test_it_is_in_other_words_too() -> None:
    assert shares(pair("1h", "5m", "(14.4 * (1 - 0.999))")) == ["2%"]
    assert shares(pair("1h", "5m", "(1 - 0.999) * 14.4")) == ["2%"]
    assert shares(pair("1h", "5m", "13.44 * 0.001")) == ["2%"], "of 28 days"
    assert shares(pair("5m", "1h", "14.4 * 0.001")) == ["2%"], "the short window first"
    one = f"{burning('1h')} / 0.001 > 14.4 and {burning('5m')} / 0.001 > 14.4"
    assert shares(one) == ["2%"]


NO_SLOS = {
    "a bound that is one number": pair("1h", "5m", "0.0144"),
    "two budgets": f"{pair('1h', '5m', '(14.4 * 0.001)')} or {pair('6h', '30m', '(6 * 0.01)')}",
    "which is the budget?": pair("1h", "5m", "(0.5 * 0.1)"),
    "two factors": f"{burning('1h')} > 14.4 * 0.001 and {burning('5m')} > 6 * 0.001",
    "one window": pair("1h", "1h", "14.4 * 0.001"),
    "no round share": pair("1h", "5m", "13.7 * 0.001"),
    "not above": pair("1h", "5m", "14.4 * 0.001").replace(">", ">="),
    "it can never fire": pair("1h", "5m", "14.4 * 0.1"),
    "other counters": pair("1h", "5m", "14.4 * 0.001").replace("r_total[5m]", "x_total[5m]"),
    "something more": f"{pair('1h', '5m', '14.4 * 0.001')} or up == 0",
    "groups": pair("1h", "5m", "14.4 * 0.001").replace("sum(", "sum by (job) ("),
}


@pytest.mark.parametrize("why", NO_SLOS)
def test_what_only_looks_like_it_stays_an_expression(why: str) -> None:
    kind, fields = signal(NO_SLOS[why])
    assert (kind, fields["breach_when"]) == ("threshold", "present")


def test_a_rule_that_sloth_generated_is_recognised_through_its_recordings() -> None:
    text = "groups:\n- name: sli\n  rules:\n"
    for window in ("5m", "30m", "1h", "6h"):
        text += (
            f"  - record: slo:sli_error:ratio_rate{window}\n    expr: |\n"
            f"      (sum(rate({BAD}[{window}]))) / (sum(rate(r_total[{window}])))\n"
            f"    labels: {{sloth_id: shop-x, sloth_window: {window}}}\n"
        )
    sides = [
        f'(max(slo:sli_error:ratio_rate{short}{{sloth_id="shop-x"}} > ({factor} * 0.001)) '
        f'without (sloth_window) and max(slo:sli_error:ratio_rate{long}{{sloth_id="shop-x"}} '
        f"> ({factor} * 0.001)) without (sloth_window))"
        for long, short, factor in (("1h", "5m", "14.4"), ("6h", "30m", "6"))
    ]
    text += f"  - alert: Shop\n    expr: |\n      {' or '.join(sides)}\n"
    result = import_texts({"sloth.yaml": text})
    as_policy(result)
    (draft,) = result.drafts
    assert draft.signal[0] == "slo"
    assert draft.signal[1]["objective"] == "99.9%"


def test_up_is_liveness() -> None:
    assert signal('up{job="shop"} == 0') == ("liveness", {"up": 'up{job="shop"}'})
    assert signal('up{job="shop"} offset 1m == 0')[0] == "threshold"
    assert signal('up{job="shop"} == 1')[0] == "threshold"


@pytest.mark.parametrize(
    ("expr", "several"),
    [
        ("sum(q) > 5", False),
        ("q > 5", True),
        ("sum without (job) (q) > 5", True),
        ("max by (job) (sum(q)) > 5", False),
        ("topk(1, q) > 5", True),
        ("absent(q)", False),
        ("sum(a) > 5 and sum(b) > 5", False),
        ("sum(a) > 5 and b", False),
        ("a and on () sum(b) > 5", True),
        ("sum(a) / on () group_left () sum(b) > 5", True),
        ("label_replace(sum(a), 'x', 'y', '', '') > 5", False),
        ("rate(a[5m]) > 5", True),
        ("sum(a) or sum(b) > 5", False),
    ],
)
def test_several_series_are_told_of(expr: str, several: bool) -> None:  # noqa: FBT001  # a case
    notes = [note.what for note in alert(expr).report.notes]
    assert any("several series" in what for what in notes) is several


@pytest.mark.parametrize(
    ("expr", "each", "value"),
    [
        ("sum by (job) (q) > 5", ["job"], "sum by (job) (q)"),
        ("100 * max by (a, b) (q) >= 5", ["a", "b"], "100 * max by (a, b) (q)"),
        ("5 < sum by (job) (q)", ["job"], "sum by (job) (q)"),
        ("sum by (job) (q) == 5", ["job"], "sum by (job) (q)"),
        ("sum by (job) (a) / sum by (job) (b) > 5", ["job"], None),
        ("sum by (job) (a) > sum by (job) (b)", ["job"], None),
        ("sum by (job) (a) > 5 and sum by (job) (b) > 6", ["job"], None),
        ("round(sum by (job) (a)) > 5", ["job"], None),
        ("histogram_quantile(0.9, sum by (job, le) (rate(x_bucket[5m]))) > 5", ["job"], None),
        ("sum by (job) (a) / on (x) sum by (x) (b) > 5", None, None),
        ("sum by (a, b, c, d, e, f) (q) > 5", None, "max(sum by (a, b, c, d, e, f) (q))"),
        ("sum by () (q) > 5", None, "sum by () (q)"),
        ("q > 5", None, "max(q)"),
        ("sum(q) > 5", None, "sum(q)"),
    ],
)
def test_series_are_told_apart_where_the_expression_says_by_what(
    expr: str, each: list[str] | None, value: str | None
) -> None:
    result = alert(expr)
    (draft,) = result.drafts
    fields = draft.fields("prometheus")
    assert fields.get("each") == each
    assert fields.get("limit") == (100 if each else None)
    if value is not None:
        assert draft.signal[1]["expr"] == value
    assert not result.errors, "it loads as it was written"
    told = [note.what for note in result.report.notes]
    assert any(
        "is a rule of its own, as it was an alert of its own" in one for one in told
    ) is bool(each)


ROUND_TRIPS = [
    r'a{x=~"5\\d\"q", y!~"a|b", z!="é"}',
    "a{b=`x\\.y{{`}",
    "-a ^ 2",
    "-(a ^ 2)",
    "2 ^ 3 ^ 2",
    "rate(a[5m])[1h:] offset 5m @ start()",
    "a offset -5m + a @ 123.5",
    "topk by (x) (3, a)",
    "a > bool on (x) group_left (z) b",
    "a * ignoring (x) group_right () b",
    'count_values without (q) ("v", a)',
    "sum_over_time((a > 1)[10m:30s])",
    "a and on () b unless ignoring (q) c or d",
    'label_replace(a, "x", "$1", "y", "(.*)")',
    'sum by ("b.c", d) ({"a.b", c="d"})',
    "1e300 * a - -1",
    "quantile(0.9, a) # not this",
]


@pytest.mark.parametrize("text", ROUND_TRIPS)
def test_what_is_written_parses_to_what_was_read(text: str) -> None:
    once = tree_of(text)
    again = tree_of(written(once))
    assert again.prettify() == once.prettify()
    assert "{{" not in written(once), "our files take it for a variable"
    assert "\n" not in written(once)


def test_raw_strings_keep_their_backslashes() -> None:
    assert written(tree_of(r"a{b=~`\d+\.`}")) == r'a{b=~"\\d+\\."}'
