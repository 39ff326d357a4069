"""Texts that are no rule files: damaged, hostile or half-written. Never a traceback."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.policy.texts import PLATFORM, RULES, VARS, at, folder, load, unmarked

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)
)

TEXTS = {
    "empty": ("§", "the file is empty"),
    "only comments": ("# nothing\n", ""),
    "a list": ("§- a\n", "no mapping"),
    "a text": ("§hello", "no mapping"),
    "cut off in a list": ("version: 1\nrules: [a,\n§", "cut off"),
    "a tab": ("version: 1\nrules:\n§\tpeg: 1\n", "Indent with spaces"),
    "a byte order mark": ("§\ufeffversion: 1\n", "byte order mark"),
    "binary": ("version: 1\nab§\x00\x01\n", "U+0000"),
    "a python tag": ("version: 1\nrules: §!!python/object/apply:os.system [id]\n", "the tag"),
    "a harmless tag": ("version: 1\nrules: §!!map {}\n", "plain data only"),
    "a duplicate key": ("version: 1\n§version: 1\n", "stands twice, first in line 1"),
    "a duplicate rule": ("version: 1\nrules:\n  a: {}\n  §a: {}\n", "`a` stands twice"),
    "a circle": ("version: 1\nrules: &r\n  a: §*r\n", "contains itself"),
    "an alias to nothing": ("version: 1\nrules: §*nowhere\n", "no anchor"),
    "two documents": ("version: 1\n§---\nversion: 1\n", "a second document"),
    "another YAML": ("%YAML 1.1\n§---\nversion: 1\n", "directive"),
    "a variable without quotes": ("version: 1\nrules: {a: {{ app }}/x}\n", ""),
    "a mapping as a key": ("version: 1\n? §{a: 1}\n: 2\n", "a key that is not text"),
    "no version": ("§rules: {}\n", "Begin the file with `version: 1`"),
    "version true": ("version: §true\nrules: {}\n", "not known here"),
    "an unknown top": ("version: 1\n§rule: {}\nrules: {}\n", "Did you mean rules?"),
    "rules as a list": ("version: 1\nrules: §[a]\n", "a mapping of names"),
    "a name with a path": ("version: 1\nrules:\n  §../x: {}\n", "is no name"),
    "deep nesting": (
        "version: 1\nrules: " + "[" * 24 + "§[" + "[" * 5000,
        "nested more than 24 deep",
    ),
    "too long a value": ("version: 1\nrules: §" + "x" * 20_000, "16384 is the most"),
    "too long a file": ("§" + "# \n" * 100_000, "131072 is the most"),
}


@pytest.mark.parametrize("name", [name for name, case in TEXTS.items() if case[1]])
def test_a_text_is_refused_at_its_place(name: str) -> None:
    marked, says = TEXTS[name]
    text, line, column = unmarked(marked)
    outcome = load(folder(team_a=text, team_b=RULES))
    found = at(outcome.errors, "team-a/rules.yaml", line, column)
    assert any(says in problem for problem in found), [e.text for e in outcome.errors]
    assert outcome.policy is not None
    assert set(outcome.policy.rules) == {"error-rate"}, "the other owner is not touched"


@pytest.mark.parametrize("name", ["only comments", "a variable without quotes"])
def test_and_so_are_these(name: str) -> None:
    outcome = load(folder(team_a=TEXTS[name][0]))
    assert [e.file for e in outcome.errors] == ["team-a/rules.yaml"]


def test_a_variable_without_quotes_is_explained() -> None:
    outcome = load(folder(team_a="version: 1\nrules: {}\nx: {{ app }}/metrics\n"))
    assert "Put quotes around" in outcome.errors[0].remedy or "quotes" in outcome.errors[0].remedy


def test_a_bomb_does_not_go_off() -> None:
    began = time.process_time()
    outcome = load(folder(team_a="version: 1\nrules:\n" + BOMB))
    assert time.process_time() - began < 1
    assert "aliases followed" in outcome.errors[0].what


HUGE = {
    "keys": "".join(f"k{n}: 1\n" for n in range(11_000)),
    "anchors": "".join(f"k{n}: &a{n} 1\n" for n in range(7_000)),
    "items": "version: 1\nrules:\n" + "- a\n" * 30_000,
    "a list": "version: 1\nrules: [" + "a," * 60_000,
    "rules": "version: 1\nrules:\n" + "".join(f"  R{n}: {{x: 1}}\n" for n in range(6_000)),
    "keys of a rule": "version: 1\nrules:\n  a:\n"
    + "".join(f"    k{n}: 1\n" for n in range(8_000)),
    "lines": "a\n" * 65_000,
    "quotes": "'" * 131_000,
    "braces": "{" * 131_000,
}


@pytest.mark.parametrize("name", list(HUGE))
def test_a_huge_file_is_refused_in_reasonable_time(name: str) -> None:
    began = time.process_time()
    outcome = load(folder(team_a=HUGE[name]))
    assert time.process_time() - began < 4, "about 1.5 s"
    assert 0 < len(outcome.errors) <= 201


def test_a_key_that_stands_twice_hides_nothing_else_of_its_file() -> None:
    text = "version: 1\nrules:\n  a: {mode: armd}\n  a: {}\n  b: {fro: 5m}\nrules: {}\n"
    outcome = load(folder(team_a=text, team_b=RULES))
    told = [problem.text for problem in outcome.errors]
    for place in ("4:3", "6:1", "3:13", "5:7"):
        assert any(one.startswith(f"team-a/rules.yaml:{place}:") for one in told), (place, told)
    assert outcome.policy is not None
    assert set(outcome.policy.rules) == {"error-rate"}, "neither of the two is in force"


def test_an_anchor_used_twice_is_welcome() -> None:
    shared = RULES.replace("labels", "x") + (
        "  second:\n    severity: P1\n    source: app\n    labels: &l {team: a}\n"
        "    integrity: {expr: x, breach_when: '< 1'}\n"
        "  third:\n    severity: P1\n    source: app\n    labels: *l\n"
        "    integrity: {expr: x, breach_when: '< 1'}\n"
    )
    outcome = load(folder(team_a=shared))
    assert outcome.policy is not None
    assert outcome.policy.rules["third"].labels == (("team", "a"),)


def test_on_off_yes_and_no_are_text() -> None:
    rules = RULES.replace("armed_because: launch decision", "armed_because: yes")
    outcome = load(folder(team_a=rules))
    assert outcome.policy is not None
    assert outcome.policy.rules["error-rate"].mode_reason == "yes"


@pytest.mark.parametrize("deep", ["(" * 500 + "a", "-" * 1500 + "a", "a" + "+a" * 900])
def test_an_expression_cannot_break_its_parser(deep: str) -> None:
    rule = (
        "version: 1\nrules:\n  a:\n    severity: P1\n    source: prom\n"
        f"    integrity: {{expr: '{deep}', breach_when: '< 1'}}\n"
    )
    (problem,) = load(folder(team_a=rule)).errors
    assert "nested too deeply" in problem.what


@pytest.mark.parametrize("text", ["not(" * 300 + "a", "!" * 1900 + "a"])
def test_nor_can_an_expectation(text: str) -> None:
    platform = PLATFORM.replace("enabled == `false`", text, 1)
    assert "expect" in load(folder(platform=platform)).errors[0].what


PIECES = st.sampled_from(
    [
        *RULES.splitlines(keepends=True), *PLATFORM.splitlines(keepends=True),
        "  ", "\t", "\n", ": ", "- ", "[", "]", "{", "}", "&a ", "*a", "!!str ", "'", '"', "|", ">",
        "{{ app }}", "{{", "%", "---\n", "...\n", "? ", "# ", "\u2028", "\x00", "\ufeff", "1e999",
        "0x1F", ".nan", "99999999999999999999", "<<: *a\n", "null", "~", "§", "\r", "\x85",
    ]
)  # fmt: skip
GARBAGE = st.one_of(st.text(max_size=300), st.lists(PIECES, max_size=40).map("".join))


@settings(max_examples=150, deadline=2000, suppress_health_check=[HealthCheck.too_slow])
@given(rules=GARBAGE, platform=st.one_of(st.just(PLATFORM), GARBAGE), variables=GARBAGE)
def test_garbage_is_refused_and_never_raises(rules: str, platform: str, variables: str) -> None:
    outcome = load(folder(platform, variables, team_a=rules))
    assert outcome.policy is not None or outcome.errors
    for problem in outcome.errors:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.what
        assert "Traceback" not in problem.text


@settings(max_examples=100, deadline=2000)
@given(st.data())
def test_a_good_file_with_one_slip_never_raises(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([RULES, PLATFORM]))
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    changed = text[:start] + data.draw(st.one_of(PIECES, st.text(max_size=5))) + text[end:]
    files = folder(team_a=changed) if text is RULES else folder(platform=changed)
    outcome = load(files, last_good=folder())
    assert outcome.policy is not None, "the last good policy stays"


def test_variables_that_are_none_are_refused() -> None:
    outcome = load(folder(variables=VARS + "list: [1]\nBad: 1\nempty:\n"))
    told = [(p.file, p.line, p.column) for p in outcome.errors]
    assert told == [("vars/production.yaml", n, c) for n, c in ((2, 7), (3, 1), (4, 1))]
