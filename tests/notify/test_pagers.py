"""A pager keeps one incident for one episode: the key and the word that Apprise's services take."""

from __future__ import annotations

import json
import subprocess
import sys

from watchdog.notify.apprise_url import filled
from watchdog.ports import Letter, Phase

PHASES = {"opened": "trigger", "updated": "trigger", "ended": "resolve"}
KEY = "A" * 32
URL = f"pagerduty://{KEY}@{KEY}?dedup={{key}}&action={{phase}}"
UNDERSTANDS = """
import json, sys, apprise
found = [apprise.Apprise.instantiate(url) for url in json.load(sys.stdin)]
print(json.dumps([[str(one.dedup), str(one.action)] for one in found]))
"""
"""As Apprise itself reads a URL; in a process of its own, as it always is."""


def letter(phase: Phase) -> Letter:
    return Letter("sandbox/N4/1", "sandbox/episode:E2", phase, urgent=True, subject="s", body="b")


def test_pagerduty_gets_the_key_of_the_episode_and_is_told_of_its_end() -> None:
    urls = [filled(URL, letter(phase), "", PHASES) for phase in Phase]
    told = subprocess.run(  # our own interpreter and text
        [sys.executable, "-I", "-c", UNDERSTANDS],
        input=json.dumps(urls),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert json.loads(told.stdout) == [
        ["sandbox/episode:E2", "trigger"],
        ["sandbox/episode:E2", "trigger"],
        ["sandbox/episode:E2", "resolve"],
    ]
