"""Labelled incidents are read with their places, and the score is what a person would count."""

from pathlib import Path

import pytest

from tests.lab.backtest.past import policy, rules_folder
from watchdog.core.words import Severity
from watchdog.lab.backtest.firing import Firing
from watchdog.lab.backtest.incidents import Incident, read_incidents
from watchdog.lab.backtest.score import MONTH_SECONDS, score
from watchdog.lab.history import Span

YAML = """\
incidents:
  - {start: 2026-10-03T14:05Z, end: 2026-10-03T14:40:30Z, severity: P0, name: "bad: deploy"}
  - start: 2026-10-04 01:00+02:00
    end: 1791070000
    severity: P2
    rule: queue
"""
CSV = """\
start,end,severity,rule,name
2026-10-03T14:05Z,2026-10-03T14:40:30Z,P0,,bad: deploy
2026-10-04 01:00+02:00,1791070000,P2,queue,
"""


def test_yaml_and_csv_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text(YAML)
    (tmp_path / "i.csv").write_text(CSV)
    both = [read_incidents(tmp_path / name) for name in ("i.yaml", "i.csv")]
    assert not both[0].problems + both[1].problems
    plain = [[(i.start, i.end, i.severity, i.rule, i.name) for i in b.found] for b in both]
    assert plain[0] == plain[1]
    assert plain[0][1] == (1791068400.0, 1791070000.0, Severity.P2, "queue", "")


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("i.yaml", "- {start: 2026-10-03}", "i.yaml:1:3: an incident without end"),
        (
            "i.yaml",
            "- {start: yesterday, end: 2026-10-03}",
            "i.yaml:1:11: start 'yesterday' is no time",
        ),
        ("i.yaml", "- {start: 2026-10-03, ends: 2026-10-04}", "i.yaml:1:23: unknown key ends"),
        (
            "i.yaml",
            "- {start: 2026-10-03, end: 2026-10-03}",
            "i.yaml:1:28: the end does not lie after the start",
        ),
        (
            "i.yaml",
            "- {start: 2026-10-03, end: 2026-10-04, severity: high}",
            "i.yaml:1:50: severity 'high'",
        ),
        (
            "i.yaml",
            "- {start: 2026-10-03, end: 2026-10-04, rule: shar}",
            "i.yaml:1:3: there is no rule shar. The rules are queue, share",
        ),
        ("i.yaml", "incidents: &a [*a]", "i.yaml:1:"),
        ("i.yaml", "x", "i.yaml:1:1: no list of incidents"),
        ("i.csv", "from,to\n1,2\n", "i.csv:1:1: unknown column 'from'"),
        ("i.csv", "start,end\n2026-10-03\n", "i.csv:2:1: 1 cells under 2 columns"),
        ("i.csv", 'start,end\n"a', "i.csv:2:1: not CSV"),
        ("i.csv", "", "i.csv:1:1: empty"),
        ("i.csv", "\x00" * 2_000_000, "i.csv:1:1: it has 2000000 bytes; 1048576 are the most"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    rules = policy(rules_folder(tmp_path / "r")).rules
    (tmp_path / name).write_text(text)
    problems = [each.text for each in read_incidents(tmp_path / name, rules).problems]
    assert said in problems[0].removeprefix(f"{tmp_path}/")


def fired(episode: str, rule: str, at: float, *, acted: bool = True) -> Firing:
    when = at if acted else None
    return Firing(episode, rule, Severity.P0, at - 60, at, when, ended_at=at + 600)


def incident(start: float, end: float, rule: str = "") -> Incident:
    return Incident(start, end, Severity.P0, rule)


def test_the_score_is_what_a_person_counts(tmp_path: Path) -> None:
    rules = policy(rules_folder(tmp_path / "r")).rules
    span = Span(0.0, MONTH_SECONDS / 2)
    known = [
        incident(10_000, 12_000),  # seen by both rules
        incident(20_000, 21_000, "queue"),  # share fires in it, which it does not concern
        incident(30_000, 31_000),  # share had fired before it
        incident(40_000, 41_000),  # seen within the grace after its end
        incident(MONTH_SECONDS / 2 - 10, MONTH_SECONDS),  # reaches beyond: not counted
    ]
    firings = [
        fired("E1", "share", 10_100),
        fired("E2", "queue", 10_400, acted=False),
        fired("E3", "share", 20_500),
        fired("E4", "share", 29_800, acted=False),
        fired("E5", "share", 41_200),
        fired("E6", "share", MONTH_SECONDS / 2 - 5),
    ]
    found = score(firings, known, rules, span)
    overall = found.overall
    assert (overall.incidents, overall.detected, overall.recall) == (4, 2, 0.5)
    assert (overall.fired, overall.true, overall.precision) == (5, 3, 0.6)
    assert [f.episode for f in found.false] == ["E3", "E4"]
    assert overall.false_actions == 1
    assert overall.false_actions_a_month == 2.0, "one in half a month"
    assert overall.detection_p50_seconds == (100 + 1200) / 2
    assert overall.detection_p95_seconds == 1200
    assert [d.seconds for d in found.detections] == [100, None, None, 1200]
    assert found.detections[2].already == "E4"
    assert found.outside == (known[4],)
    assert found.rules["queue"].recall == 0.25, "of the four that concern it"
    assert found.rules["share"].incidents == 3


def test_nothing_to_divide_by_is_no_number(tmp_path: Path) -> None:
    rules = policy(rules_folder(tmp_path / "r")).rules
    overall = score([], [], rules, Span(0.0, 10.0)).overall
    assert (overall.precision, overall.recall, overall.detection_p50_seconds) == (None, None, None)
