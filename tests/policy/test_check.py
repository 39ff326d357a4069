"""`check`: every environment of a folder at once, for people and for machines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.policy.texts import PLATFORM, folder
from watchdog.policy.check import check

SEVERAL = PLATFORM.replace("environment: production", "environments: [staging, production]")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    for path, text in (folder(SEVERAL) | {"vars/staging.yaml": "ap: http://x\n"}).items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return tmp_path


def test_all_environments_are_judged_when_none_is_named(rules: Path) -> None:
    report = check(rules)
    assert list(report.loads) == ["production", "staging"]
    assert not report.ok
    assert {problem.what for problem in report.errors} == {"unknown variable app"}
    assert {problem.remedy for problem in report.errors} == {"Did you mean ap?"}


def test_one_environment_is_judged_when_it_is_named(rules: Path) -> None:
    report = check(rules, "production")
    assert report.ok
    assert "\nproduction: 1 rule (1 armed), 3 sources, 1 action, sha256 " in report.text()


def test_problems_name_the_file_as_it_can_be_opened(rules: Path) -> None:
    first = check(rules, "staging").text().splitlines()[0]
    path, line, column, _ = first.split(":", 3)
    assert Path(path).read_text().splitlines()[int(line) - 1][int(column) - 1 :].startswith('"{{')


def test_machines_get_the_same(rules: Path) -> None:
    found = json.loads(check(rules).json())
    assert found["ok"] is False
    assert found["environments"]["production"]["loaded"] is True
    assert found["environments"]["production"]["parts"]["team-a"]["state"] == "loaded"
    assert found["environments"]["staging"]["loaded"] is False
    assert {error["file"] for error in found["errors"]} == {"platform.yaml"}


def test_advice_is_no_error(rules: Path) -> None:
    (rules / "platform.yaml").write_text(SEVERAL.replace(", scraped_every: 30s", ""))
    report = check(rules, "production")
    assert report.ok
    assert "advice: prom does not say how often Prometheus itself scrapes" in report.text()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    report = check(tmp_path / "nowhere")
    assert not report.ok
    assert "cannot be read" in report.text()


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("platform.yaml", "this is a file, and rules are read as a folder. Name the folder that"),
        ("nowhere", "the rules folder cannot be read: No such file or directory"),
    ],
)
def test_what_is_no_folder_is_named_once_as_it_was_given(
    rules: Path, monkeypatch: pytest.MonkeyPatch, named: str, told: str
) -> None:
    monkeypatch.chdir(rules)
    assert check(Path(named), "production").text().startswith(f"{named}:1:1: {told}")


@pytest.mark.parametrize(
    ("written", "slip", "told"),
    [
        ('breach_when: "> 5%"', "breach_when: > 5%", 'Put quotes around a bound: "> 5%".'),
        ("    source:", "   source:", "the line is not indented like the ones"),
    ],
)
def test_usual_slips_are_told_in_an_authors_words(
    rules: Path, written: str, slip: str, told: str
) -> None:
    [file] = (rules / "team-a").glob("*.yaml")
    text = file.read_text()
    head, found, tail = text.rpartition(written)
    assert found
    file.write_text(f"{head}{slip}{tail}")
    assert told in check(rules, "production").text()
