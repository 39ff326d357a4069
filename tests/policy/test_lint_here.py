"""`check` without `--live` looks for this host's tools, and for no other host's."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.policy.lint_examples import well
from watchdog.cli import app

ID = "action-never-ready"


def written(folder: Path, undo: str, host: str = "any") -> Path:
    files = well()
    files["platform.yaml"] = (
        files["platform.yaml"]
        .replace('undo: {run: [resume], expect: "on == `true`"}', f"undo: {{{undo}}}")
        .replace("    deadline: 10s\n", f"    deadline: 10s\n    host: {host}\n")
    )
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def step(*words: str, also: str = "") -> str:
    return f'run: [{", ".join(words)}], expect: "on == `true`"{also}'


def findings(folder: Path) -> list[dict[str, object]]:
    ended = CliRunner().invoke(app, ["check", str(folder), "--json"])
    assert ended.exit_code == 0, "a warning does not fail"
    strict = CliRunner().invoke(app, ["check", str(folder), "--strict"])
    assert strict.exit_code == 0, "a pipeline's host need not have the tools"
    return [one for one in json.loads(ended.output)["findings"] if one["id"] == ID]


@pytest.mark.parametrize("host", ["any", socket.gethostname()])
def test_a_command_that_is_not_on_path_is_told_once_with_what_was_looked_for(
    tmp_path: Path, host: str
) -> None:
    folder = written(tmp_path, step("no-such-tool"), host)
    (found,) = findings(folder)
    assert found["environments"] == ["production", "staging"]
    assert "no executable no-such-tool on PATH /usr/local/sbin:" in str(found["what"])
    line = (folder / "platform.yaml").read_text().splitlines()[int(str(found["line"])) - 1]
    assert line[int(str(found["column"])) - 1 :].startswith("no-such-tool")


@pytest.mark.parametrize(
    "command",
    ['verify: [{run: ["true"]}, {run: [no-such-tool]}]', "publish: {run: [no-such-tool]}"],
)
def test_what_verifies_and_publishes_a_configuration_is_looked_for(
    tmp_path: Path, command: str
) -> None:
    folder = written(tmp_path, step("sh"))
    file = folder / "platform.yaml"
    folders = "{current: /srv/release/live, previous: /srv/release/before}"
    added = f"""\
  put-back:
    config: {folders}
    anchor: {{build: {{file: BUILD_SHA}}, margin: 10m}}
    {command}
    read_back: {{get: "http://localhost:1/status", expect: "build == '${{anchor.build}}'"}}
    deadline: 1m
    host: any
"""
    file.write_text(file.read_text().replace("playbooks:\n", added + "playbooks:\n"))
    (found,) = findings(folder)
    assert "no executable no-such-tool" in str(found["what"])
    line = file.read_text().splitlines()[int(str(found["line"])) - 1]
    assert line[int(str(found["column"])) - 1 :].startswith("no-such-tool")


def test_another_hosts_commands_are_looked_for_there(tmp_path: Path) -> None:
    assert findings(written(tmp_path, step("no-such-tool"), "mainnet-1.example")) == []


def test_what_is_on_path_is_found(tmp_path: Path) -> None:
    assert findings(written(tmp_path, step("sh"))) == []


def test_a_path_that_is_let_through_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = written(tmp_path, step("ours", also=", env: [PATH]"))
    tool = tmp_path / "bin" / "ours"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\n")
    monkeypatch.setenv("PATH", str(tool.parent))
    (found,) = findings(folder)
    assert f"no executable ours on PATH {tool.parent}" in str(found["what"])
    tool.chmod(0o755)
    assert findings(folder) == []
    tool.write_text("#!/usr/bin/no-such-interpreter\n")
    (found,) = findings(folder)
    assert f"{tool} needs /usr/bin/no-such-interpreter" in str(found["what"])


def test_a_whole_path_is_told_as_it_is(tmp_path: Path) -> None:
    (found,) = findings(written(tmp_path, step("/no/such/tool")))
    assert str(found["what"]).endswith("on this host: no executable /no/such/tool")


def test_with_live_the_preflight_looks_and_it_is_told_once(tmp_path: Path) -> None:
    folder = written(tmp_path, step("no-such-tool"))
    ended = CliRunner().invoke(app, ["check", str(folder), "--live", "--json"])
    ids = [one["id"] for one in json.loads(ended.output)["findings"]]
    assert ID not in ids
    assert "action-not-ready" in ids


def test_a_check_that_could_never_be_known_is_told_of_and_keeps_no_action_back(
    tmp_path: Path,
) -> None:
    written(tmp_path, step("sh"))
    platform = tmp_path / "platform.yaml"
    text = platform.read_text()
    checks = "    verification: {flow: {command: [no-such-tool]}, ls: {command: [ls]}}\n"
    platform.write_text(text.replace("    deadline: 10s\n", f"{checks}    deadline: 10s\n"))
    ended = CliRunner().invoke(app, ["check", str(tmp_path), "--json"])
    told = [one for one in json.loads(ended.output)["findings"] if "no-such-tool" in one["what"]]
    assert {one["id"] for one in told} == {"check-never-known"}
    assert told[0]["what"].startswith("the check flow is never known on this host: ")
