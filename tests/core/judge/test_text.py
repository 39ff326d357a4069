"""Numbers as people read them."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.core.text import apart, duration, number, percent, shortened


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (0.25, "250ms"),
        (0.0004, "0.4ms"),
        (0.9996, "1s"),
        (5.5, "5.5s"),
        (30, "30s"),
        (59.96, "1m"),
        (90, "1m30s"),
        (3600, "1h"),
        (5400, "1h30m"),
        (93784, "1d2h3m4s"),
        (30 * 86400, "30d"),
        (-90, "-1m30s"),
        (inf, "+Inf"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (120, "120"),
        (1234567, "1234567"),
        (1234.5678, "1235"),
        (21.44, "21.4"),
        (14.4, "14.4"),
        (0.97, "0.97"),
        (0.000123456, "0.000123"),
        (-3.14159, "-3.14"),
        (1.5e300, "1.5e+300"),
        (1e-9, "1e-09"),
        (nan, "NaN"),
        (inf, "+Inf"),
        (-inf, "-Inf"),
    ],
)
def test_numbers(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (0.05, "5%"),
        (0.542, "54.2%"),
        (0.0001, "0.01%"),
        (1, "100%"),
        (0.9999, "99.99%"),
        (0.99999, "99.999%"),
        (2.5, "250%"),
    ],
)
def test_percentages(ratio: float, text: str) -> None:
    assert percent(ratio) == text


def test_two_numbers_whose_difference_decided_are_never_printed_alike() -> None:
    assert apart(14.4001, 14.4) == ("14.4001", "14.4")
    assert apart(21.44, 14.4) == ("21.4", "14.4")
    assert apart(0.0500001, 0.05, percent) == ("5.00001%", "5%")
    assert apart(5, 5) == ("5", "5")


@given(st.floats(0, 1e9), st.floats(0, 1e9))
def test_numbers_apart_differ(one: float, other: float) -> None:
    first, second = apart(one, other)
    assert (first == second) == (one == other)


def test_long_texts_are_shortened_to_one_line() -> None:
    assert shortened("a\n  b") == "a b"
    assert shortened("x" * 100, 10) == "xxxxxxx..."
