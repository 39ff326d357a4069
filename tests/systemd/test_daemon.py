"""The installed daemon under a real systemd: it says that it is ready, lives, and comes back."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.systemd.container import Container

pytestmark = pytest.mark.timeout(600)

UNIT = "slo-watchdog.service"

SETTINGS = """\
environment = "production"
max_mode = "shadow"
time_sync = "ignore"
checkpoint_every = 0.5
"""

PLATFORM = """\
version: 1
environment: production
sources:
  app: {scrape: "http://127.0.0.1:9101/metrics", every: 1s}
"""

# Breached from its first sample, and for so long that only a clock that goes on gets there.
RULES = """\
version: 1
rules:
  queue-too-long:
    severity: P2
    source: app
    threshold: {expr: queue_length, breach_when: "> 10"}
    for: 1h
    mode: observe
"""

# A page that any plain file server can serve as metrics.
EXPORTER = """\
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"# TYPE queue_length gauge\\nqueue_length 99\\n"
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
ThreadingHTTPServer(("127.0.0.1", 9101), Page).serve_forever()
"""
EXPORTER_UNIT = "[Service]\nExecStart=/usr/bin/python3 /opt/exporter.py\n"

# Three seconds without a pass instead of twenty, so that the test need not wait for them.
IMPATIENT = "[Service]\nWatchdogSec=3\n"

READ_STATUS = """\
import urllib.request
print(urllib.request.urlopen("http://127.0.0.1:9847/api/v1/status", timeout=5).read().decode())
"""


def watch_a_queue(host: Container) -> None:
    """Settings and rules of the operator's own, and a service with a queue that is too long."""
    host.run("sh", "-c", "rm -rf /etc/slo-watchdog/rules/*")
    host.write("/etc/slo-watchdog/watchdog.toml", SETTINGS)
    host.write("/etc/slo-watchdog/rules/platform.yaml", PLATFORM)
    host.write("/etc/slo-watchdog/rules/app-team/rules.yaml", RULES)
    host.write("/opt/exporter.py", EXPORTER)
    host.write("/run/systemd/system/exporter.service", EXPORTER_UNIT)
    host.systemctl("daemon-reload")
    host.systemctl("start", "exporter.service")


@pytest.fixture
def running(installed: Container) -> Iterator[Container]:
    """A host with the watchdog running, and a service with a queue that is too long."""
    installed.write(f"/run/systemd/system/{UNIT}.d/impatient.conf", IMPATIENT)
    watch_a_queue(installed)
    started = installed.run("systemctl", "start", UNIT, check=False)
    try:
        assert started.returncode == 0, installed.journal(UNIT)
        yield installed
    finally:
        installed.systemctl("stop", UNIT, check=False)
        installed.systemctl("stop", "exporter.service", check=False)


def status(host: Container) -> dict[str, Any]:
    """What the daemon says of itself; empty while it does not answer."""
    asked = host.run("python3", "-c", READ_STATUS, check=False)
    told: dict[str, Any] = json.loads(asked.stdout) if asked.returncode == 0 else {}
    return told


def status_when(host: Container, told: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The daemon's status as soon as it says what is waited for."""
    deadline = time.monotonic() + 20
    while not told(seen := status(host)):
        assert time.monotonic() < deadline, f"{seen}\n{host.journal(UNIT)}"
        time.sleep(0.2)
    return seen


def has_held(seconds: float) -> Callable[[dict[str, Any]], bool]:
    """Whether the rule has been breached for so long, by the daemon's own count."""
    return lambda told: any(rule["held_seconds"] >= seconds for rule in told.get("rules", ()))


def test_it_is_ready_only_when_it_serves_and_says_what_it_watches(running: Container) -> None:
    assert running.show(UNIT, "ActiveState") == "active"
    assert status(running)["environment"] == "production"
    running.wait_until(UNIT, "StatusText", "Watching 1 rule, 1 open episode")


def test_a_stopped_daemon_is_killed_and_comes_back_with_its_episode_and_clocks(
    running: Container,
) -> None:
    before = status_when(running, has_held(3.0))
    status_when(running, has_held(5.0))  # by now a checkpoint has at least what was seen before
    first = running.main_pid(UNIT)

    running.run("kill", "-STOP", str(first))
    running.wait_until(UNIT, "NRestarts", "1")
    running.wait_until(UNIT, "ActiveState", "active")
    after = status_when(running, has_held(0.001))

    assert running.main_pid(UNIT) not in (0, first)
    assert "Watchdog timeout" in running.journal(UNIT)
    (episode,) = before["episodes"]
    (continued,) = after["episodes"]
    assert continued["id"] == episode["id"]
    assert continued["opened"] == episode["opened"]
    assert after["rules"][0]["held_seconds"] >= before["rules"][0]["held_seconds"]


def test_the_control_socket_is_the_groups_and_nobody_elses(running: Container) -> None:
    asked = ("stat", "-c", "%a %U %G", "/run/slo-watchdog", "/run/slo-watchdog/control.sock")
    assert running.run(*asked).stdout.splitlines() == [
        "750 slo-watchdog slo-watchdog",
        "660 slo-watchdog slo-watchdog",
    ]


def test_a_bad_rule_on_reload_leaves_the_daemon_and_its_rules_alone(running: Container) -> None:
    before = status(running)
    running.write("/etc/slo-watchdog/rules/app-team/rules.yaml", "version: 1\nrules: {broken: [}\n")

    running.systemctl("reload", UNIT)
    time.sleep(1)

    assert running.main_pid(UNIT) != 0
    assert status(running)["policy"] == before["policy"]
    assert "rules.yaml:2:" in running.journal(UNIT)


def test_it_stops_in_order_when_asked(running: Container) -> None:
    running.systemctl("stop", UNIT)
    assert running.show(UNIT, "Result") == "success"
    assert running.show(UNIT, "ExecMainStatus") == "0"


def test_without_its_journal_it_refuses_dies_for_good_and_pages(running: Container) -> None:
    running.systemctl("stop", UNIT)
    running.run("sh", "-c", "rm -rf /var/lib/slo-watchdog/*")
    running.write(f"/run/systemd/system/{UNIT}.d/impatient.conf", "[Service]\nRestartSec=0\n")
    running.systemctl("daemon-reload")

    running.systemctl("start", UNIT, check=False)
    running.wait_until(UNIT, "SubState", "failed", seconds=60)

    page = f"slo-watchdog-page@{UNIT}.service"
    deadline = time.monotonic() + 10
    while not (paged := running.journal(page, priority="crit")) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert f"{UNIT} has failed for good" in paged
    assert "init" in running.journal(UNIT)
    running.systemctl("reset-failed", UNIT)
