"""What tools and servers print, before it is written into the record."""

from __future__ import annotations

import base64
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchdog.wire.scrub import scrubbed, shortened

SECRET = 'h7$ k/9+x"Zq&e'


@pytest.mark.parametrize(
    "said",
    [
        SECRET,
        f"rejected token {SECRET}!",
        quote(SECRET, safe=""),
        quote(SECRET),
        base64.b64encode(SECRET.encode()).decode(),
        '{"sent": "h7$ k/9+x\\"Zq&e"}',
        f"h7\x1b[1m{SECRET[2:]}",  # a terminal's colour in the middle
    ],
)
def test_a_known_secret_is_hidden_however_it_is_written(said: str) -> None:
    shown = scrubbed(said, known=[SECRET], most=1000)

    assert "***" in shown
    for part in ("k/9", "Zq", "k%2F9"):
        assert part not in shown


def test_a_secret_inside_another_leaves_no_rest() -> None:
    assert scrubbed("abcdefgh", known=["abcd", "abcdefgh"], most=100) == "***"


def test_a_key_is_hidden_line_by_line() -> None:
    key = "first-line-of-a-key-1234\nsecond-line-of-a-key-5678"

    shown = scrubbed("| second-line-of-a-key-5678 |", known=[key], most=100)

    assert shown == "| *** |"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("Authorization: Bearer abc.def-123456", "Authorization: Bearer ***"),
        ("authorization: Basic dXNlcjpwYXNz", "authorization: Basic ***"),
        ("Authorization: Token 12345678", "Authorization: Token ***"),
        ("sent bearer 0123456789abcdef to it", "sent bearer *** to it"),
        ("GET https://ann:pass@host/x", "GET https://***@host/x"),
        ("postgresql://u:p%40ss@db:5432/x", "postgresql://***@db:5432/x"),
        ("https://host/x?api_key=abc&y=1", "https://host/x?api_key=***&y=1"),
        ("password=hunter2, retrying", "password=***, retrying"),
        ('{"access_token": "abc def", "id": 3}', '{"access_token": ***, "id": 3}'),
        ("run --api-key abc123 --fast", "run --api-key *** --fast"),
        ("DB_PASSWORD: hunter2", "DB_PASSWORD: ***"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln", "***"),
        ("ghp_0123456789abcdefghij pushed", "*** pushed"),
        (
            "a -----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY----- b",
            "a *** b",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMHcC and cut off", "***"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(said: str, shown: str) -> None:
    assert scrubbed(said, most=1000) == shown


@pytest.mark.parametrize(
    "said",
    [
        "btc_mainnet_redemption paused successfully",
        "see https://status.example/incident@3 or mail ops@example.com",
        '{"enabled": false, "updated_by": "launchctl"}',
        "error: ./release/cfg/governance-file.txt not found\n\tat line 3",
        "a basic check failed",
    ],
)
def test_plain_words_stay(said: str) -> None:
    assert scrubbed(said, most=1000) == said


def test_terminal_sequences_and_direction_marks_are_taken_out() -> None:
    said = "\x1b[31mred\x1b[0m \x1b]0;title\x07ok\r\n\u202egnp.exe\x00\x9b1m"

    assert scrubbed(said, most=100) == "red ok\ngnp.exe1m"


def test_hiding_comes_before_shortening() -> None:
    shown = scrubbed("x" * 40 + "secret-text" + "y" * 40, known=["secret-text"], most=50)

    assert "secret" not in shown
    assert len(shown) <= 50


@given(st.text(max_size=60), st.integers(0, 80))
def test_shortening_keeps_its_bound_and_both_ends(text: str, most: int) -> None:
    short = shortened(text, most)

    assert len(short) <= most or short == text
    assert (short == text) == (len(text) <= most)
    if len(text) > most >= 20:
        assert short[:5] == text[:5]
        assert short[-5:] == text[-5:]


@given(st.text("abcXYZ \r\x1b[m/+", min_size=8, max_size=20), st.text("., ", max_size=30))
def test_no_known_secret_survives(secret: str, around: str) -> None:
    letters = "".join(char for char in secret if char.isalpha())
    shown = scrubbed(f"{around}{secret}{around}", known=[secret], most=1000)

    assert len(letters) < 4 or letters not in shown


@pytest.mark.parametrize(
    "nasty",
    [
        "token" * 20_000,
        "a" * 100_000,
        "://" * 30_000,
        "bearer " * 15_000,
        "-----BEGIN " * 9000,
        "-----BEGIN PRIVATE KEY-----" * 4000,
        "authorization: " * 7000,
        '"' * 100_000,
        "x=" * 50_000,
    ],
)
def test_no_text_takes_long(nasty: str) -> None:
    began = time.process_time()
    scrubbed(nasty, known=["secret-text"], most=4000)

    assert time.process_time() - began < 2.0
