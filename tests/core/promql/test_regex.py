"""Label patterns mean what RE2 means, of whole values, and never take for ever."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchdog.core.promql.faults import Refused
from watchdog.core.promql.regex import Pattern

# Patterns that mean the same to RE2 and to Python.
SHARED = [
    "5..",
    "a|b|",
    "(a|b)+c?",
    "a{2,3}",
    "a{2}b{1,}",
    "[^a]*",
    "[a-c]+",
    "(?i)AbC",
    "(?i:a)b",
    "(?i:[^a]b)",
    "^a$|b",
    "a$b",
    r"\d+\.\w*",
    r"[\d.]+",
    "a.*b",
    "(a*)*",
    "((a+)+)+b",
    "",
    "()",
    "(?:ab)*?c",
    "[]a]+",
    "[a-]+",
    r"[^\w]",
    "(a{0,2}){2}",
    r"(?P<word>\x41|b)+",
]


@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
@given(st.sampled_from(SHARED), st.text("abcABCd5.-]\n", max_size=5))
def test_a_pattern_matches_what_it_does_elsewhere(pattern: str, value: str) -> None:
    expected = re.fullmatch(pattern, value, re.DOTALL | re.ASCII) is not None
    assert Pattern(pattern).matches(value) is expected


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("5", "500", False),
        (".*", "a\nb", True),  # since Prometheus 3 the dot is every character
        ("a{,3}", "aa", False),
        ("a{,3}", "a{,3}", True),
        ("[[:alpha:]-]+", "a-Z", True),
        ("[[:^digit:]]", "5", False),
        (r"\x{1F600}", "\U0001f600", True),
        (r"a\z", "a", True),
        ("x(?i)a|b", "B", True),
        ("(x(?i)a)b", "xAB", False),
        ("[^a]", "ä", True),
        (r"\w", "ä", False),
        ("[a&&b]", "&", True),
    ],
)
def test_where_engines_differ_it_is_re2s_meaning(
    pattern: str, value: str, *, expected: bool
) -> None:
    assert Pattern(pattern).matches(value) is expected


@pytest.mark.timeout(10)
def test_no_value_makes_a_pattern_run_for_ever() -> None:
    assert not Pattern("((a+)+)+b").matches("a" * 2000)
    assert not Pattern("(a|a)*(.*.*.*)*b").matches("a" * 1000)


@pytest.mark.parametrize(
    "pattern",
    [
        *("[", "(", "a)", "*a", "a{3,2}", "a{1001}", "\\", "[b-a]", "a+*", "[[:foo:]]", "[\\"),
        *("(?x)a", r"\Q", "(?=a)", r"\x{zz}", r"\x4", "(?P<n", "(?", "[a", r"\Z", r"\1", r"\bx"),
        *("(?i)é", "(" * 100 + ")" * 100, "(a{1000}){1000}"),
    ],
)
def test_what_is_malformed_or_unknown_is_refused(pattern: str) -> None:
    with pytest.raises(Refused):
        Pattern(pattern)
