"""What an expression can give at all, whatever is measured: bounds that no value meets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.policy.lint_examples import RULES, well
from watchdog.policy.check import check
from watchdog.policy.lint.finding import Finding


def found(folder: Path, expr: str, breach_when: str) -> list[Finding]:
    written = f"{{expr: '{expr}', breach_when: {breach_when!r}}}"
    for path, text in well().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace('{expr: max(busy), breach_when: "> 90%"}', written))
    assert written not in RULES
    report = check(folder)
    assert report.errors == (), report.text()
    return list(report.findings)


@pytest.mark.parametrize(
    ("expr", "breach_when", "says"),
    [
        ("clamp_max(max(busy), 1)", "> 5", "is never above 1, so > 5 is never true"),
        ("clamp(max(busy), 0, 1) * 100", "< 0", "is never below 0, so < 0 is never true"),
        ("100 * (max(busy) > bool 2)", ">= 101", "is never above 100, so >= 101 is never true"),
        ("count(busy)", "< 1", "is never below 1, so < 1 is never true"),
        ("count(busy)", "== 0", "is never below 1, so == 0 is never true"),
        ("sum(rate(busy[5m]))", ">= 0", "is never below 0, so >= 0 is true of every value"),
        ("min(up)", "> 1", "is never above 1, so > 1 is never true"),
        ("1 - max(up)", "> 1", "is never above 1, so > 1 is never true"),
        ("group(busy)", "> 0", "is always 1, so > 0 is true of every value"),
    ],
)
def test_a_bound_that_nothing_or_everything_meets_is_an_error(
    tmp_path: Path, expr: str, breach_when: str, says: str
) -> None:
    (finding,) = found(tmp_path, expr, breach_when)
    assert finding.id == "bound-out-of-reach"
    assert finding.problem.what == f"the expression {says}"


@pytest.mark.parametrize(
    ("expr", "breach_when"),
    [
        ("max(busy)", "> 90%"),
        ("max(busy) - min(busy)", "< 1"),
        ("max(busy) / max(up)", "> 1"),
        ("count(busy) or vector(0)", "< 1"),
        ("sum(busy)", "< 1"),
        ("sum(up)", "> 3"),
        ("max(busy) > bool 5", "> 0"),
        ("avg(up) * 100", "< 50"),
        ("histogram_quantile(0.9, sum(rate(busy[5m])))", "> 1"),
        ("histogram_quantile(0.9, sum without (code) (rate(busy_bucket[5m])))", "> 1"),
        ("histogram_quantile(0.9, rate(busy_bucket[5m]))", "> 1"),
        ("count_over_time(busy[10s])", "> 1"),
        ("max(clamp_min(busy, 0))", "> 5"),
    ],
)
def test_what_may_be_met_and_may_be_missed_is_let_be(
    tmp_path: Path, expr: str, breach_when: str
) -> None:
    assert found(tmp_path, expr, breach_when) == []


@pytest.mark.parametrize("by", ["sum", "sum by (code)", "sum without (le)", "(sum"])
def test_a_quantile_needs_its_buckets(tmp_path: Path, by: str) -> None:
    end = ")" if by.startswith("(") else ""
    expr = f"histogram_quantile(0.9, {by}(rate(busy_bucket[5m]))){end}"
    (finding,) = found(tmp_path, expr, "> 1")
    assert finding.id == "quantile-without-buckets"


def test_it_is_the_rhythm_of_the_scrapes_that_counts(tmp_path: Path) -> None:
    """The provider scrapes every 30 s and is asked every 15 s."""
    (finding,) = found(tmp_path, "increase(busy[30s])", "> 1")
    assert "increase over 30s has one sample of prom at most" in finding.problem.what
    assert found(tmp_path, "increase(busy[31s])", "> 1") == []
