"""A drill by the real command: it passes, is recorded, and touches nothing of production."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.house.tree import REPOSITORY
from watchdog.cli.drill import DEFAULT_DOCUMENTS
from watchdog.core.drills import DrillStage
from watchdog.demo.stage import Stage, shipped_rules, stage

PROGRAM = Path(sys.executable).with_name("slo-watchdog")
UNASKED = [one.value for one in DrillStage if one is not DrillStage.APPROVE]
"""The stages of a drill in which no person must say yes."""
RESUMED = {"config": "drift: buildSha:", "partial": "read back: enabled"}
"""Why the episode of a drill lets go of what it has rolled back."""


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, "drill", *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, **more},
    )


def test_rules_that_reach_further_are_not_practised(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    for shipped in shipped_rules().rglob("*.yaml"):
        copy = rules / shipped.relative_to(shipped_rules())
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = shipped.read_text()
        copy.write_text(text.replace('"{{ app }}/health"', '"http://127.0.0.1:9/health"'))
    ended = run("run", "feature-flag", "--rules", str(rules), "--into", str(tmp_path))
    assert ended.returncode == 1
    assert "The drill was not begun: a drill must reach nothing but its own" in ended.stderr
    assert "pause-redemption reaches http://127.0.0.1:9/health" in ended.stderr
    assert list(tmp_path.iterdir()) == [rules], "no document of what was not begun"


@pytest.mark.skipif(DEFAULT_DOCUMENTS.parent.is_dir(), reason="the watchdog is installed here")
def test_where_nothing_is_installed_it_says_what_to_write() -> None:
    ended = run("run", "feature-flag")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert "there is no /var/lib/slo-watchdog, so nothing is installed here" in ended.stderr
    assert "--into FOLDER --unrecorded" in " ".join(ended.stderr.split())


@pytest.mark.sim
def test_where_no_daemon_runs_a_drill_that_passed_says_how_it_is_recorded(tmp_path: Path) -> None:
    nobody = str(tmp_path / "none.sock")
    ended = run("run", "feature-flag", "--into", str(tmp_path), "--socket", nobody)
    told = " ".join(ended.stderr.split())
    assert ended.returncode == 1
    assert "Passed, 6 of 6 stages" in ended.stdout
    assert f"{nobody} does not exist: no daemon runs here that would record it" in told
    assert "Record it: slo-watchdog drill record" in told
    assert "drill run --unrecorded" in told


def inside(folder: Path) -> list[Path]:
    return list(folder.iterdir())


@pytest.fixture
def temporary() -> Iterator[Path]:
    """Near the root, as a temporary folder is: a socket's path may have 107 bytes at most."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


async def test_a_drill_passes_is_recorded_and_leaves_production_alone(
    tmp_path: Path, temporary: Path
) -> None:
    production = tmp_path / "p"
    production.mkdir()
    rules = tmp_path / "rules"
    rules.mkdir()
    platform = (shipped_rules() / "platform.yaml").read_text()
    with_plan = platform + "\ndrills: {feature-flag: {every: 30d}, full: {every: 90d}}\n"
    for shipped in shipped_rules().rglob("*.yaml"):
        copy = rules / shipped.relative_to(shipped_rules())
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(with_plan if shipped.name == "platform.yaml" else shipped.read_text())
    async with stage(production, rules, watch="2s") as real:
        socket = str(production / "control.sock")
        before = real.sandbox.flag_requests(method="PUT")
        ended = run(
            *("run", "feature-flag", "--json", "--into", str(tmp_path), "--socket", socket),
            TMPDIR=str(temporary),
        )
        assert ended.returncode == 0, ended.stderr + ended.stdout
        told = json.loads(ended.stdout)
        status = await real.read("/v1/status")
        again = run("record", told["document"], "--yes", "--socket", socket)
        assert real.sandbox.flag_requests(method="PUT") == before
        assert real.sandbox.flag_changes() == 0
        assert await real.read("/v1/episodes") == []
    assert told["passed"]
    assert [one["stage"] for one in told["stages"]] == UNASKED
    assert all(one["met"] for one in told["stages"])
    assert told["episode"]["changes"][0]["outcome"] == "done"
    assert inside(temporary) == [], "the drill's folder is gone"
    text = Path(told["document"]).with_suffix(".md").read_text()
    assert "# Drill: Feature flag rollback: passed" in text
    assert "6 of 6 stages within their bounds" in text
    assert all(f"### {word}" in text for word in ("Improvements", "Procedures", "Training"))

    flag, full = status["drills"]
    assert (flag["drill"], flag["overdue"], flag["last"]["passed"]) == ("feature-flag", False, True)
    assert flag["last"]["document"] == told["document"]
    assert (full["drill"], full["overdue"], full["last"]) == ("full", True, None)
    (action,) = [one for one in status["actions"] if one["name"] == "pause-redemption"]
    assert action["last_good_drill"]["name"] == flag["last"]["name"] == "T1"
    assert again.returncode == 4
    assert "on the record already, as T1" in again.stderr


@pytest.mark.sim
@pytest.mark.parametrize(("kind", "stages"), [("config", 7), ("partial", 6)])
def test_the_other_kinds_pass(tmp_path: Path, kind: str, stages: int) -> None:
    ended = run("run", kind, "--json", "--unrecorded", "--into", str(tmp_path))
    assert ended.returncode == 0, ended.stderr + ended.stdout
    told = json.loads(ended.stdout)
    assert told["passed"]
    assert [one["met"] for one in told["stages"]] == [True] * stages
    printed = [step["output"] for one in told["episode"]["changes"] for step in one["steps"]]
    assert any("release/mainnet verified" in text for text in printed) is (kind == "config")
    let_go = [one for one in told["episode"]["timeline"] if one["what"] == "watched"]
    assert let_go[-1]["text"].startswith("from contained: " + RESUMED[kind])


def test_it_waits_for_what_the_named_checks_say_before_it_goes_on(tmp_path: Path) -> None:
    """Each of them is known, though one never holds: an undo would have left that unknown, and the
    drill's end the others.
    """
    rules = tmp_path / "rules"
    shutil.copytree(shipped_rules(), rules)
    for file, holds, never in (
        (rules / "platform.yaml", "peg.status == 'ok'\"", "peg.status == 'never'\""),
        (rules / "vars/sandbox.yaml", "verify_within: 10s", "verify_within: 2s"),
    ):
        assert holds in file.read_text()
        file.write_text(file.read_text().replace(holds, never, 1))
    ended = run(
        *("run", "feature-flag", "--json", "--unrecorded"),
        *("--rules", str(rules), "--into", str(tmp_path)),
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout
    do, undo = json.loads(ended.stdout)["episode"]["verifications"]
    assert (do["direction"], undo["direction"]) == ("do", "undo")
    for one in (do, undo):
        assert {check["check"]: check["truth"] for check in one["checks"]} == {
            "diagnose": "true", "ops-lint": "true", "status-document": "false",
            "launch-status": "true", "por-attestation": "true", "critical-path": "true",
        }  # fmt: skip


@pytest.mark.sim
def test_whoever_has_set_up_who_is_told_as_the_docs_say_may_practise(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(shipped_rules(), rules)
    docs = (REPOSITORY / "docs/telling.md").read_text().partition("## A whole set-up")[2]
    (rules / "contacts.yaml").write_text(docs.partition("```yaml\n")[2].partition("```")[0])
    assert "statuspage:" in (rules / "contacts.yaml").read_text()
    ended = run(
        "run", "feature-flag", "--unrecorded", "--rules", str(rules), "--into", str(tmp_path)
    )
    assert ended.returncode == 0, ended.stderr + ended.stdout


@pytest.mark.sim
async def test_the_daemon_starts_what_is_due_and_hears_how_it_went(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(shipped_rules(), rules)
    platform = rules / "platform.yaml"
    plan = "\ndrills: {partial: {every: 30d, run: true}}\n"
    platform.write_text(platform.read_text() + plan)
    production = tmp_path / "p"
    production.mkdir()

    async def done(real: Stage) -> dict[str, Any] | None:
        (one,) = (await real.read("/v1/status"))["drills"]
        return dict(one) if one["last"] is not None else None

    async with stage(production, rules, watch="2s") as real:
        found = await real.until("the drill", 200, done)
    assert (found["last"]["passed"], found["overdue"]) == (True, False), found
    assert Path(found["last"]["document"]).parent == production / "state" / "drills"


def test_it_is_stopped_in_the_middle_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "t"
    folder.mkdir()
    drill = subprocess.Popen(
        [PROGRAM, "drill", "run", "feature-flag", "--unrecorded", "--into", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    try:
        ends = time.monotonic() + 60
        while not any(folder.glob("*/init.log")):
            assert drill.poll() is None, drill.communicate()
            assert time.monotonic() < ends
            time.sleep(0.1)
        drill.terminate()
        _, err = drill.communicate(timeout=60)
    finally:
        drill.kill()
    assert drill.returncode == 1
    assert b"Stopped before its end" in err
    assert b"Traceback" not in err
    assert list(folder.iterdir()) == []
