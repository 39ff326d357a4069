"""The report in a real browser: it draws itself, complains of nothing, asks for nothing."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.lab.backtest.past import (
    BEGAN,
    EVERY,
    SPAN,
    counters,
    openmetrics,
    policy,
    rules_folder,
)
from tests.lab.backtest.test_tune import KNOWN
from tests.real_parts.server import program
from watchdog.lab.backtest import Settings, Stage, replay
from watchdog.lab.backtest.against import compare
from watchdog.lab.backtest.score import score
from watchdog.lab.history import read_openmetrics
from watchdog.lab.report.document import iso
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
    "--host-resolver-rules=MAP * ~NOTFOUND",
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


def opened(text: str, folder: Path) -> tuple[str, list[str], set[str]]:
    """The drawn page, what it complained of, and what it asked for (not the browser by itself)."""
    file, log = folder / "report.html", folder / "net.json"
    file.write_text(text, encoding="utf-8")
    words = [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--dump-dom"]
    done = subprocess.run(
        [program("chromium", "chromium"), *BROWSER, *words, f"file://{file}"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    events = json.loads(log.read_text())["events"]
    requests = [e["params"] for e in events if "initiator" in e.get("params", {})]
    asked = {p["url"] for p in requests if p["initiator"] != "not an origin"}
    return done.stdout, complaints, {url for url in asked if url.startswith("http")}


def test_it_draws_itself_without_a_complaint_or_a_request(report: str, tmp_path: Path) -> None:
    page_text, complaints, asked = opened(report, tmp_path)
    assert 'data-drawn="yes"' in page_text
    assert page_text.count('class="main-svg"') >= 4, "three rules and the sweep"
    assert not complaints
    assert not asked


def test_a_page_that_complains_and_asks_would_be_seen(tmp_path: Path) -> None:
    naughty = '<img src="http://tracker.invalid/x"><script>console.error("oh")</script>'
    _, complaints, asked = opened(naughty, tmp_path)
    assert any("oh" in line for line in complaints)
    assert asked == {"http://tracker.invalid/x"}


def test_what_people_wrote_is_never_markup(report: str) -> None:
    assert NASTY not in report
    assert "&lt;/script&gt;&lt;img" in report
    assert json.loads(embedded({"a": NASTY})) == {"a": NASTY}
    assert "</script" not in embedded({"a": NASTY})


def test_it_says_the_score(report: str) -> None:
    assert "1 of 2 incidents" in report
    assert "half of all fail" in report
    assert "not detected" in report


def test_a_line_breaks_where_its_rule_was_blind_and_every_plot_shows_the_whole_time(
    tmp_path: Path,
) -> None:
    def torn(step: int) -> dict[str, float]:
        return {} if 300 <= step < 340 else counters(step)

    stage = Stage.of(policy(rules_folder(tmp_path / "r")), Settings(), only=["queue"])
    history = read_openmetrics(openmetrics(tmp_path / "h", torn), None)
    text = page(replay(stage, history, SPAN, Settings()), None)
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text)
    assert found is not None
    data = json.loads(found[1])
    assert data["span"] == [iso(SPAN.start), iso(SPAN.end)]
    (plot,) = data["rules"]
    gone = [at for at, value in zip(plot["times"], plot["values"], strict=True) if value is None]
    assert [iso(BEGAN + EVERY * 300)] == gone[-1:]
    assert plot["times"] == sorted(plot["times"])
