"""How columns stand on a page of a command."""

from __future__ import annotations

import pytest

from watchdog.cli.page import Page


def test_numbers_stand_below_the_end_of_their_title_also_in_the_last_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Page().rows([("rule", "only ours", "only theirs"), ("peg", "12", "3")], right=frozenset({1, 2}))
    title, row = capsys.readouterr().out.splitlines()
    assert len(row) == len(title)
    assert row.endswith("12            3")
