"""`check`: every environment of a folder at once, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.policy.texts import PLATFORM, RULES, VARS, folder
from watchdog.policy.check import check
from watchdog.policy.load import load_folder
from watchdog.wire.expectation import BadExpectation, check_expectation

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
        ("> 5%", "> 5%\"\n    x: 'y", "a quote is opened in line"),
        ('"> 5%"', "@five", "a value begins with @, which YAML keeps for itself. Put quotes"),
        ('"> 5%"', "a: b", "a colon stands where no key can end"),
        ('"> 5%"', "[1, 2", "a list or mapping in brackets is opened in line"),
        ('"> 5%"', r'"\q"', "is nothing that double quotes know. Write"),
        ('"> 5%"', "'it's'", "something stands behind a quote that ends a text"),
        ("requests_total\n", 'requests_total{a="x\n', 'total is no PromQL: a quote " is opened'),
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


def written_to(folder: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


WAVES = {
    "platform.yaml": PLATFORM.replace("every: 5s}", "evry: 5s}") + "oops: 1\n",
    "vars/production.yaml": VARS,
    "contacts.yaml": "version: 1\nchannels: {chat: {webhook: https://chat.example.org}}\n"
    "audiences: {team: {to: [chart]}}\n",
    "team-a/rules.yaml": RULES.replace("mode: armed", "mode: armored"),
    "team-b/rules.yaml": RULES.replace("error-rate", "latency").replace("redemption", "redemtion"),
    "team-c/rules.yaml": "version: 1\nrules:\n  a: {\n",
}


def test_one_run_tells_what_is_wrong_in_every_file(tmp_path: Path) -> None:
    errors = check(written_to(tmp_path, WAVES)).errors
    told = {(error.file, error.what) for error in errors}
    assert ("platform.yaml", "unknown key `oops`") in told
    assert ("contacts.yaml", "there is no channel, person or role chart") in told
    assert ("team-b/rules.yaml", "there is no playbook redemtion") in told
    assert {error.file for error in errors} == set(WAVES) - {"vars/production.yaml"}
    assert not any("no source app" in what for _, what in told), "it is there, and refused itself"


def test_beside_a_platform_that_cannot_be_read_the_other_files_are(tmp_path: Path) -> None:
    errors = check(written_to(tmp_path, WAVES | {"platform.yaml": "version: 1\na: [\n"})).errors
    assert {error.file for error in errors} == set(WAVES) - {
        "vars/production.yaml", "team-b/rules.yaml",
    }, "of what a rule names nothing can be known"  # fmt: skip


def test_broken_variables_are_told_once_and_not_wherever_they_stand(tmp_path: Path) -> None:
    files = folder(variables="app: [\n", team_a=RULES.replace("mode: armed", "mode: armored"))
    errors = check(written_to(tmp_path, files)).errors
    assert {error.file for error in errors} == {"vars/production.yaml", "team-a/rules.yaml"}


def test_what_shows_among_owners_is_told_beside_what_is_wrong_within_one(tmp_path: Path) -> None:
    leaning = "mode: armed\n    corroborate: [nobody, latency]\n    evry: 5s"
    files = folder(
        team_a=RULES.replace("mode: armed", leaning),
        team_b=RULES.replace("error-rate", "latency").replace("mode: armed", "mode: armored"),
    )
    both = check(written_to(tmp_path, files | {"team-c/rules.yaml": RULES}))
    told = [error.text for error in both.errors]
    assert any("team-a/rules.yaml:3:3: the rule error-rate stands also" in text for text in told)
    assert any("unknown key `evry`" in text for text in told)
    assert any("armored" in text for text in told)


def test_a_rule_that_leans_on_a_refused_one_is_told_so(tmp_path: Path) -> None:
    files = folder(
        team_a=RULES.replace("mode: armed", "mode: armed\n    corroborate: [latency]"),
        team_b=RULES.replace("error-rate", "latency").replace("mode: armed", "mode: armored"),
    )
    told = [error.text for error in check(written_to(tmp_path, files)).errors]
    assert any("the rule latency, which it leans on, is refused. Mend that" in one for one in told)


PAGE = """\
version: 1
channels: {chat: {webhook: "https://chat.example.org"}}
audiences: {team: {to: [chat]}}
status-pages:
  public:
    call: {method: PUT, url: "https://status.example.org", json: {state: "${status}"}}
    components:
      redemption: {name: Redemption, rules: [eror-rate]}
"""


def test_a_status_page_that_follows_no_rule_fails_the_check_in_its_place(tmp_path: Path) -> None:
    report = check(written_to(tmp_path, folder() | {"contacts.yaml": PAGE}))
    assert not report.ok
    assert (
        "contacts.yaml:8:46: error[status-page-of-no-rule]: the status page public follows the "
        "rule eror-rate, which is not there. Did you mean error-rate?"
    ) in report.text()
    assert "advice" not in report.text(), "it is told once"
    assert load_folder(tmp_path, "production").complete, "a rule is its owner's to remove"


def test_what_differs_by_a_path_only_is_told_once_and_names_the_environments(
    tmp_path: Path,
) -> None:
    person = "people: {ada: {name: Ada, reach: {chat: 'ada@{{ mail }}.invalid'}}}\n"
    files = folder(SEVERAL) | {
        "contacts.yaml": PAGE.replace("status-pages", f"{person}status-pages").replace(
            "eror", "error"
        )
    }
    files |= {
        "vars/production.yaml": VARS + "mail: prod\n",
        "vars/staging.yaml": VARS + "mail: stage\n",
    }
    text = check(written_to(tmp_path, files)).text()
    assert text.count("nobody-there") == 1
    assert "warning[nobody-there] in production, staging: " in text


def told_by(tmp_path: Path, files: Mapping[str, str]) -> set[tuple[str, int, str]]:
    """Every error of `check` as file, line and what it says."""
    errors = check(written_to(tmp_path, files)).errors
    return {(error.file, error.line, error.what) for error in errors}


def test_a_misspelt_key_at_the_top_is_read_as_what_it_means(tmp_path: Path) -> None:
    platform = PLATFORM
    for key in ("environment", "sources", "actions", "playbooks", "grants"):
        platform = platform.replace(f"{key}:", f"{key[:-2]}{key[-1]}:")
    files = folder(platform.replace("every: 5s}", "every: 5}"), team_a=RULES.replace("30s", "30"))
    assert told_by(tmp_path, files) == {
        ("platform.yaml", 2, "unknown key `environmet`"),
        ("platform.yaml", 3, "unknown key `sourcs`"),
        ("platform.yaml", 4, "every: 5 has no unit"),
        ("platform.yaml", 11, "unknown key `actios`"),
        ("platform.yaml", 19, "unknown key `playboos`"),
        ("platform.yaml", 22, "unknown key `grans`"),
        ("team-a/rules.yaml", 10, "threshold.over: 30 has no unit"),
    }


def test_a_platform_that_names_no_environment_is_judged_all_the_same(tmp_path: Path) -> None:
    platform = PLATFORM.replace("environment: production\n", "").replace("every: 5s}", "every: 5}")
    files = folder(platform, team_a=RULES.replace("mode: armed", "mode: armored"))
    assert {(file, what) for file, _, what in told_by(tmp_path, files)} == {
        ("platform.yaml", "no `environment`"),
        ("platform.yaml", "every: 5 has no unit"),
        ("team-a/rules.yaml", "mode: armored is not known"),
    }


@pytest.mark.parametrize(
    "slip",
    [
        ("mode: armed", "mode: inforce"),
        ("severity: P0", "severity: urgent"),
        ("for: 15s", "for: 15"),
        ("minimum_events: 20", "minimum_events: some"),
        ("armed_because:", "because_of:"),
    ],
)
def test_a_bad_word_in_a_rule_hides_none_of_its_wrong_names(
    tmp_path: Path, slip: tuple[str, str]
) -> None:
    wrong = RULES.replace(*slip).replace("source: app", "source: ap")
    wrong = wrong.replace("playbook: redemption", "playbok: redemtion\n    corroborate: [nobody]")
    told = {what for _, _, what in told_by(tmp_path, folder(team_a=wrong))}
    assert told >= {
        "there is no source ap",
        "unknown key `playbok`",
        "there is no playbook redemtion",
        "there is no rule nobody",
    }
    assert len(told) == 5, "and the bad word itself"


def test_a_bad_value_hides_no_selector_beside_it(tmp_path: Path) -> None:
    wrong = RULES.replace("over: 30s", "over: 30").replace("total: requests_total", "total: a b")
    wrong = wrong.replace("owner", "x").replace("source: app", "source: app\n    owner: team-b")
    told = {what for _, _, what in told_by(tmp_path, folder(team_a=wrong))}
    assert "threshold.over: 30 has no unit" in told
    assert any(what.startswith("threshold.total is no PromQL") for what in told)
    assert "the owner is the folder's name, team-a" in told


@pytest.mark.parametrize(
    "slip",
    [
        ("mode: armed, within", "mode: amred, within"),
        ("{action: pause-redemption", "{acton: pause-redemption"),
        ("within: 2m", "within: 2"),
    ],
)
def test_a_rung_that_cannot_be_read_is_told_once(tmp_path: Path, slip: tuple[str, str]) -> None:
    rules = RULES.replace("mode: armed", "mode: armed\n    up_to: pause-redemption")
    told = told_by(tmp_path, folder(PLATFORM.replace(*slip), team_a=rules))
    assert {(file, line) for file, line, _ in told} == {("platform.yaml", 21)}
    assert len(told) == 1


def test_a_rung_that_is_wrong_still_names_its_action(tmp_path: Path) -> None:
    platform = PLATFORM.replace("{action: pause-redemption, mode: armed", "{action: no, mode: on")
    told = {what for _, _, what in told_by(tmp_path, folder(platform))}
    assert told == {"there is no action no", "mode: on is not known"}


def test_a_window_over_what_a_refused_action_changes_is_right(tmp_path: Path) -> None:
    window = (
        "maintenance:\n  w: {scope: {target: 'flag:btc_mainnet_redemption'}, "
        "days: [sun], from: '02:00', to: '03:00', zone: UTC, reason: upkeep}\n"
    )
    assert told_by(tmp_path, folder(PLATFORM + window)) == set()
    wrong = PLATFORM.replace("deadline: 10s", "deadline: 10") + window
    assert {what for _, _, what in told_by(tmp_path, folder(wrong))} == {"deadline: 10 has no unit"}


def test_a_file_of_variables_that_is_not_there_is_told_once(tmp_path: Path) -> None:
    files = folder(SEVERAL, team_a=RULES.replace('"> 5%"', '"{{ bound }}"'))
    files["vars/production.yaml"] += 'bound: "> 5%"\n'
    told = told_by(tmp_path, files)
    [(file, line, what)] = told
    assert (file, line) == ("vars/staging.yaml", 1)
    assert what == "the file is not there, and app would be defined in it"
    assert check(tmp_path, "production").ok


def test_variables_that_only_rules_use_are_missed_as_well(tmp_path: Path) -> None:
    plain = SEVERAL.replace("{{ app }}", "http://localhost:3000")
    files = folder(plain, team_a=RULES.replace('"> 5%"', '"{{ bound }}"'))
    files["vars/production.yaml"] += 'bound: "> 5%"\n'
    assert told_by(tmp_path, files) == {
        ("vars/staging.yaml", 1, "the file is not there, and bound would be defined in it")
    }
    assert not check(tmp_path, "staging").ok


def test_a_value_that_a_vars_file_sets_is_refused_with_the_line_that_sets_it(
    tmp_path: Path,
) -> None:
    files = folder(team_a=RULES.replace("over: 30s", 'over: "{{ window }}"'))
    files["vars/production.yaml"] += "# how long\nwindow: 30\n"
    assert told_by(tmp_path, files) == {
        (
            "team-a/rules.yaml",
            10,
            "threshold.over: 30 has no unit ({{ window }} is set in vars/production.yaml:3:9)",
        )
    }
    assert load_folder(tmp_path, "production", variables={"window": "1h"}).complete
    [error] = load_folder(tmp_path, "production", variables={"window": "1"}).errors
    assert error.what.endswith("({{ window }} is given from outside the folder)")


def test_each_variable_of_one_value_is_told_once(tmp_path: Path) -> None:
    url = '"{{ app }}:{{ port }}/{{ app }}"'
    files = folder(PLATFORM.replace('scrape: "{{ app }}/metrics"', f"scrape: {url}"))
    files["vars/production.yaml"] = "app: ftp\nport: 1\n"
    told = [what for file, line, what in told_by(tmp_path, files) if line == 4]
    assert len(told) == 1
    assert told[0].endswith(
        "({{ app }} is set in vars/production.yaml:1:6; "
        "{{ port }} is set in vars/production.yaml:2:7)"
    )


@pytest.mark.parametrize("name", ["contacts.yaml", "platform.yaml", "team-a/rules.yaml"])
def test_a_folder_with_the_name_of_a_file_is_told(tmp_path: Path, name: str) -> None:
    files = folder() | {"contacts.yaml": PAGE.replace("eror", "error")}
    del files[name]
    (tmp_path / name).mkdir(parents=True)
    assert told_by(tmp_path, files) == {
        (name, 1, "this is a folder, and it has the name of a file")
    }


@pytest.mark.parametrize(
    ("name", "told", "remedy"),
    [
        ("contact.yaml", "a rule file beside platform.yaml", "Is it meant to be contacts.yaml?"),
        ("contacts.yml", "rule files end in .yaml, so this one would not be read", "Rename it."),
        ("platform.yml", "rule files end in .yaml, so this one would not be read", "Rename it."),
    ],
)
def test_a_misspelt_file_is_told_once_with_what_it_is_meant_to_be(
    tmp_path: Path, name: str, told: str, remedy: str
) -> None:
    files = folder() | {"contacts.yaml": PAGE.replace("eror", "error")}
    right = "platform.yaml" if name.startswith("platform") else "contacts.yaml"
    files[name] = files.pop(right)
    [error] = check(written_to(tmp_path, files)).errors
    assert (error.file, error.what) == (name, told)
    assert error.remedy.startswith(remedy)


def test_nobody_is_advised_to_send_a_test_to_the_outside_unawares(tmp_path: Path) -> None:
    people = (
        "people:\n  ada: {name: Ada, reach: {chat: 'ada@x.invalid'}}\n"
        "  press: {name: Press, reach: {chat: 'press@x.invalid'}, outside: true}\n"
    )
    page = PAGE.replace("status-pages", f"{people}status-pages").replace("eror", "error")
    found = check(written_to(tmp_path, folder() | {"contacts.yaml": page})).findings
    advised = {one.problem.line: one.problem.remedy for one in found}
    assert advised[5] == "Fill it in, then try it: slo-watchdog notify test ada"
    assert advised[6] == (
        "Fill it in, then try it once they know that it comes: "
        "slo-watchdog notify test press --outside"
    )


def test_no_sentence_ends_twice(tmp_path: Path) -> None:
    text = check(written_to(tmp_path, folder() | {"contacts.yaml": PAGE})).text()
    assert "Did you mean error-rate? The page shows" in text
    with pytest.raises(BadExpectation) as bad:
        check_expectation("enabled = `false`")
    assert bad.value.message == "not JMESPath: Bad jmespath expression: Unknown token '='"


CONTACTS_WITH_SLIPS = """\
version: 1
channels: {chat: {webhook: "https://chat.example.org"}}
people:
  ada: {name: [], reach: {chart: ada@example.org}}
roles:
  lead: {titel: Lead, people: [adda, Ada B]}
on-call: {people: [adda], turn: 7}
audiences: {team: {to: [chart], outside: perhaps}}
escalation:
  P0:
    updates: 30
    steps:
      - {after: 5, tell: [on-cal, {chart: x}], by: [chart]}
"""


def test_a_bad_word_in_the_contacts_hides_none_of_their_wrong_names(tmp_path: Path) -> None:
    told = told_by(tmp_path, folder() | {"contacts.yaml": CONTACTS_WITH_SLIPS})
    assert {(line, what) for _, line, what in told} == {
        (4, "name: text is wanted, not []"),
        (4, "there is no channel chart"),
        (6, "unknown key `titel`"),
        (6, "there is no person adda"),
        (6, "people: 'Ada B' is no name"),
        (7, "there is no person adda"),
        (7, "turn: 7 has no unit"),
        (8, "there is no channel, person or role chart"),
        (8, "outside: true or false is wanted, not perhaps"),
        (11, "updates: 30 has no unit"),
        (13, "steps.after: 5 has no unit"),
        (13, "there is no channel, person or role on-cal"),
        (13, "there is no channel chart"),
    }
