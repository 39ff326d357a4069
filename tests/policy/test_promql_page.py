"""The page about expressions: current, and its examples are evaluated."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from watchdog.core.promql import Refused, check
from watchdog.policy import promql_reference
from watchdog.policy.promql_reference import reference

PAGE = Path(__file__).resolve().parents[2] / "docs" / "promql.md"


def test_the_page_is_current() -> None:
    wanted = "run: python -m watchdog.policy.promql_reference > docs/promql.md"
    assert PAGE.read_text() == reference(), wanted


def test_what_is_evaluated_and_not_described_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    undescribed = {name: text for name, text in promql_reference._CALLS.items() if name != "abs"}
    monkeypatch.setattr(promql_reference, "_CALLS", undescribed)
    with pytest.raises(KeyError, match="abs"):
        reference()


def test_what_the_page_calls_refused_is_refused() -> None:
    refused = PAGE.read_text().partition("## What is refused")[2]
    names = [name for name in re.findall(r"`(\w+)`", refused) if name not in {"fill", "or"}]
    assert {"topk", "atan2"} <= set(names)
    for name in names:
        expression = f"x {name} y" if name == "atan2" else f"{name}(1, x)"
        expression = f"{name}(x)" if name.startswith("std") else expression
        expression = 'count_values("v", x)' if name == "count_values" else expression
        with pytest.raises(Refused):
            check(expression)
