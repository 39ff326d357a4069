"""Told from outside, a silence is excused where our own evaluation would, and never elsewhere."""

from __future__ import annotations

import re
from itertools import chain, combinations

import pytest

from tests.core.promql.test_what_stands_behind import Watched
from watchdog.core.judge.silence import silence_of

NAMES = ("a", "b", "c")


def told_from_outside(expression: str, there: tuple[str, ...]) -> set[str]:
    silent = [name for name in NAMES if name not in there and re.search(rf"\b{name}\b", expression)]
    return set(silent) - silence_of(expression, silent).replaced


@pytest.mark.parametrize(
    "there", list(chain.from_iterable(combinations(NAMES, n) for n in range(4)))
)
@pytest.mark.parametrize(
    ("expression", "alike"),
    [
        ("sum(a) or 0 * sum(b)", True),
        ("sum(rate(a[1m])) or 0 * sum(rate(b[1m]))", True),
        ("sum(a) or vector(0)", True),
        ("sum(a) or sum(b) or sum(c)", True),
        ("sum(a) or (sum(b) or vector(0))", True),
        ("sum(a) + sum(b) or 0 * sum(c)", True),
        ("a or on () b", True),
        ("a or b", True),
        ("sum(a or b) or sum(c)", False),
        ("(sum(a) or sum(b)) / sum(c)", True),
        # our own evaluation sees more, and excuses more
        ("sum(a) or sum(b) > 0", False),
        ("(sum(a) or sum(rate(b[1m]))) or vector(0)", False),
        ("sum(a) or sum(b and c)", False),
    ],
)
def test_what_is_missed(expression: str, *, alike: bool, there: tuple[str, ...]) -> None:
    app = Watched(*NAMES)
    app.poll(*there, "other", times=30)
    inside = set(app.ask(expression).missing)
    outside = told_from_outside(expression, there)
    assert outside >= inside, "nothing more is excused"
    if alike:
        assert outside == inside
