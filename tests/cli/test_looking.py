"""What a person sees who looks, before, in and after a breach, with the daemon and without it."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, House, _environment, here
from watchdog.cli.commands import COMPLETING

RULE = "redemption-error-rate"


def test_all_is_well(house: House) -> None:
    house.until(RULE, "cleared")
    house.until("mycelia-down", "healthy")
    status, text = house.on_terminal("status")
    assert status == 0
    assert "policy" in text
    assert "redemption-error-rate" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    found = house.run("status", "--json").json
    assert {rule["name"] for rule in found["rules"]} >= {RULE, "mycelia-down"}


def test_why_a_healthy_rule_does_nothing(house: House) -> None:
    house.until(RULE, "cleared")
    told = house.run("why", RULE).out
    assert "Healthy, so there is nothing to do." in told
    assert "A breach that lasts 3s would start playbook redemption up to pause-redemption." in told
    assert "ecision" in told
    observed = house.run("why", "mycelia-down").out
    assert "recorded and paged" in observed or "It only watches" in observed
    slow = house.run("why", "redemption-availability").out
    assert "held as already burning" in slow
    for window in ("1h", "5m", "6h", "30m"):
        assert f"\n  {window:6}" in slow
    assert "of 0.1% of events in 30d" in slow
    assert re.search(r"outlook +(gone in about \S+ at a burn of \S+|nothing burns) over 1h", slow)
    assert re.search(r"burn +\S+ over 1h, \S+ over 5m, \S+ over 6h, \S+ over 30m", slow)
    assert "Error budget" not in told


def test_a_rule_that_is_not_there(house: House) -> None:
    told = house.run("why", "redemption-error-rte")
    assert (told.status, told.out) == (4, "")
    assert "redemption-error-rate is the nearest" in told.err
    assert house.run("why", "../status?x=1").status == 4


def test_a_breach_under_a_hold_says_why_it_does_not_act_and_act_lets_it(house: House) -> None:
    house.until(RULE, "cleared")
    placed = house.run("hold", "--rule", RULE, "-r", "migration", "--for", "1h", "--yes", "--json")
    assert placed.status == 0
    hold = placed.json["data"]["hold"]
    asyncio.run(house.sandbox.break_redemption(0.5))
    found = house.until(RULE, "held")
    episode = found["episode"]["id"]
    status, text = house.on_terminal("why", RULE)
    assert status == 0
    assert f"{episode} is held: " in text
    assert "migration" in text
    assert "REFUSES  hold" in text
    assert "pass     environment" in text
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 80
    assert f"slo-watchdog act {episode}" in text

    refused = house.run("act", episode, "-r", "go", "--yes")
    assert (refused.status, refused.out) == (4, "")
    assert "--through-hold" in refused.err
    assert house.run("release", hold, "--yes").status == 0
    assert house.until(RULE, "held")["episode"]["id"] == episode, "the end of a hold starts nothing"
    assert house.run("act", episode, "-r", "go", "--yes").status == 0
    contained = house.until(RULE, "contained")
    assert contained["episode"]["read_back"] == "enabled: false"
    assert "is contained" in house.run("why", RULE).out

    assert house.run("ack", episode, "--yes").status == 0
    assert house.run("mark", episode, "drill", "--yes").status == 0
    assert house.run("close", episode, "-r", "done", "--yes").status == 4, "it is not latched"
    asyncio.run(house.sandbox.mend_redemption())
    undone = house.run("undo", episode, "-r", "mended", "--yes", "--json")
    assert (undone.status, undone.json["data"]["outcome"]) == (0, "done")
    house.until(RULE, "ok")

    decided = house.run("decisions").out.splitlines()
    assert any(f"refused  {RULE} {episode}" in line for line in decided)
    assert any(f"allowed  {RULE} {episode}" in line for line in decided)
    as_json = house.run("decisions", "--json").out.splitlines()
    assert len(as_json) == len(decided)
    beside = house.run("decisions", "--state-dir", str(house.state), socket=Path("/nowhere"))
    assert beside.out.splitlines() == decided, "the journal says the same without the daemon"
    record = house.run("why", RULE, "--state-dir", str(house.state), socket=Path("/nowhere")).out
    assert "as the record says" in record
    record = house.run("status", "--state-dir", str(house.state), socket=Path("/nowhere")).out
    assert "This is the record, not the present" in record


def test_following_ends_quietly_on_ctrl_c(house: House) -> None:
    following = subprocess.Popen(
        [PROGRAM, "decisions", "--follow"],
        env=_environment(house.socket),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            following.wait(8)
        following.send_signal(2)
        _, err = following.communicate(timeout=30)
    finally:
        following.kill()
    assert (following.returncode, err) == (0, b"")


def test_a_pipe_that_is_closed_ends_it_quietly(house: House) -> None:
    ended = subprocess.run(
        ["sh", "-c", f"{PROGRAM} status | head -1; {PROGRAM} why {RULE} | true"],
        env=_environment(house.socket),
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert ended.stderr == ""


def test_without_a_daemon_it_says_so_and_where_the_record_is(tmp_path: Path) -> None:
    for command in (["status"], ["decisions"], ["why", "x"], ["ack", "E1", "--yes"]):
        told = here(*command, socket=tmp_path / "none.sock")
        assert (told.status, told.out) == (3, "")
        assert "the daemon does not run" in told.err
        assert "slo-watchdog decisions --state-dir" in told.err
    missing = here("decisions", "--state-dir", str(tmp_path), socket=tmp_path / "none")
    assert missing.status == 1
    assert missing.err.strip()


@pytest.mark.parametrize(
    ("typed", "offers"),
    [
        ("slo-watchdog han", "handover"),
        ("slo-watchdog rollback pause-r", "pause-redemption"),
        ("slo-watchdog why peg-", "peg-collateralised"),
        ("slo-watchdog rollback --ki", "--kind"),
        ("slo-watchdog rollback no-such-", ""),
        ("slo-watchdog notify test rollback-c", "rollback-commander"),
        (
            "slo-watchdog notify test communi",
            "communication\ncommunication-lead",
        ),
        ("slo-watchdog announce E1 --to comm", "community"),
        ("slo-watchdog drill run f", "feature-flag\nfull"),
        ("slo-watchdog drill record d", "disaster"),
        ("slo-watchdog follow-up close F", ""),
        ("slo-watchdog hold --rule peg-", "peg-collateralised"),
        ("slo-watchdog hold --owner red", "redemption-team"),
        ("slo-watchdog hold --target flag:btc_", "btc_mainnet_redemption"),
        ("slo-watchdog hold --target flag : btc_", "btc_mainnet_redemption"),
        ("slo-watchdog hold --target flag:o", "oracle_read_scope_max"),
        ("slo-watchdog verify pause-redemption --check diag", "diagnose"),
        ("slo-watchdog verify no-such --check diag", ""),
    ],
)
def test_a_real_bash_completes_commands_options_and_what_the_daemon_knows(
    house: House, typed: str, offers: str
) -> None:
    told = house.completed(typed)
    assert (told.out.strip(), told.err) == (offers, "")


def test_without_a_daemon_nothing_is_offered_and_nothing_said(tmp_path: Path) -> None:
    asked = {"COMP_WORDS": "slo-watchdog ack ", "COMP_CWORD": "2", COMPLETING: "complete_bash"}
    socket = {"WATCHDOG_CONTROL_SOCKET": str(tmp_path / "none.sock")}
    told = subprocess.run(
        [PROGRAM], env={**os.environ, **asked, **socket}, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert (told.returncode, told.stdout.strip(), told.stderr) == (0, "", "")
