"""A rule from its file to its evidence: edited, checked, tested, applied; and edited once more."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG, TEAM
from watchdog.cli import app
from watchdog.core.promotions import RuleTested

STORY = f"""\
rule_files: [rules.yaml]
tests:
  - name: reserves that do not cover what is out are a breach
    interval: 1s
    input_series: [{{series: mycelia_collateralization_ratio, values: 1x60 0.9x60}}]
    rule_test:
      - {{eval_time: 50s, rule: {PEG}, exp_verdict: healthy, exp_state: ok}}
      - {{eval_time: 90s, rule: {PEG}, exp_verdict: breached}}
"""


def said(status: int, *words: str) -> str:
    """What a command that needs no daemon says."""
    ended = CliRunner().invoke(app, list(words), env={"COLUMNS": "200", "NO_COLOR": "1"})
    assert ended.exit_code == status, ended.output
    return ended.output


async def earned(watchdog: Watchdog) -> dict[str, Any]:
    return dict((await watchdog.why(PEG))["evidence"])


async def applied(watchdog: Watchdog) -> str:
    told = await watchdog.command("apply", "--yes")
    assert told.status == 0, told.output
    return told.output


@pytest.mark.sim
async def test_a_rule_keeps_its_proof_as_long_as_its_text_is_the_one_that_was_tested(
    watchdog: Watchdog,
) -> None:
    peg, folder = watchdog.rules.rules[PEG], str(watchdog.rules.folder)
    del peg["armed_because"]
    await watchdog.on_guard()
    first = await earned(watchdog)
    assert (first["limits"], first["unit_test"]) == (True, None)
    assert any("unit test" in one for one in first["missing"])

    peg["for"] = "3s"
    watchdog.rules.save()
    story = Path(folder) / TEAM / "peg.test.yaml"
    story.write_text(STORY, encoding="utf-8")
    assert "sha256" in said(0, "check", folder)
    assert "1 test, 3 checks: 3 passed" in said(0, "test", folder)
    assert f"unit tests of {PEG}: pass: 3 checks passed" in await applied(watchdog)
    proven = await earned(watchdog)
    assert proven["sha256"] != first["sha256"]
    assert proven["unit_test"]["passed"]
    assert not any("unit test" in one for one in proven["missing"])
    told = await watchdog.command("evidence", PEG, "--json")
    assert json.loads(told.output)["unit_test"] == proven["unit_test"]

    peg["for"] = "4s"
    watchdog.rules.save()
    await watchdog.order("apply")  # by whoever runs no tests
    edited = await earned(watchdog)
    assert edited["sha256"] not in {first["sha256"], proven["sha256"]}
    assert edited["unit_test"] is None, "another text, of which no test has spoken"
    assert any("unit test" in one for one in edited["missing"])

    peg["integrity"]["breach_when"] = "< 0.5"
    watchdog.rules.save()
    assert "3 checks: 2 passed, 1 failed" in said(1, "test", folder)
    assert f"unit tests of {PEG}: FAIL" in await applied(watchdog)
    failed = await earned(watchdog)
    assert not failed["unit_test"]["passed"]
    assert (
        "1 of 3 checks failed, the first at redemption-team/peg.test.yaml:8:"
        in (failed["unit_test"]["reason"])
    )

    peg["integrity"]["breach_when"], peg["for"] = "< 1", "3s"
    watchdog.rules.save()
    await watchdog.order("apply")
    again = await earned(watchdog)
    assert (again["sha256"], again["unit_test"]) == (proven["sha256"], proven["unit_test"])
    assert [one.passed for one in watchdog.entries(RuleTested)] == [True, False]
