"""A paper is text: whatever stands in it, no markup comes out of it, in HTML and in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt  # which rich brings
from markdown_it.token import Token

from tests.lab.backtest.test_report import opened
from watchdog.core.words import Instant
from watchdog.lab.papers import (
    Blank,
    Clock,
    Facts,
    Items,
    Output,
    Paper,
    Picture,
    Section,
    Table,
    Words,
    html,
    markdown,
)
from watchdog.plots import Line, Mark, Plot

NASTY = (
    "<script>alert(1)</script>",
    "</pre></td></table><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "[a link](javascript:alert(1)) ![a picture](http://tracker.invalid/x)",
    "**bold** _slant_ ~~gone~~ `code` | another cell | &lt;b&gt; &#60;i&#62;",
    "# a heading\n- an item\n1. a first\n> said\n```\nfence\n```\n---",
    "- [ ] a task",
    "1) a first",
    "=====",
    "{{ 7 * 7 }} {% include 'x' %}",
    "a\\",
    "turned \u202e back, \x1b[31mred\x1b[0m\x07",
    "<https://tracker.invalid>",
)
ALLOWED = {
    *("html", "head", "meta", "title", "link", "style", "body", "main", "header", "section", "p"),
    *("h1", "h2", "h3", "ul", "li", "div", "span", "figure", "figcaption", "pre", "svg"),
    *("table", "thead", "tbody", "tr", "th", "td", "line", "text", "path", "rect"),
}


def paper(*texts: str) -> Paper:
    """One that has each text in every place that a text can stand in."""
    first = texts[0]
    plot = Plot(
        first, 0.0, 10.0, (Line(first, [(1.0, 1.0), (2.0, 3.0)]),), marks=(Mark(3.0, first, first),)
    )
    return Paper(
        first,
        texts,
        (
            Section(
                first,
                (
                    Words(first),
                    Words(first, quiet=True),
                    Items(texts),
                    Facts(tuple(product(texts, texts[:1]))),
                    Table(texts, (texts, texts)),
                    Table(texts, (), first),
                    Output(first, "\n".join(texts)),
                    Picture(plot),
                    Blank(first, first, texts),
                ),
            ),
        ),
    )


class Read(HTMLParser):
    """What a browser would find."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.said += data


def test_html_holds_no_element_that_is_not_ours() -> None:
    read = Read()
    read.feed(html(paper(*NASTY)))
    assert read.tags - {"title"} <= ALLOWED
    assert {name for name in read.attributes if name.startswith("on")} == set()
    assert "src" not in read.attributes
    for text in (NASTY[0], NASTY[2], NASTY[9], "[a link](javascript:alert(1))"):
        assert text in read.said
    assert not {"\x1b", "\u202e", "\x07"} & set(read.said)


def test_html_asks_for_nothing_and_says_so() -> None:
    text = html(paper("calm"))
    assert "default-src 'none'" in text
    assert "script-src" not in text, "a default of none forbids them"
    assert "http" not in text.replace("http-equiv", "")


def tokens(text: str) -> Iterator[Token]:
    rendered = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for token in rendered.parse(text):
        yield token
        yield from token.children or ()


def shape(text: str) -> list[str]:
    return [f"{t.type}{t.tag}" for t in tokens(text) if t.type not in {"text", "text_special"}]


@pytest.mark.parametrize("nasty", NASTY)
def test_markdown_has_the_same_shape_whatever_the_texts_are(nasty: str) -> None:
    assert shape(markdown(paper(nasty, "calm"))) == shape(markdown(paper("calm", "calm")))


@given(nasty=st.text(alphabet=st.sampled_from("ab1 \\`*_[]()<>#+-=.!|~&{}:/\n"), max_size=24))
def test_no_text_at_all_changes_the_shape_of_markdown(nasty: str) -> None:
    text = f"{nasty}x"  # what is blank is left out of a list or a cell by every reader
    one = Paper("t", (), (Section("s", (Words(text), Items((text,)), Table((text,), ((text,),)))),))
    calm = Paper("t", (), (Section("s", (Words("x"), Items(("x",)), Table(("x",), (("x",),)))),))
    assert shape(markdown(one)) == shape(markdown(calm))


def test_markdown_says_what_was_said() -> None:
    said = "".join(t.content for t in tokens(markdown(paper(*NASTY))) if t.type.startswith("text"))
    for text in (NASTY[0], NASTY[4], "[a link](javascript:alert(1))", NASTY[9]):
        assert " ".join(text.split()) in said


def test_a_fence_is_longer_than_any_in_what_was_printed() -> None:
    text = markdown(Paper("t", (), (Section("s", (Output("o", "a\n`````\nb"),)),)))
    (fence,) = [t for t in tokens(text) if t.type == "fence"]
    assert fence.content == "a\n`````\nb\n"


def test_times_are_told_by_the_clock_of_the_zone_on_that_day() -> None:
    clock = Clock(ZoneInfo("Europe/Zurich"))
    summer, winter = Instant(1_782_900_000.0, 0.0), Instant(1_795_900_000.0, 0.0)
    assert clock.both(summer) == "2026-07-01 10:00:00Z (2026-07-01 12:00:00 CEST)"
    assert clock.both(winter) == "2026-11-28 21:06:40Z (2026-11-28 22:06:40 CET)"
    assert clock.both(None) == ""


def test_a_time_that_is_the_same_on_both_clocks_is_told_once() -> None:
    winter = Instant(1_795_900_000.0, 0.0)
    assert Clock(ZoneInfo("UTC")).both(winter) == "2026-11-28 21:06:40Z"
    assert Clock(ZoneInfo("Europe/London")).both(winter) == "2026-11-28 21:06:40Z"


def test_a_real_browser_shows_it_without_a_complaint_a_request_or_a_script(tmp_path: Path) -> None:
    shown, complaints, asked = opened(html(paper(*NASTY)), tmp_path)
    assert '<svg class="plot"' in shown
    assert "<img" not in shown
    assert (complaints, asked) == ([], set())
