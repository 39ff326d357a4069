"""A rules folder on disk, test files in it, and what comes of them."""

from __future__ import annotations

from pathlib import Path

from tests.policy.texts import PLATFORM, RULES, folder
from watchdog.lab.rule_tests import Loader, Report, run_files
from watchdog.lab.rule_tests.run import FileRan

HEAD = """\
rule_files: [rules.yaml]
tests:
  - name: a story
    interval: 5s
"""

OUTAGE = """\
    input_series:
      - {series: 'requests_total{code="200"}', values: 0+100x60 6000x60}
      - {series: 'requests_total{code="500"}', values: 0x60 0+100x60}
"""

MORE = """\
  saturated:
    severity: P2
    source: prom
    threshold: {expr: "max(used / ignoring(kind) limit)", breach_when: "> 90%"}
    for: 2m
    mode: observe
  slow-quantile:
    severity: P2
    source: prom
    threshold: {expr: "max(label_replace(x, 'a', 'b', 'c', 'd'))", breach_when: "> 5"}
    for: 2m
    mode: observe
  failing:
    severity: P1
    source: prom
    threshold:
      bad: prom_requests_total{code=~"5.."}
      total: prom_requests_total
      over: 5m
      breach_when: "> 5%"
    for: 90s
    mode: observe
  peg:
    severity: P0
    source: status
    integrity: {expr: peg_ratio, breach_when: "< 1"}
    for: 45s
    mode: observe
"""


def write(path: Path, text: str, rules: str = RULES + MORE, platform: str = PLATFORM) -> Path:
    """A test file beside its rules."""
    for name, content in folder(platform, team_a=rules).items():
        (path / name).parent.mkdir(exist_ok=True)
        (path / name).write_text(content)
    test = path / "team-a/story.test.yaml"
    test.write_text(text)
    return test


def run(path: Path, text: str, rules: str = RULES + MORE, platform: str = PLATFORM) -> FileRan:
    (ran,) = run_files([write(path, text, rules, platform)], Loader())
    return ran


def failures(ran: FileRan) -> list[str]:
    """What a person reads, without the sum."""
    assert not ran.problems, [problem.text for problem in ran.problems]
    return [line for line in Report((ran,)).text().splitlines() if "FAILED" in line]
