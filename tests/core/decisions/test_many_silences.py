"""An Alertmanager may hold thousands of silences, and each is asked at every pass."""

from __future__ import annotations

from watchdog.core.silences import Patterns


def test_their_patterns_are_made_once_however_many_they_are() -> None:
    texts = [f"f{number}.*" for number in range(2500)]
    patterns = Patterns()
    made = [patterns.of(text) for text in texts]
    assert all(patterns.of(text) is one for text, one in zip(texts, made, strict=True))


def test_no_more_is_kept_of_them_than_was_said() -> None:
    patterns = Patterns(most_states=2000)
    first = patterns.of("a{1000}")
    assert first is not None
    assert patterns.of("a{1000}") is first
    patterns.of("b{1000}c{500}")
    assert patterns.of("a{1000}") is not first
