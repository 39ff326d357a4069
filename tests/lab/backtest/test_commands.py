"""`backtest` and `tune` as they are typed: statuses, JSON, diffs, and errors in words."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lab.backtest.past import RULES, openmetrics, rules_folder
from watchdog.cli import main

INCIDENTS = "start,end,severity,rule,name\n1790006010,1790007210,P0,,outage\n"


Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def watchdog(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command in this process: its status, stdout and stderr."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["slo-watchdog", *map(str, words)])
        monkeypatch.setenv("COLUMNS", "60")
        capsys.readouterr()
        status = 0
        try:
            main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return status, out, err

    return run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    rules_folder(folder / "rules")
    openmetrics(folder / "past.om")
    (folder / "incidents.csv").write_text(INCIDENTS)
    return folder


def test_a_backtest_scores_and_compares_with_a_git_revision(place: Path, watchdog: Run) -> None:
    rules = place / "rules"
    git = ["git", "-C", str(place), "-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "add", "rules"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "first"], check=True)
    (rules / "team" / "rules.yaml").write_text(RULES.replace("> 10%", "> 20%"))
    try:
        status, out, err = watchdog(
            "backtest", rules, "--openmetrics", place / "past.om", "--json",
            "--incidents", place / "incidents.csv", "--against", "HEAD", "--rule", "share",
        )  # fmt: skip
    finally:
        (rules / "team" / "rules.yaml").write_text(RULES)
    assert status == 0, err
    document = json.loads(out)
    assert document["score"]["overall"]["recall"] == 1.0
    (incident,) = document["against"]["incidents"]
    assert incident["verdict"] == "later"
    assert incident["now_seconds"] > incident["before_seconds"]


def test_one_file_of_incidents_serves_every_rule_of_the_folder(place: Path, watchdog: Run) -> None:
    known = place / "known.csv"
    known.write_text(INCIDENTS + "1790006010,1790007210,P2,queue,a long queue\n")
    words = ("--openmetrics", place / "past.om", "--incidents", known, "--json")
    for command in (
        ("backtest", place / "rules", "--rule", "share"),
        ("tune", "share", "--rules", place / "rules", "--factors", "1", "--windows", "1"),
    ):
        status, out, err = watchdog(*command, *words)
        assert status == 0, err
        assert f"{known}:3:1: not counted: it concerns no rule that is replayed" in err
        assert '"incidents": 1' in out, "the other one is all there is for this rule"
    known.write_text(INCIDENTS + "1790006010,1790007210,P2,queu,a slip\n")
    status, _, err = watchdog("backtest", place / "rules", "--rule", "share", *words)
    assert (status, "there is no rule queu" in err) == (1, True)


def test_people_are_told_in_words(place: Path, watchdog: Run) -> None:
    status, out, _ = watchdog("backtest", place / "rules", "--openmetrics", place / "past.om")
    assert status == 0
    assert "as the core decides it" in out
    assert "share" in out
    assert "pause at" in out


def test_people_are_told_why_a_rule_was_blind(place: Path, watchdog: Run) -> None:
    gone = RULES.replace("max(queue_length) * 2", "'max(queue_length{is=\"gone\"})'")
    (place / "rules" / "team" / "rules.yaml").write_text(gone)
    words = ("--openmetrics", place / "past.om", "--rule", "queue")
    try:
        status, out, _ = watchdog("backtest", place / "rules", *words)
    finally:
        (place / "rules" / "team" / "rules.yaml").write_text(RULES)
    (row,) = [line for line in out.splitlines() if line.startswith("queue ")]
    assert "nothing matches" in row
    assert (status, "No episode: no rule was breached in this time." in out) == (0, True)
    assert "would do" not in out, "no header without rows"


def test_a_rule_that_hears_events_has_no_history(place: Path, watchdog: Run) -> None:
    rules, platform = place / "rules/team/rules.yaml", place / "rules/platform.yaml"
    was = platform.read_text()
    told = "  told:\n    severity: P2\n    event: {from: security, match: {a: b}}\n"
    rules.write_text(RULES + told)
    platform.write_text(was + "events:\n  security: {hmac: security-webhook}\n")
    words = ("--openmetrics", place / "past.om", "--rule", "told")
    try:
        status, out, err = watchdog("backtest", place / "rules", *words)
    finally:
        rules.write_text(RULES)
        platform.write_text(was)
    assert (status, out) == (1, "")
    assert "told: team/rules.yaml:" in err
    assert "it hears events, which have no history" in err


def test_a_row_is_one_line_when_piped(place: Path, watchdog: Run) -> None:
    past = ("--openmetrics", place / "past.om")
    out = watchdog("backtest", place / "rules", *past)[1]
    (row,) = [line for line in out.splitlines() if line.startswith("E1 ")]
    assert row.count("09-21 ") == 3, "opened, fired and recovered"
    assert row.rstrip().endswith("> 50")


def test_people_are_told_of_incidents_that_are_not_counted(place: Path, watchdog: Run) -> None:
    known = place / "half.csv"
    known.write_text(INCIDENTS + "1789990000,1790000300,P0,,half before it\n")
    words = ("--openmetrics", place / "past.om", "--incidents", known)
    status, out, _ = watchdog("backtest", place / "rules", *words)
    assert status == 0
    assert f"Not counted, since it reaches beyond the replayed time: {known}:3:1" in out
    assert "(1 of 1 incidents)" in out


def test_tune_shows_an_edit_and_writes_it_only_when_told(place: Path, watchdog: Run) -> None:
    file = place / "rules" / "team" / "rules.yaml"
    words = (
        "tune", "share", "--rules", place / "rules", "--openmetrics", place / "past.om",
        "--incidents", place / "incidents.csv", "--factors", "0.5,1", "--windows", "1",
        "--choose", "1",
    )  # fmt: skip
    status, out, err = watchdog(*words)
    assert status == 0, err
    assert '+      breach_when: "> 5%"   # of all' in out
    assert file.read_text() == RULES
    assert watchdog(*words, "--write")[0] == 0
    assert file.read_text() == RULES.replace("> 10%", "> 5%")
    file.write_text(RULES)


def test_tune_offers_no_choice_where_there_is_none(place: Path, watchdog: Run) -> None:
    words = ("--openmetrics", place / "past.om", "--incidents", place / "incidents.csv")
    given = ("tune", "share", "--rules", place / "rules", *words, "--windows", "1", "--factors")
    status, out, err = watchdog(*given, "1")
    assert status == 0, err
    assert "--choose" not in out
    assert "Nothing else was tried: widen --factors" in out
    assert "--choose NUMBER" in watchdog(*given, "0.5,1")[1]


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (("--openmetrics", "none.om"), 1, "none.om:1:1: No such file"),
        (("--openmetrics", "past.om", "--prometheus", "http://x"), 2, "Say one past"),
        (("--prometheus", "x:9090"), 2, "write its address"),
        (("--openmetrics", "past.om", "--match", 'app:job="a"'), 2, "say both"),
        (("--prometheus", "http://x", "--match", 'prom:job="a"'), 2, "Embedded sources: app"),
        (("--prometheus", "http://x", "--match", "app"), 2, "SOURCE:LABEL="),
        (("--prometheus", "http://x", "--match", "app:job=a"), 2, "--match app:job=a:"),
        (("--prometheus", "http://x", "--match", "app:"), 2, "matches everything"),
        ((), 2, "app is no Prometheus and keeps no past"),
        (
            ("--openmetrics", "past.om", "--rule", "shar"),
            4,
            "there is no rule shar. Did you mean share?",
        ),
        (("--openmetrics", "past.om", "--from", "then"), 2, "'then' is no time"),
        (("--openmetrics", "past.om", "--against", "nowhere"), 1, "neither a folder nor a"),
        (("--openmetrics", "past.om", "--against", "--output=x"), 1, "neither a folder nor a"),
        (("--openmetrics", "past.om", "--incidents", "past.om"), 1, "past.om:"),
        (("--openmetrics", "incidents.csv"), 1, "incidents.csv:1:1: not a sample"),
        (("--openmetrics", "one.om"), 1, "samples from 2026-09-21T14:13:20Z to 2026-09-21T14:13"),
    ],
)
def test_what_is_wrong_is_said(
    place: Path, words: tuple[str, ...], status: int, said: str, watchdog: Run
) -> None:
    files = {"none.om", "past.om", "incidents.csv", "one.om"}
    (place / "one.om").write_text('requests_total{code="200"} 5 1790000000\n# EOF\n')
    found = watchdog("backtest", place / "rules", *(place / w if w in files else w for w in words))
    assert (found[0], said in " ".join(found[2].split())) == (status, True), found[2]


def test_a_hundred_megabytes_of_something_else_are_refused_at_once(
    place: Path, watchdog: Run
) -> None:
    big = place / "big"
    with big.open("wb") as file:
        file.truncate(100 << 20)
    began = time.monotonic()
    status, _, err = watchdog("backtest", place / "rules", "--openmetrics", big)
    assert (status, "big:1:1: not a sample" in err) == (1, True)
    assert time.monotonic() - began < 2
    big.unlink()
