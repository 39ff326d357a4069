"""The folder on disk: who may have written what is read, and how much of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.policy.texts import folder
from watchdog.policy import Load, PartState, load_files, load_folder

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    root = tmp_path / "rules"
    for path, text in folder().items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def told(outcome: Load) -> list[str]:
    return [f"{problem.file}: {problem.what}" for problem in outcome.errors]


def test_a_good_folder_loads(rules: Path) -> None:
    outcome = load_folder(rules, "production")
    assert outcome.complete
    assert sorted(outcome.files) == ["platform.yaml", "team-a/rules.yaml", "vars/production.yaml"]


def test_notes_and_editors_files_are_left_alone(rules: Path) -> None:
    for name in (
        "README.md",
        "team-a/.rules.yaml.swp",
        "team-a/rules.yaml~",
        "team-a/#rules.yaml#",
    ):
        (rules / name).write_text("{{{{")
    assert load_folder(rules, "production").complete


def test_a_file_that_everyone_may_write_is_refused(rules: Path) -> None:
    (rules / "team-a/rules.yaml").chmod(0o666)
    outcome = load_folder(rules, "production")
    assert told(outcome) == ["team-a/rules.yaml: everyone may write to it"]
    assert outcome.policy is not None
    assert not outcome.policy.rules


def test_a_folder_that_everyone_may_write_is_refused(rules: Path) -> None:
    (rules / "team-a").chmod(0o777)
    assert told(load_folder(rules, "production")) == ["team-a: everyone may write to it"]
    (rules / "team-a").chmod(0o755)
    rules.chmod(0o777)
    outcome = load_folder(rules, "production")
    assert told(outcome) == [f"{rules}: everyone may write to it"]
    assert outcome.policy is None


def test_a_strangers_file_is_refused(rules: Path) -> None:
    if not AS_ROOT:
        pytest.skip("needs root: only root can give a file to another user")
    os.chown(rules / "team-a/rules.yaml", 4242, 4242)
    assert told(load_folder(rules, "production")) == ["team-a/rules.yaml: it belongs to user 4242"]


def test_a_link_out_of_the_folder_is_refused(rules: Path, tmp_path: Path) -> None:
    outside = tmp_path / "elsewhere.yaml"
    (rules / "team-a/rules.yaml").rename(outside)
    (rules / "team-a/rules.yaml").symlink_to(outside)
    (rules / "team-b").symlink_to(tmp_path)
    assert told(load_folder(rules, "production")) == [
        "team-a/rules.yaml: a link that leads out of the rules folder",
        "team-b: a link that leads out of the rules folder",
    ]


def test_a_link_inside_of_the_folder_is_followed(rules: Path) -> None:
    (rules / ".data").mkdir()
    (rules / "team-a/rules.yaml").rename(rules / ".data/rules.yaml")
    (rules / "team-a/rules.yaml").symlink_to("../.data/rules.yaml")
    assert load_folder(rules, "production").complete


def test_a_hundred_megabytes_are_not_even_read(rules: Path) -> None:
    with (rules / "team-a/rules.yaml").open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    began = time.perf_counter()
    outcome = load_folder(rules, "production")
    assert time.perf_counter() - began < 1
    assert "104857600 bytes" in outcome.errors[0].what


def test_a_pipe_does_not_hold_up_the_load(rules: Path) -> None:
    (rules / "team-a/rules.yaml").unlink()
    os.mkfifo(rules / "team-a/rules.yaml")
    assert told(load_folder(rules, "production")) == ["team-a/rules.yaml: it is no regular file"]


def test_bytes_that_are_no_text_are_refused_at_their_place(rules: Path) -> None:
    (rules / "team-a/rules.yaml").write_bytes(b"version: 1\nrul\xff\n")
    (problem,) = load_folder(rules, "production").errors
    assert (problem.line, problem.column, problem.what) == (2, 4, "it is no UTF-8 text")


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("team-a/more.yml", "would not be read"),
        ("more.yaml", "beside platform.yaml"),
        ("team-a/deep/more.yaml", "a folder inside"),
        ("Team_B/rules.yaml", "no name for an owner"),
        ("platform/rules.yaml", "platform"),
        ("manual/rules.yaml", "no name for an owner"),
    ],
)
def test_a_file_in_the_wrong_place_is_refused(rules: Path, path: str, says: str) -> None:
    (rules / path).parent.mkdir(exist_ok=True)
    (rules / path).write_text("version: 1\nrules: {}\n")
    outcome = load_folder(rules, "production")
    assert any(says in problem.text for problem in outcome.errors), told(outcome)


@pytest.mark.parametrize(
    "path", ["team-a/rules.test.yaml", "team-a/tests/more.test.yaml", "all.test.yaml"]
)
def test_unit_tests_of_rules_are_left_alone(rules: Path, path: str) -> None:
    before = load_folder(rules, "production")
    (rules / path).parent.mkdir(exist_ok=True)
    (rules / path).write_text("this is no rule file: [")
    after = load_folder(rules, "production")
    assert (after.policy, after.files, after.errors) == (before.policy, before.files, ())
    assert load_files({**before.files, path: "tests: ["}, "production").files == before.files


def test_a_folder_that_is_gone_takes_nothing_away(rules: Path, tmp_path: Path) -> None:
    before = load_folder(rules, "production")
    for missing in (tmp_path / "nothing", rules / "platform.yaml", tmp_path):
        after = load_folder(missing, "production", last_good=before.files)
        assert after.policy == before.policy
        assert after.files == before.files
        assert after.errors
        assert {part.state for part in after.parts} == {PartState.KEPT}


def test_what_the_caller_gives_goes_before_the_file_and_survives_a_restart(rules: Path) -> None:
    app = 'http://127.0.0.1:4000/"quoted"\u00e9'.replace('"', "%22")
    outcome = load_folder(rules, "production", variables={"app": app, "spare": "20"})
    assert outcome.policy is not None
    assert outcome.policy.actions["pause-redemption"].read_back.url.startswith(app)
    again = load_folder(rules, "production", last_good=outcome.files, variables={"app": app})
    assert again.policy == outcome.policy
