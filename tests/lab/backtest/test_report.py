"""The report in a real browser: it draws itself, complains of nothing, asks for nothing."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.lab.backtest.past import SPAN, openmetrics, policy, rules_folder
from tests.lab.backtest.test_tune import KNOWN
from tests.real_parts.server import program
from watchdog.lab.backtest import Settings, Stage, replay
from watchdog.lab.backtest.against import compare
from watchdog.lab.backtest.score import score
from watchdog.lab.history import read_openmetrics
from watchdog.lab.report.page import embedded, page
from watchdog.lab.tune import Grid, Sweep, sweep, variants

BROWSER = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--enable-logging=stderr",
    "--virtual-time-budget=10000",
)
NASTY = "</script><img src=http://tracker.invalid/x onerror=alert(1)>"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """With everything that a report can hold."""
    folder = tmp_path_factory.mktemp("report")
    settings = Settings()
    plan = policy(rules_folder(folder / "r"))
    stage = Stage.of(plan, settings)
    history = read_openmetrics(openmetrics(folder / "h"), None)
    known = [KNOWN, type(KNOWN)(KNOWN.end + 3000, KNOWN.end + 4000, KNOWN.severity, name=NASTY)]
    run = replay(stage, history, SPAN, settings, known)
    scored = score(run.firings, known, stage.policy.rules, SPAN)
    one = Stage.of(plan, settings, only=["share"])
    tried, refused = variants(one.policy.rules["share"], Grid())
    points = sweep(one, tried, history, SPAN, settings, known)
    found = Sweep("share", points, tuple(refused)).document()
    return page(run, scored, compare(run, run, (scored, scored)), found)


def test_it_draws_itself_without_a_complaint_or_a_request(report: str, tmp_path: Path) -> None:
    file, log = tmp_path / "report.html", tmp_path / "net.json"
    file.write_text(report, encoding="utf-8")
    done = subprocess.run(
        [
            program("chromium", "chromium"),
            *BROWSER,
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--log-net-log={log}",
            "--dump-dom",
            f"file://{file}",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 'data-drawn="yes"' in done.stdout, done.stderr[-2000:]
    assert done.stdout.count('class="main-svg"') >= 4, "three rules and the sweep"
    assert "CONSOLE" not in done.stderr, [x for x in done.stderr.splitlines() if "CONSOLE" in x]
    asked = set(re.findall(r'"url":"(?!file:|data:|blob:|chrome)([^"]+)"', log.read_text()))
    assert not asked


def test_what_people_wrote_is_never_markup(report: str) -> None:
    assert NASTY not in report
    assert "&lt;/script&gt;&lt;img" in report
    assert json.loads(embedded({"a": NASTY})) == {"a": NASTY}
    assert "</script" not in embedded({"a": NASTY})


def test_it_says_the_score(report: str) -> None:
    assert "1 of 2 incidents" in report
    assert "half of all fail" in report
    assert "not detected" in report
