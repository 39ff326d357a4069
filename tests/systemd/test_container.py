"""The container itself: a service manager that starts, watches and pages as on a real host."""

import time
from pathlib import Path

from tests.systemd.container import Container

UNITS = Path(__file__).parents[2] / "systemd"

# Says that it is ready and then that it lives, as long as it runs at all.
FAITHFUL = """\
import os, socket, time
def say(what):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(what, os.environ["NOTIFY_SOCKET"])
say(b"READY=1")
while True:
    say(b"WATCHDOG=1")
    time.sleep(0.2)
"""

FAITHFUL_UNIT = """\
[Service]
Type=notify
ExecStart=/usr/bin/python3 /opt/faithful.py
WatchdogSec=2
Restart=always
RestartSec=0
"""

DOOMED_UNIT = """\
[Unit]
OnFailure=slo-watchdog-page@%n.service
[Service]
ExecStart=/bin/false
"""


def test_a_stopped_process_is_killed_by_the_watchdog_and_comes_back(
    systemd_container: Container,
) -> None:
    systemd_container.write("/opt/faithful.py", FAITHFUL)
    systemd_container.write("/run/systemd/system/faithful.service", FAITHFUL_UNIT)
    systemd_container.systemctl("daemon-reload")
    systemd_container.systemctl("start", "faithful.service")
    first = systemd_container.main_pid("faithful.service")

    systemd_container.run("kill", "-STOP", str(first))
    systemd_container.wait_until("faithful.service", "NRestarts", "1")
    systemd_container.wait_until("faithful.service", "SubState", "running")

    assert systemd_container.main_pid("faithful.service") not in (0, first)
    assert "Watchdog timeout" in systemd_container.journal("faithful.service")
    systemd_container.systemctl("stop", "faithful.service")


def test_a_unit_that_fails_for_good_is_paged_and_the_operators_hook_is_told(
    systemd_container: Container,
) -> None:
    page = "slo-watchdog-page@doomed.service.service"
    systemd_container.copy_in(
        UNITS / "slo-watchdog-page@.service", "/run/systemd/system/slo-watchdog-page@.service"
    )
    systemd_container.write("/run/systemd/system/doomed.service", DOOMED_UNIT)
    hook = '#!/bin/sh\necho "hook was told: $1"\n'
    systemd_container.write("/etc/slo-watchdog/page-hook", hook, mode=0o755)
    systemd_container.systemctl("daemon-reload")
    systemd_container.systemctl("start", "doomed.service", check=False)

    deadline = time.monotonic() + 20
    while "hook was told" not in systemd_container.journal(page) and time.monotonic() < deadline:
        time.sleep(0.2)

    assert "hook was told: doomed.service\n" in systemd_container.journal(page)
    critical = systemd_container.journal(page, priority="crit")
    assert critical.startswith("doomed.service has failed for good")
    assert "hook was told" not in critical


def test_a_page_without_a_hook_is_no_failure(systemd_container: Container) -> None:
    page = "slo-watchdog-page@lonely.service"
    systemd_container.copy_in(
        UNITS / "slo-watchdog-page@.service", "/run/systemd/system/slo-watchdog-page@.service"
    )
    (systemd_container.root / "etc/slo-watchdog/page-hook").unlink(missing_ok=True)
    systemd_container.systemctl("daemon-reload")

    systemd_container.systemctl("start", page)

    assert systemd_container.show(page, "Result") == "success"
    assert "lonely has failed for good" in systemd_container.journal(page, priority="crit")
