"""The catalogue of checks: every entry has a folder it finds fault with and one it passes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.policy.lint_examples import LAWS, LINTS, Example, right, well, wrong
from watchdog.policy import load_files
from watchdog.policy.check import Report, check
from watchdog.policy.lint import LINTS as FROM_FILES
from watchdog.policy.lint import here, live
from watchdog.policy.lint import laws as laws_module
from watchdog.policy.lint.page import page

DOCS = Path(__file__).resolve().parents[2] / "docs"
REPOSITORY = DOCS.parent
Write = Callable[[dict[str, str]], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(files: dict[str, str]) -> Path:
        for path, text in files.items():
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tmp_path

    return written


def ids(report: Report) -> set[str]:
    return {finding.id for finding in report.findings}


def test_every_entry_has_its_examples() -> None:
    assert set(LAWS) == {law.id for law in laws_module.LAWS}
    alone = {"nobody-told"}  # of a file that is not there: it has tests of its own
    assert set(LINTS) | alone == {lint.id for lint in FROM_FILES}
    names = [*LAWS, *LINTS, *(lint.id for lint in (*here.LINTS, *live.LINTS))]
    assert len(set(names)) == len(names), "one name, one entry"


def test_where_all_is_well_nothing_is_found(write: Write) -> None:
    report = check(write(well()))
    assert report.errors == ()
    assert report.findings == {}
    assert report.clean


def rules_only(files: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if not path.endswith(".test.yaml")}


@pytest.mark.parametrize("law", laws_module.LAWS, ids=lambda law: law.id)
def test_what_breaks_a_law_is_refused_and_what_keeps_it_is_not(law: laws_module.Law) -> None:
    example: Example = LAWS[law.id]
    refused = load_files(rules_only(example.files(example.wrong)), "production")
    assert [p for p in refused.errors if law.says in f"{p.what}. {p.remedy}"] != []
    assert load_files(rules_only(right(example)), "production").errors == ()


@pytest.mark.parametrize("name", LINTS)
def test_a_lint_finds_what_is_wrong_and_passes_what_is_right(name: str, write: Write) -> None:
    files = wrong(name)
    report = check(write(files))
    assert report.errors == ()
    assert ids(report) == {name}
    for finding in report.findings:
        problem = finding.problem
        line = files[problem.file].splitlines()[problem.line - 1]
        assert line[problem.column - 1 :].strip(), "it points at something"
        assert problem.remedy
        assert finding.why
    check_again = check(write(right(LINTS[name])))
    assert ids(check_again) == set()


def test_a_lint_points_at_the_value_that_is_wrong(write: Write) -> None:
    (finding,) = check(write(wrong("few-samples-in-window"))).findings
    text = wrong("few-samples-in-window")[finding.problem.file].splitlines()
    assert text[finding.problem.line - 1][finding.problem.column - 1 :].startswith("15s")


def test_pairs_are_found_in_whatever_order_they_are_written(write: Write) -> None:
    files = well()
    pairs = [
        "{budget: 2%, long: 1h, short: 5m}",
        "{budget: 5%, long: 6h, short: 30m}",
    ]
    turned = files["team-a/rules.yaml"].replace(pairs[0], "first").replace(pairs[1], pairs[0])
    turned = turned.replace("first", pairs[1].replace("short: 30m", "short: 15s"))
    files["team-a/rules.yaml"] = turned
    (finding,) = check(write(files)).findings
    line = turned.splitlines()[finding.problem.line - 1]
    assert "long: 6h" in line
    assert line[finding.problem.column - 1 :].startswith("15s")


def test_an_observing_rule_may_see_single_events(write: Write) -> None:
    files = wrong("one-event-fires")
    text = files["team-a/rules.yaml"]
    armed = "    playbook: redemption\n    mode: armed\n    armed_because: launch decision\n"
    files["team-a/rules.yaml"] = text.replace(armed, "    mode: observe\n")
    assert ids(check(write(files))) == set()


def test_errors_fail_and_warnings_do_not(write: Write) -> None:
    assert not check(write(wrong("environments-share-a-target"))).ok
    report = check(write(wrong("rule-without-a-test")))
    assert report.ok
    assert not report.clean


def test_a_finding_of_several_environments_is_told_once(write: Write) -> None:
    report = check(write(wrong("few-samples-in-window")))
    ((_, environments),) = report.findings.items()
    assert environments == ("production", "staging")
    assert report.text().count("few-samples-in-window") == 1
    (found,) = json.loads(report.json())["findings"]
    assert found["environments"] == ["production", "staging"]
    assert (found["id"], found["level"]) == ("few-samples-in-window", "warning")
    assert {"file", "line", "column", "what", "why", "remedy"} <= set(found)


def test_a_folder_that_is_refused_is_not_linted(write: Write) -> None:
    files = wrong("few-samples-in-window")
    files["platform.yaml"] += "nonsense: 1\n"
    assert check(write(files)).findings == {}


def test_beside_an_owner_that_is_refused_the_others_are_linted(write: Write) -> None:
    files = wrong("few-samples-in-window")
    files["team-b/rules.yaml"] = "version: 1\nrules:\n  a: {\n"
    report = check(write(files))
    assert not report.ok
    assert ids(report) == {"few-samples-in-window"}


def test_what_a_refused_file_may_hold_is_not_called_missing(write: Write) -> None:
    files = wrong("status-page-of-no-rule")
    files["team-b/rules.yaml"] = "version: 1\nrules:\n  a: {\n"
    assert ids(check(write(files))) == set()


def test_the_page_is_current() -> None:
    remedy = "run: python -m watchdog.policy.lint.page > docs/checks.md"
    assert (DOCS / "checks.md").read_text() == page(), remedy


def test_the_shipped_rules_have_no_errors() -> None:
    assert check(REPOSITORY / "rules").ok


def without_contacts() -> dict[str, str]:
    files = well()
    del files["contacts.yaml"]
    return files


def test_rules_that_act_and_no_contacts_are_told_once(write: Write) -> None:
    report = check(write(without_contacts()))
    assert report.ok
    assert ids(report) == {"nobody-told"}
    assert (
        "contacts.yaml:1:1: warning[nobody-told] in production, staging: the file is not there, "
        "and errors may act or ask: nobody is told of it. Write it: docs/telling.md has"
    ) in report.text()


@pytest.mark.parametrize(
    ("file", "right", "other"),
    [
        (
            "team-a/rules.yaml",
            "    mode: armed\n    armed_because: launch decision\n",
            "    mode: shadow\n",
        ),
        (
            "platform.yaml",
            "drills:",
            "alertmanager: {url: 'http://localhost:9093', alerts: true}\ndrills:",
        ),
    ],
)
def test_where_nobody_need_be_told_no_contacts_are_missed(
    write: Write, file: str, right: str, other: str
) -> None:
    files = without_contacts()
    assert right in files[file]
    files[file] = files[file].replace(right, other)
    assert ids(check(write(files))) == set()


@pytest.mark.parametrize(
    ("matcher", "meant"),
    [
        ('code="5.."', 'code=~"5.."'),
        ('code!="[45].."', 'code!~"[45].."'),
        ('path="/api/.*"', 'path=~"/api/.*"'),
        ('method="GET|POST"', 'method=~"GET|POST"'),
        ('path="/api/[id]"', ""),
        ('instance="[::1]:9090"', ""),
        ('version="v1..v2"', ""),
        ('code=~"5.."', ""),
        ('path="/a.b/../c"', ""),
    ],
)
def test_a_pattern_behind_an_equals_sign_is_told_and_a_plain_text_is_not(
    write: Write, matcher: str, meant: str
) -> None:
    files = well()
    rules = files["team-a/rules.yaml"].replace('code=~"5.."', matcher, 1)
    assert rules != files["team-a/rules.yaml"] or matcher == 'code=~"5.."'
    report = check(write(rules_only(files | {"team-a/rules.yaml": rules})), "production")
    told = [f.problem.remedy for f in report.findings if f.id == "pattern-as-text"]
    assert told == ([f"Did you mean {meant}?"] if meant else [])
