"""Plots as people see them: where things stand, what is said, and that no text becomes markup."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest

from watchdog.core.text import percent
from watchdog.plots import Bound, Line, Mark, Plot, Stretch, spark, svg
from watchdog.plots.scale import axis_of, times

START = 1_763_913_600.0  # 2025-11-23 16:00:00 UTC
NASTY = "</svg><script>alert(1)</script>\"'&"


def plot(*values: float | None, **more: object) -> Plot:
    points = [(START + 10.0 * n, value) for n, value in enumerate(values)]
    given: dict[str, object] = {"bounds": (Bound(0.05, "breached when >"),), **more}
    line = Line("share", points)
    end = START + 10.0 * (len(values) - 1)
    return Plot("share of bad events", START, end, (line,), written=percent, **given)  # type: ignore[arg-type]  # as the fields are


def path(text: str) -> str:
    """What the first line's pen does."""
    found = re.search(r'class="line a" d="([^"]*)"', text)
    assert found is not None
    return found[1]


def test_it_is_well_formed_and_says_in_words_what_it_shows() -> None:
    text = svg(plot(0.0, 0.08, 0.02, marks=(Mark(START + 10, "1", "the breach"),)))
    picture = ET.fromstring(text)  # noqa: S314  # our own
    assert picture.attrib["role"] == "img"
    assert picture.attrib["aria-label"] == (
        "share of bad events over time. share: newest 2%, highest 8%. "
        "breached when >: 5%. 1: the breach"
    )
    assert "style" not in text, "a strict policy lets it stand"


def test_what_others_wrote_is_never_markup() -> None:
    text = svg(
        plot(
            0.0,
            0.1,
            bounds=(Bound(0.05, NASTY),),
            marks=(Mark(START + 5, NASTY, NASTY),),
            stretches=(Stretch(START, START + 5, "blind", NASTY),),
        )
    )
    ET.fromstring(text)  # noqa: S314  # our own
    assert "<script" not in text
    assert text.count("</svg>") == 2


def test_a_line_breaks_where_nothing_was_measured() -> None:
    drawn = path(svg(plot(0.0, 0.1, None, 0.1, None, 0.0)))
    assert drawn.count("M") == 3
    assert "M600.0" in drawn, "what stands alone is a dot, and is seen"
    assert svg(plot(None, None)) == ""


def test_zero_is_at_the_bottom_and_what_is_higher_stands_higher() -> None:
    ends = re.findall(r"[ML]([\d.]+) ([\d.]+)", path(svg(plot(0.0, 0.05, 0.1))))
    places = [(float(x), float(y)) for x, y in ends]
    assert [x for x, _ in places] == [0.0, 500.0, 1000.0]
    heights = [y for _, y in places]
    assert heights[0] == 1000.0
    assert heights[1] - heights[2] == pytest.approx(heights[0] - heights[1])


def test_a_bound_is_seen_beside_values_a_thousand_times_as_high() -> None:
    axis = axis_of([0.0, 1.0, 500.0], [14.4, 6.0])
    assert axis.bend
    assert 0.08 < axis.share(6.0) < axis.share(14.4) < axis.share(500.0) < 1
    assert axis.share(14.4) - axis.share(6.0) > 0.05
    assert axis.share(0.0) == 0.0
    assert [tick for tick in axis.ticks() if tick in {0.0, 10.0, 100.0}] == [0.0, 10.0, 100.0]
    assert "log scale" in svg(plot(0.0, 1.0, bounds=(Bound(0.01, "above"),)))
    assert "log scale" not in svg(plot(0.0, 0.1))


@pytest.mark.parametrize(
    ("values", "bounds"), [([0.0], []), ([3.0], [3.0]), ([-5.0, 5.0], []), ([1e12], []), ([], [])]
)
def test_any_values_have_an_axis(values: list[float], bounds: list[float]) -> None:
    axis = axis_of(values, bounds)
    assert axis.low < axis.high
    assert 1 <= len(axis.ticks()) <= 12
    assert all(0.0 <= axis.share(value) <= 1.0 for value in values)


@pytest.mark.parametrize(
    ("seconds", "written"), [(30, "16:00:10"), (900, "16:05"), (86_400, "00:00"), (5e6, "25 Dec")]
)
def test_times_are_round_and_few(seconds: float, written: str) -> None:
    found = times(START, START + seconds)
    assert 2 <= len(found) <= 9
    assert written in [text for _, text in found]


def test_marks_that_would_lie_on_one_another_share_a_tag() -> None:
    marks = tuple(Mark(START + at, str(n), f"m{n}") for n, at in enumerate((1, 2, 3, 80), 1))
    text = svg(plot(*([0.0] * 11), marks=marks))
    assert re.findall(r'class="tag"[^>]*>([^<]*)<', text) == ["1-3", "4"]
    assert text.count('class="rod"') == 4


def test_a_plot_the_size_of_a_word_says_nothing_to_those_who_listen() -> None:
    text = spark([(0.0, 1.0), (1.0, None), (2.0, 3.0)], 2.0)
    assert ET.fromstring(text).attrib["aria-hidden"] == "true"  # noqa: S314  # our own
    assert spark([(0.0, 1.0)], 2.0) == ""


def test_tags_never_lie_on_one_another_nor_beside_the_plot() -> None:
    named = ("bad", "breach", "acting", "contained", "watched", "ok")
    for places in ((1, 5, 12, 20, 60, 80), (70, 72, 74, 76, 78, 80), (0, 16, 32, 48, 64, 80)):
        marks = tuple(Mark(START + at, tag, tag) for at, tag in zip(places, named, strict=True))
        text = svg(plot(*([0.0] * 11), marks=marks))
        found = re.findall(r'class="tag" x="([\d.]+)%"[^>]*>([^<]*)<', text)
        assert found
        spans = [(float(x) * 10 - len(t) * 11, float(x) * 10 + len(t) * 11) for x, t in found]
        assert spans[0][0] >= 0
        assert spans[-1][1] <= 1000
        assert all(left[1] <= right[0] for left, right in pairwise(spans)), found
