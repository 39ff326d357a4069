"""The command `import`: what it prints, writes and answers."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.policy.importers.samples import PROMETHEUS, SLOTH
from watchdog.cli import app
from watchdog.policy import load_files

BROKEN = "groups: [{name: g, rules: [{alert: A, expr: 'sum('}, {alert: B, expr: 'sum(q) > 1'}]}]\n"


def line_of(text: str) -> int:
    return next(n for n, line in enumerate(PROMETHEUS.splitlines(), 1) if text in line)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, arguments)])


@pytest.fixture
def alerts(tmp_path: Path) -> Path:
    path = tmp_path / "Shop Alerts.rules.yml"
    path.write_text(PROMETHEUS)
    return path


def test_the_rules_are_printed_and_the_report_stands_beside_them(alerts: Path) -> None:
    done = run(alerts)
    assert done.exit_code == 0
    assert "high-error-rate:" in done.stdout
    pod, alert = line_of("pod:"), line_of("alert:")
    assert f"{alerts}:{pod}:11: dropped: HighErrorRate.labels.pod" in done.stderr
    assert f"high-error-rate <- alert HighErrorRate ({alerts}:{alert}:9)" in done.stderr
    assert "1 rule, " in done.stderr
    assert "dropped:" not in done.stdout, "what is printed is a rule file and nothing else"


def test_into_a_folder_they_are_written_once(alerts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    done = run(alerts, "--owner", "shop-team", "--source", "main", "-o", folder)
    assert done.exit_code == 0
    written = folder / "shop-team" / "shop-alerts.yaml"
    assert str(written) in done.stdout
    platform = "version: 1\nenvironment: e\nsources: {main: {prometheus: 'http://p', every: 15s}}\n"
    files = {"platform.yaml": platform, "shop-team/shop-alerts.yaml": written.read_text()}
    load = load_files(files, "e")
    assert load.complete
    assert load.policy is not None
    assert load.policy.rules["high-error-rate"].owner == "shop-team"
    before = written.read_text()
    again = run(alerts, "--owner", "shop-team", "-o", folder)
    assert again.exit_code == 4
    assert "exists; nothing was written" in again.stderr
    assert written.read_text() == before


def test_with_errors_nothing_is_written_unless_asked_for(tmp_path: Path) -> None:
    path, folder = tmp_path / "broken.yaml", tmp_path / "rules"
    path.write_text(BROKEN)
    done = run(path, "-o", folder)
    assert done.exit_code == 1
    assert f"{path}:1:45: it is no PromQL" in done.stderr
    assert "nothing was written" in done.stderr
    assert not folder.exists()
    partly = run(path, "-o", folder, "--partly")
    assert partly.exit_code == 1, "there are errors all the same"
    assert "b:" in (folder / "imported" / "broken.yaml").read_text()


def test_for_machines_it_is_one_document(alerts: Path) -> None:
    done = run(alerts, "--json")
    said = json.loads(done.stdout)
    assert said["ok"] is True
    (rule,) = said["rules"]
    assert (rule["name"], rule["of"]) == ("high-error-rate", "alert HighErrorRate")
    assert (rule["file"], rule["line"]) == (str(alerts), line_of("alert:"))
    assert {"fate", "field", "file", "line", "column", "what", "remedy"} == set(said["notes"][0])
    assert said["text"].startswith("# Imported from")


def test_several_files_are_read_as_one(alerts: Path, tmp_path: Path) -> None:
    other = tmp_path / "sloth.yaml"
    other.write_text(SLOTH)
    done = run(alerts, other)
    assert done.exit_code == 0
    assert "shop-availability-page:" in done.stdout
    assert "high-error-rate:" in done.stdout


def test_what_is_no_text_file_is_refused_at_once(tmp_path: Path) -> None:
    huge, binary, pipe = tmp_path / "huge.yaml", tmp_path / "binary.yaml", tmp_path / "pipe"
    with huge.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    binary.write_bytes(bytes(range(256)))
    os.mkfifo(pipe)
    cases = {
        huge: "bytes; ",
        binary: "no UTF-8 text",
        pipe: "no regular file",
        tmp_path: "cannot be read",
        tmp_path / "nowhere": "cannot be read",
    }
    for path, says in cases.items():
        began = time.monotonic()
        done = run(path)
        assert time.monotonic() - began < 2
        assert done.exit_code == 1
        assert says in done.stderr or "regular" in done.stderr
        at = "2:118" if path is binary else "1:1"
        assert done.stderr.startswith(f"{path}:{at}: ")


@pytest.mark.parametrize("option", ["--owner", "--source"])
def test_names_are_names(alerts: Path, option: str) -> None:
    done = run(alerts, option, "../x")
    assert done.exit_code == 2
    assert "small letters" in done.stderr
