"""The alert rules, by the real promtool: each fires when it must and is silent when it must be."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.deploy.watching import ALERTS, PROMETHEUS, REPOSITORY, SCRAPE, alerts, read
from tests.real_parts import program
from watchdog.core.words import Severity

TESTS = sorted((PROMETHEUS / "tests").glob("*.yaml"))


def promtool(*arguments: str | Path, folder: Path = PROMETHEUS) -> tuple[int, str]:
    ended = subprocess.run(
        [program("promtool", "prometheus"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def story(file: Path) -> list[dict[str, Any]]:
    """What a test file asks of its alert, in order."""
    asked: list[dict[str, Any]] = read(file)["tests"][0]["alert_rule_test"]
    return asked


def test_promtool_takes_the_rules_and_the_scrape_job() -> None:
    assert promtool("check", "rules", ALERTS) == (
        0,
        f"Checking {ALERTS}\n  SUCCESS: {len(alerts())} rules found\n\n",
    )
    status, said = promtool("check", "config", SCRAPE)
    assert (status, "SUCCESS" in said) == (0, True), said


def test_each_fires_when_it_must_and_is_silent_when_it_must_be() -> None:
    status, said = promtool("test", "rules", *TESTS)
    assert status == 0, said
    assert said.count("SUCCESS") == len(TESTS)


def test_each_has_a_story_in_which_it_is_silent_and_one_in_which_it_fires() -> None:
    told = dict.fromkeys(alerts(), (False, False))
    for one in (one for file in TESTS for one in story(file)):
        silent, fires = told[one["alertname"]]
        told[one["alertname"]] = (silent or not one["exp_alerts"], fires or bool(one["exp_alerts"]))
    assert told == dict.fromkeys(alerts(), (True, True))


def test_a_rule_that_watches_something_else_fails_its_story(tmp_path: Path) -> None:
    limit = "last_pass_age_seconds > 5"
    spoilt = ALERTS.read_text().replace(limit, f"{limit}00")
    assert spoilt != ALERTS.read_text()
    (tmp_path / ALERTS.name).write_text(spoilt)
    (tmp_path / "tests").mkdir()
    copied = tmp_path / "tests" / "not-judging.yaml"
    copied.write_text((PROMETHEUS / "tests" / copied.name).read_text())
    status, said = promtool("test", "rules", copied)
    assert (status, "FAILED" in said) == (1, True), said


def test_each_says_how_bad_it_is_and_what_to_do() -> None:
    for name, rule in alerts().items():
        severity = rule["labels"]["severity"]
        assert severity in {*Severity, "{{ $labels.severity }}"}, name
        assert rule["annotations"]["summary"].endswith("."), name
        file, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert file.startswith("docs/runbooks/"), name
        assert (REPOSITORY / file).is_file(), f"{name}: {file} is not there"
        assert not anchor or anchor in anchors(REPOSITORY / file), f"{name}: #{anchor}"


def anchors(page: Path) -> set[str]:
    """The headings of a page as links name them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_job_has_the_name_that_rules_and_dashboard_ask_for() -> None:
    (job,) = read(SCRAPE)["scrape_configs"]
    named = set(re.findall(r'job="([^"]*)"', json.dumps(alerts()).replace('\\"', '"')))
    assert named == {job["job_name"]}
