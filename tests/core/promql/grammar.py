"""Expressions of the whole subset, made up for the traffic of traffic.py.

Prometheus 2.42 and 3 round differently here and there: 2.42 adds up plainly, 3 compensates. So
what is computed with rounding (`rough`) never stands where a last bit decides: before a
comparison, a `floor`, a `%`, or as what is divided by. What is `exact` may stand anywhere.
"""

from __future__ import annotations

from hypothesis import strategies as st

Text = st.SearchStrategy[str]


def join(*parts: Text | str) -> Text:
    texts = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*texts).map("".join)


def any_of(*texts: str) -> Text:
    return st.sampled_from(texts)


ranges = any_of("20s", "40s", "1m", "90s", "2m30s", "5m", "10m", "1h")
offsets = any_of("", "", "", " offset 30s", " offset 1m", " offset 5m")
numbers = any_of("0", "1", "2", "-3", "0.5", "1e3", "NaN", "Inf", "-Inf", "0x10")
shares = any_of("0", "0.25", "0.5", "0.9", "0.99", "1", "scalar(vector(2))", "scalar(nosuch)")

_of_counters = any_of(
    *("", "", "", '{code="200"}', '{code!="200"}', '{code=~"5.."}', '{code!~"5..|404"}'),
    *('{method=~"GET|POST"}', '{method=~".*T"}', '{rack=""}', '{rack!=""}', '{nosuch=~".*"}'),
    *('{code=~".+",method!="GET"}', '{code=~"(?i)2[0-9]{2}"}', '{code=~"0"}'),
)
_of_gauges = any_of(
    *("", "", "", '{zone="a"}', '{zone!="a"}', '{zone=~"[a-b]"}', '{zone!~"b|c"}', '{rack=""}'),
    *('{rack!=""}', '{rack=~"1?"}', '{rack!~".+"}', '{zone=~"a.*|d"}'),
)
counters = join(any_of("requests_total", "errors_total"), _of_counters)
gauges = join(any_of("temperature", "ceiling"), _of_gauges)
odd = any_of(
    *('{__name__=~"temp.*|ceiling"}', '{zone="a"}', '{code="200"}', "up", "nosuch"),
    *('{__name__!~"up|c.*",zone="d"}', "version_info", '{method="GET"}'),
)
buckets = any_of(
    *("wait_seconds_bucket", "size_bytes_bucket", "idle_seconds_bucket", "nosuch_bucket"),
    *('wait_seconds_bucket{method="GET"}', '{__name__=~"(wait|size)_.*"}'),
)
selected = st.one_of(counters, gauges, odd)
instants = join(selected, offsets)

# Functions of ranges whose results are exact, and those that divide. Of gauges no `rate`: where
# one begins somewhere in between after a gap, 2.42 extrapolates otherwise, see traffic.py.
_exact_ranges = join(
    any_of(
        *("min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time"),
        *("present_over_time", "resets", "changes"),
    ),
    join("(", selected, "[", ranges, "]", offsets, ")"),
)
rates = join(
    any_of("rate", "increase", "irate"),
    join("(", counters | any_of("up", '{code="200"}', "nosuch"), "[", ranges, "]", offsets, ")"),
)
_rough_ranges = st.one_of(
    rates,
    join(any_of("delta", "deriv", "avg_over_time"), "(", selected, "[", ranges, "]", offsets, ")"),
    join("quantile_over_time(", shares, ", ", selected, "[", ranges, "]", offsets, ")"),
)

_labels = any_of("code", "method", "zone", "rack", "version", "le", "nosuch")
_few = st.lists(_labels, max_size=2, unique=True).map(",".join)
_several = st.lists(_labels, min_size=1, max_size=3, unique=True).map(",".join)
grouping = st.one_of(
    st.just(" "),
    join(" by (", _few, ") "),
    join(" without (", _few, ") "),
    st.just(" by (__name__, zone) "),
)
_arithmetic = any_of("+", "-", "*", "/", "%", "^")
_comparison = any_of("==", "!=", ">", "<", ">=", "<=")
_sets = any_of("and", "or", "unless")
_by = st.one_of(
    *(st.just(""), join(" on (", _few, ")"), join(" ignoring (", _few, ")")),
    any_of(" on (code, method)", " on (zone, rack)", " on ()", " ignoring ()", " on (__name__)"),
)
_group = any_of("left", "right")
_grouped = st.one_of(
    join(any_of(" on (", " ignoring ("), _several, ") group_", _group, " ()"),
    join(" on (zone) group_", _group, any_of(" (version) ", " (version, nosuch) ", " (rack) ")),
)


def _in_parentheses(*parts: Text | str) -> Text:
    return join("(", join(*parts), ")")


def _paired(operator: Text, exact: Text) -> Text:
    """Two sides that do match, as people write them."""
    same = st.shared(grouping, key="grouping")
    return st.one_of(
        _in_parentheses("sum", same, "(errors_total) ", operator, " sum", same, "(requests_total)"),
        _in_parentheses("max", same, "(temperature) ", operator, " min", same, "(ceiling)"),
        _in_parentheses(counters, " ", operator, " ", counters),
        _in_parentheses("temperature ", operator, " on (zone) group_left (version) version_info"),
        _in_parentheses(
            any_of("sum by (code) (errors_total)", "count by (code) (requests_total)"),
            *(" ", operator, " on (code) group_right ", any_of("(le) ", "() "), counters),
        ),
        _in_parentheses(exact, " ", operator, _by | _grouped, " ", exact),
    )


def _wider_exact(inner: Text) -> Text:
    either_number = numbers | join("scalar(", inner, ")") | any_of("time()", "-time()")
    comparing = join(_comparison, any_of("", " bool"))
    reduce = any_of("sum", "min", "max", "count", "group")
    return st.one_of(
        _in_parentheses(inner, " ", _arithmetic, " ", numbers),
        _in_parentheses(numbers, " ", _arithmetic, " ", inner),
        _in_parentheses(inner, " ", comparing, " ", either_number),
        _in_parentheses(either_number, " ", comparing, " ", inner),
        _paired(_arithmetic, inner),
        _paired(comparing, inner),
        _in_parentheses(inner, " ", _sets, _by, " ", inner),
        join(reduce, grouping, "(", inner, ")"),
        join("quantile", grouping, "(", shares, ", ", inner, ")"),
        join(any_of("abs", "ceil", "floor", "round", "timestamp"), "(", inner, ")"),
        join(any_of("clamp_min(", "clamp_max(", "round("), inner, ", ", numbers, ")"),
        join("clamp(", inner, ", ", numbers, ", ", numbers, ")"),
        join("-", inner),
        join("absent(", inner, ")"),
        join("vector(scalar(", inner, "))"),
    )


def _wider_rough(inner: Text) -> Text:
    finite = any_of("1", "2", "-3", "0.5", "1e3")
    return st.one_of(
        _in_parentheses(inner, any_of(" * ", " / ", " + ", " - "), finite),
        _in_parentheses(inner, any_of(" + ", " - "), inner),
        _in_parentheses(inner, any_of(" > ", " <= bool "), "0.123456789"),
        _in_parentheses(inner, " ", _sets, _by, " ", inner | exact),
        join(any_of("sum", "min", "max", "avg", "count"), grouping, "(", inner, ")"),
        join("quantile", grouping, "(", shares, ", ", inner, ")"),
        join(any_of("abs(", "-", "absent(", "timestamp(").map(str), inner, ")").map(_closed),
    )


def _closed(text: str) -> str:
    """`-x)` has a parenthesis too many."""
    return text[:-1] if text.startswith("-") else text


_absences = join(
    "absent_over_time(", selected | any_of('nosuch{a="1",b=~"2"}'), "[", ranges, "]", offsets, ")"
)
_bucketed = any_of(" by (le, method) ", " by (le) ", " without (nosuch) ", " by (le, __name__) ")
_grown = join(any_of("rate", "delta", "changes", "max_over_time"), "(", buckets, "[", ranges, "])")
_ratios = st.one_of(
    join("sum", st.shared(grouping, key="r"), "(rate(errors_total[", ranges, "])) / ").flatmap(
        lambda left: join(left, "sum", st.shared(grouping, key="r"), "(requests_total)")
    ),
    join("histogram_quantile(", shares, ", rate(", buckets, "[", ranges, "]", offsets, "))"),
    join("histogram_quantile(", shares, ", sum by (le) (increase(", buckets, "[5m])))"),
    join("histogram_quantile(", shares, ", sum", _bucketed, "(", _grown, any_of(" * 2", ""), "))"),
    join("histogram_quantile(", shares, ", ", buckets, offsets, ")"),
    join("avg", grouping, "(", instants, ")"),
)
exact = st.recursive(
    st.one_of(instants, instants, _exact_ranges, _absences, any_of("vector(1)", "vector(time())")),
    _wider_exact,
    max_leaves=4,
)
rough = st.recursive(st.one_of(_rough_ranges, _rough_ranges, _ratios), _wider_rough, max_leaves=4)
scalars = st.one_of(
    *(numbers, st.just("time()"), join("scalar(", exact, ")")),
    join("(", numbers, " ", _arithmetic, " ", numbers, ")"),
    join("(", numbers, " ", _comparison, " bool ", numbers, ")"),
)
# `integers` and not `one_of`, which would pick among all that these are made of.
expressions = st.integers(0, 9).flatmap(
    lambda kind: scalars if kind == 0 else rough if kind <= 3 else exact
)
