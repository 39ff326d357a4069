"""A history file is read whole, or refused with the line that is wrong."""

from pathlib import Path

import pytest

from tests.lab.backtest.past import BEGAN, EVERY, STEPS, openmetrics
from watchdog.lab.history import Bad, Span, read_openmetrics


def refusal(tmp_path: Path, text: str | bytes) -> str:
    path = tmp_path / "h.om"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(Bad) as refused:
        read_openmetrics(path, None)
    return str(refused.value).removeprefix(f"{tmp_path}/")


def test_every_sample_of_every_series_is_there(tmp_path: Path) -> None:
    held = read_openmetrics(openmetrics(tmp_path / "h.om"), None)
    assert [(t.name, dict(t.labels)) for t in held.tracks] == [
        ("requests_total", {"code": "200"}),
        ("requests_total", {"code": "500"}),
        ("queue_length", {}),
    ]
    assert all(len(track.times) == STEPS for track in held.tracks)
    assert held.tracks[1].values[-1] == 400.0
    assert held.span == Span(BEGAN, BEGAN + EVERY * (STEPS - 1))


def test_only_what_is_wanted_is_kept(tmp_path: Path) -> None:
    span = Span(BEGAN + 30, BEGAN + 60)
    held = read_openmetrics(openmetrics(tmp_path / "h.om"), {"queue_length"}, span)
    (track,) = held.tracks
    assert list(track.times) == [BEGAN + 30, BEGAN + 45, BEGAN + 60]


def test_series_that_come_in_turns_are_put_in_the_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "h.om"
    path.write_text('x{a="1"} 2 20\nx{a="2"} 7 10\nx{a="1"} 1 10\n# EOF\n')
    held = read_openmetrics(path, None)
    assert [list(t.times) for t in held.tracks] == [[10.0, 20.0], [10.0]]
    assert list(held.tracks[0].values) == [1.0, 2.0]


def test_labels_may_hold_what_looks_like_syntax(tmp_path: Path) -> None:
    path = tmp_path / "h.om"
    path.write_text('x{a="} # 1 \\" {",b="2"} 4 20 # {trace="t"} 1\n# EOF\n')
    (track,) = read_openmetrics(path, None).tracks
    assert dict(track.labels) == {"a": '} # 1 " {', "b": "2"}
    assert list(track.values) == [4.0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x 1 10\nx 2\n# EOF\n", "h.om:2:3: a sample without a time: 'x 2'"),
        ("x 1 10\nx two 20\n# EOF\n", "h.om:2:3: neither value and time"),
        ('x{a="1} 1 10\n# EOF\n', "h.om:1:1: not a sample"),
        ("x 1 nan\n# EOF\n", "h.om:1:3: neither value and time"),
        (
            "x 1 1700000000000\n# EOF\n",
            "h.om:1:3: a time far ahead of us: 'x 1 1700000000000'. Are",
        ),
        ("x 1 inf\n# EOF\n", "Are these milliseconds? OpenMetrics has seconds"),
        ("x 1 10\n", "h.om:1:1: the last line is not `# EOF`"),
        ("", "h.om:1:1: the last line is not `# EOF`"),
        ("x 1 10\nx 2 10\n# EOF\n", "x{} has two values at 10.000"),
        (b"\x89PNG\r\n\x00\xff" * 50, "h.om:1:1: not a sample"),
        (b"\xff" * 3_000_000, "h.om:1:1: not a sample"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    assert said in refusal(tmp_path, text)


def test_more_samples_than_memory_should_hold_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Bad, match=r"more than 100 samples are wanted. Narrow --from and --to"):
        read_openmetrics(openmetrics(tmp_path / "h.om"), None, max_samples=100)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(Bad, match="No such file"):
        read_openmetrics(tmp_path / "none", None)
