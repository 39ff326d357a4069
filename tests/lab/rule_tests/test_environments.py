"""One test file for several environments: every test is run with the variables of each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.lab.rule_tests.written import HEAD, OUTAGE, write
from tests.policy.texts import PLATFORM, RULES
from watchdog.lab.rule_tests import Loader, Report, run_files
from watchdog.lab.rule_tests.proof import proofs_in
from watchdog.lab.rule_tests.run import FileRan
from watchdog.policy import load_folder

SEVERAL = PLATFORM.replace("environment: production", "environments: [production, staging]")
QUICKER = RULES.replace("for: 15s", 'for: "{{ error_for }}"')
ACTS = """\
    action_test:
      - eval_time: 5m40s
        rule: error-rate
        exp_actions: [{action: pause-redemption, at: 5m25s}]
"""


def told(folder: Path, text: str) -> Path:
    """Production waits for 15 s, staging for 20 s."""
    path = write(folder, text, QUICKER, SEVERAL)
    for name, seconds in (("production", 15), ("staging", 20)):
        file = folder / f"vars/{name}.yaml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"app: http://localhost:3000\nerror_for: {seconds}s\n")
    return path


def both(ran: tuple[FileRan, ...]) -> dict[str | None, bool]:
    assert not any(file.problems for file in ran), [p.text for f in ran for p in f.problems]
    return {file.environment: file.passed for file in ran}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    whenever = ACTS.replace(", at: 5m25s", "")
    return told(tmp_path, f"environments: [production, staging]\n{HEAD}{OUTAGE}{whenever}")


def test_what_holds_everywhere_is_run_everywhere(file: Path) -> None:
    assert both(run_files([file])) == {"production": True, "staging": True}


def test_what_holds_in_one_alone_fails_and_names_the_other(tmp_path: Path) -> None:
    text = f"environments: [production, staging]\n{HEAD}{OUTAGE}{ACTS}"
    ran = run_files([told(tmp_path, text)])
    found = both(ran)
    assert found == {"production": True, "staging": False}
    report = Report(ran)
    (failed,) = [line for line in report.text().splitlines() if "FAILED" in line]
    assert "a story [staging]" in failed
    assert report.text().splitlines()[-1] == "1 file, 2 tests, 2 checks: 1 passed, 1 failed"
    assert [one["environment"] for one in json.loads(report.json())["files"]] == list(found)
    assert all(f".test.yaml [{name}]" in report.junit() for name in found)


def test_a_test_may_be_for_one_of_them_alone(tmp_path: Path) -> None:
    head = HEAD.replace("    interval", "    environments: [staging]\n    interval")
    text = f"environments: [production, staging]\n{head}{OUTAGE}{ACTS.replace('25s', '30s')}"
    ran = run_files([told(tmp_path, text)])
    assert [len(file.ran) for file in ran] == [0, 1]
    assert both(ran)["staging"]


def test_a_word_from_the_command_goes_before_the_file(file: Path) -> None:
    (ran,) = run_files([file], Loader(environment="staging"))
    assert (ran.environment, ran.passed) == (None, True)
    assert ran.suite is not None
    assert ran.suite.rules.ours is not None
    assert ran.suite.rules.ours.policy.environment == "staging"


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_a_proof_is_of_the_environment_that_runs(file: Path, environment: str) -> None:
    folder = file.parent.parent
    (proof,) = proofs_in(folder, environment, {}, ["error-rate"])
    policy = load_folder(folder, environment).policy
    assert policy is not None
    assert (proof.sha256, proof.passed) == (policy.rules["error-rate"].proof, True)
    assert proof.reason == "1 check passed"


@pytest.mark.parametrize(
    ("head", "says"),
    [
        ("environment: staging\nenvironments: [staging]\n", "`environment` and `environments`"),
        ("environments: []\n", "environments"),
        ("environments: [production]\n", "staging is none of the file's environments"),
        ("", "staging is none of the file's environments"),
    ],
)
def test_environments_that_contradict_each_other_are_refused(
    tmp_path: Path, head: str, says: str
) -> None:
    story = HEAD.replace("    interval", "    environments: [staging]\n    interval")
    (ran,) = run_files([told(tmp_path, f"{head}{story}{OUTAGE}")])
    assert any(says in problem.text for problem in ran.problems), ran.problems


def test_what_is_wrong_in_all_of_them_is_told_once(tmp_path: Path) -> None:
    wrong = "    page_test: [{eval_time: 1m, rule: eror-rate, exp_pages: []}]\n"
    text = f"environments: [production, staging]\n{HEAD}{OUTAGE}{wrong}"
    report = Report(run_files([told(tmp_path, text)]))
    assert report.text().count("eror-rate") == 1
    assert report.text().endswith("1 file could not be used")
