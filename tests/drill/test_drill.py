"""A drill by the real command: it passes, is recorded, and touches nothing of production."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from watchdog.core.asking import Command, Endpoint
from watchdog.core.drills import DrillStage
from watchdog.core.spec import Policy
from watchdog.demo.stage import Stage, shipped_rules, stage
from watchdog.drill.fence import Target, outside
from watchdog.drill.scenes import QUICK
from watchdog.policy import load_files, load_folder
from watchdog.policy.folder import read_folder

PROGRAM = Path(sys.executable).with_name("slo-watchdog")
UNASKED = [one.value for one in DrillStage if one is not DrillStage.APPROVE]
"""The stages of a drill in which no person must say yes."""
RESUMED = {"config": "drift: buildSha:", "partial": "read back: enabled"}
"""Why the episode of a drill lets go of what it has rolled back."""
TARGET = Target("http://127.0.0.1:4711", Path("/tmp/mycelia"))  # only a name here


def policy(**variables: str) -> Policy:
    given = {"app": TARGET.url, "public": TARGET.url, "mycelia": str(TARGET.root), **QUICK}
    load = load_folder(shipped_rules(), "sandbox", variables={**given, **variables})
    assert load.policy is not None, load.errors
    assert not load.errors
    return load.policy


def test_the_shipped_rules_stay_within_the_target() -> None:
    assert outside(policy(), TARGET) == ()


@pytest.mark.parametrize(
    ("variable", "place", "says"),
    [
        ("app", "http://127.0.0.1:47111", "reaches http://127.0.0.1:47111/"),
        ("public", "https://mycelia.example.org", "rule public-probe reaches https://mycelia"),
        ("launchctl", "/usr/bin/mycelia-launchctl", "reaches /usr/bin/mycelia-launchctl"),
        ("pnpm", "/tmp/mycelia/../pnpm", "reaches /tmp/mycelia/../pnpm"),
        ("pnpm", "/usr/bin/pnpm", "verification of pause-redemption reaches /usr/bin/pnpm"),
        ("mycelia", "/srv/mycelia", "restore-mainnet-config reaches /srv/mycelia/release/mainnet"),
        ("mycelia", "/srv/mycelia", "restore-system reaches /srv/mycelia/backups/system-backup"),
        ("mycelia", "/srv/mycelia", "rule release-files reaches /srv/mycelia/release/mainnet/"),
        ("mycelia", "/srv/mycelia", "rule por-attestation reaches /srv/mycelia/release/mainnet/"),
    ],
)
def test_what_lies_outside_is_named(variable: str, place: str, says: str) -> None:
    found = outside(policy(**{variable: place}), TARGET)
    assert any(says in one for one in found), found


def test_what_nobody_thought_of_is_met_as_well() -> None:
    plain = policy()
    action = plain.actions["pause-redemption"]
    elsewhere = replace(action, read_back=Endpoint("https://prod.example.org/flags"))
    other = replace(plain, actions={**plain.actions, "pause-redemption": elsewhere})
    assert outside(other, TARGET) == (
        "action pause-redemption reaches https://prod.example.org/flags",
    )


def contacting(text: str, **variables: str) -> tuple[str, ...]:
    """What the shipped rules reach with this contacts.yaml in place of theirs."""
    files = read_folder(shipped_rules()).files | {"contacts.yaml": text}
    given = {"app": TARGET.url, "public": TARGET.url, "mycelia": str(TARGET.root), **QUICK}
    load = load_files(files, "sandbox", variables={**given, **variables})
    assert load.policy is not None, load.errors
    assert not load.errors
    return outside(load.policy, TARGET)


TEAM = "audiences: {team: {to: [c]}}\n"
PAGE = "    components: {r: {name: R, targets: ['flag:btc_mainnet_redemption']}}\n"


@pytest.mark.parametrize(
    ("contacts", "place"),
    [
        (
            'channels: {c: {url: "mailto://relay.example.org?to=all@example.org"}}\n',
            "mailto://relay",
        ),
        ('channels: {c: {url: "json://127.0.0.1:4711/"}}\n', "json://127.0.0.1:4711/"),
        (
            'channels: {c: {webhook: "HTTPS://hooks.example.org/x"}}\n',
            "HTTPS://hooks.example.org/x",
        ),
        (
            "channels: {c: {apprise: none}}\nstatus-pages:\n  p:\n    file: /srv/status.json\n"
            "    host: any\n" + PAGE,
            "/srv/status.json",
        ),
    ],
)
def test_nobody_is_told_of_a_drill_by_a_channel_of_production(contacts: str, place: str) -> None:
    found = contacting("version: 1\n" + contacts + TEAM)
    assert any(f"contacts reaches {place}" in one for one in found), found


ROOT, URL = TARGET.root, TARGET.url


@pytest.mark.parametrize(
    ("argument", "within"),
    [
        ("pause", True), ("--quick", True), ("12:30", True), ("redemption:on", True),
        ("release/mainnet", True), (f"{ROOT}/release", True), (f"--root={ROOT}/release", True),
        (f"-C{ROOT}/release", True), (f"{ROOT}/a:{ROOT}/b", True), (f"--url={URL}/flags", True),
        ("127.0.0.1:4711", True),
        ("/srv/mycelia", False), ("--root=/srv/mycelia", False), ("-C/srv/mycelia", False),
        (f"{ROOT}/a:/srv/b", False), (f"--root={ROOT}/../prod", False), ("../prod", False),
        ("deploy@web-1:/srv/mycelia", False), ("~/.ssh/config", False), ("--home=~root", False),
        ("--url=https://prod.example.org", False), ("--flag=ftp://prod/x", False),
        (f"{URL}/a,https://prod.example.org", False), ("--db=prod.example.org:5432", False),
        ("127.0.0.1:47111", False),
    ],
)  # fmt: skip
def test_a_place_inside_of_an_argument_is_met(argument: str, *, within: bool) -> None:
    plain = policy()
    action = plain.actions["pause-redemption"]
    program = f"{ROOT}/bin/tool"
    with_it = replace(action, do=replace(action.do, how=Command((program, argument))))
    found = outside(replace(plain, actions={"pause-redemption": with_it}), TARGET)
    assert found == (() if within else (f"action pause-redemption reaches {argument}",))


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
