"""Verification after a rollback, of the real daemon: killed in the middle, asked again, told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PAUSE, PEG
from tests.e2e.scenes import break_peg
from watchdog.core.verification import VerificationBegan, VerificationChecked
from watchdog.core.words import Truth
from watchdog.lab.incident import document, gather, incident_paper
from watchdog.lab.papers import Clock, markdown
from watchdog.sandbox.handle import Sandbox


@pytest.mark.sim
async def test_a_kill_in_the_middle_of_a_check_loses_nothing_and_anybody_may_look_again(
    sandbox: Sandbox, watchdog: Watchdog, tmp_path: Path
) -> None:
    gate, pids = tmp_path / "gate", tmp_path / "pids"
    flow = f"echo $$ >> {pids}; test -e {gate} || exec sleep 60"
    watchdog.rules.pause["verification"] = {
        "flow": {"command": ["sh", "-c", flow], "deadline": "1m", "says": "a user can redeem"},
        "served": {"http": f"{sandbox.url}/health", "expect": "status == 'ok'"},
        "no": {"command": ["sh", "-c", "echo 2 of 7 >&2; exit 1"], "within": "1s"},
    }
    await watchdog.on_guard()
    break_peg(sandbox)
    await watchdog.episode(PEG, state="contained")
    await watchdog.until("both others", lambda: ended(watchdog, "no", "served"))
    assert pids.read_text().count("\n") == 1

    await watchdog.kill()
    gate.touch()
    await watchdog.start()

    await watchdog.until("the one that was cut off", lambda: ended(watchdog, "flow"))
    assert pids.read_text().count("\n") == 2
    found = {one.check: one.truth for one in watchdog.entries(VerificationChecked)}
    assert found == {"flow": Truth.TRUE, "served": Truth.TRUE, "no": Truth.FALSE}
    assert len(watchdog.entries(VerificationChecked)) == len(found)
    assert len(watchdog.entries(VerificationBegan)) == 1
    told = [page for page in watchdog.pages() if "verification fails" in page.title]
    assert [page.title for page in told] == [f"{PEG}: {PAUSE}: verification fails: no"]

    asked = await watchdog.command("verify", "E1", "--check", "flow", "--check", "no", "--json")
    assert asked.status == 1
    said = json.loads(asked.output)
    assert said["held"] is False
    assert [one["truth"] for one in said["verifications"][0]["checks"]] == ["true", "false"]
    well = await watchdog.command("verify", "E1", "--check", "served")
    assert (well.status, "served  holds" in well.output) == (0, True)
    assert watchdog.entries(VerificationBegan)[-1].actor
    page = await watchdog.page("/episodes/E1")
    assert "2 of 7" in page
    assert "a user can redeem" in page
    for command in (("recover", "E1"), ("handover",), ("status",)):
        shown = (await watchdog.command(*command)).output
        assert "no fails" in shown or "no:" in shown, command
    gathered = gather(watchdog.journal(), "E1")
    assert gathered is not None
    record = markdown(incident_paper(gathered, Clock()))
    assert "## Verification after the rollback" in record
    assert "V1 no printed" in record
    assert next(one["told"] for one in document(gathered)["verifications"]).endswith("2 of 7")


async def ended(watchdog: Watchdog, *names: str) -> bool | None:
    known = {one.check for one in watchdog.entries(VerificationChecked)}
    return known >= set(names) or None
