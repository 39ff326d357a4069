"""The demo tells the truth about how it ended, and leaves nothing behind."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from watchdog.demo.stage import shipped_rules, stage
from watchdog.demo.story import tell

PROGRAM = Path(sys.executable).with_name("slo-watchdog")


def test_a_stage_that_cannot_be_set_is_one_json_object_and_status_1(tmp_path: Path) -> None:
    ended = subprocess.run(
        [PROGRAM, "demo", "--once", "--json", "--rules", tmp_path / "none"],
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    told = json.loads(ended.stdout)
    assert (ended.returncode, told["ok"]) == (1, False)
    assert "there are no rules in" in told["failed"]
    assert "Traceback" not in ended.stderr


def test_rules_that_do_not_load_are_told_as_check_tells_them(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(shipped_rules(), rules)
    platform = rules / "platform.yaml"
    platform.write_text(platform.read_text().replace("scrape:", "scrap:", 1))
    contacts = rules / "contacts.yaml"
    contacts.write_text(contacts.read_text().replace("chat: {apprise", "chat: {aprise", 1))

    def ended(*argv: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAM, *argv], capture_output=True, text=True, timeout=90, check=False
        )

    demo = ended("demo", "--once", "--rules", rules)
    checked = ended("check", rules, "--environment", "sandbox")
    faults = [line for line in checked.stdout.splitlines() if line.startswith(str(tmp_path))]
    assert len(faults) > 1
    assert (demo.returncode, checked.returncode) == (1, 1)
    assert all(line in demo.stderr for line in faults), demo.stderr
    assert "Nothing was begun" in demo.stderr
    assert '"event"' not in demo.stderr, "no log of a daemon"


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A socket's path may have 107 bytes, which pytest's own folders use up."""
    with tempfile.TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


def test_ctrl_c_in_the_middle_leaves_no_process(short_folder: Path) -> None:
    demo = subprocess.Popen(
        [PROGRAM, "demo", "--once", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(short_folder)},
        start_new_session=True,
    )
    try:
        family: list[psutil.Process] = []
        ends = time.monotonic() + 90
        while not any(short_folder.glob("*/run.log")):  # the daemon was started
            assert demo.poll() is None, demo.communicate()
            assert time.monotonic() < ends, [str(one) for one in short_folder.rglob("*.log")]
            time.sleep(0.1)
        time.sleep(1)
        family = psutil.Process(demo.pid).children(recursive=True)
        assert family
        demo.send_signal(signal.SIGINT)
        out, err = demo.communicate(timeout=60)
    finally:
        demo.kill()
    assert demo.returncode == 1
    assert json.loads(out)["failed"] == "stopped before its end"
    assert b"Traceback" not in err
    assert [one for one in family if one.is_running()] == []
    assert list(short_folder.iterdir()) == []


@pytest.mark.sim
async def test_a_tool_that_lies_makes_the_story_fail_with_the_reason(tmp_path: Path) -> None:
    said: list[str] = []
    async with stage(tmp_path, shipped_rules(), watch="2s") as set_up:
        set_up.sandbox.launchctl.pretends_to_pause()
        story = await tell(set_up, said.append)
    assert not story.ok
    assert "latched" in story.failed
    assert story.effective_changes == 0
    assert [ep["state"] for ep in story.episodes] == ["latched"]
    assert json.loads(json.dumps(story.document()))["ok"] is False
