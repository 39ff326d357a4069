"""Evidence in a running engine: shown as the gates see it, kept over a restart, lost by a mark."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

from typer.testing import CliRunner

from tests.engine.house import ALICE, ROBOT, House, living, peg, policy
from watchdog.cli import app
from watchdog.cli.evidence import show_evidence
from watchdog.cli.page import Page
from watchdog.core.entries import Decided, Paged
from watchdog.core.promotions import RuleDemoted, RulePromoted, RuleTested
from watchdog.core.states import State
from watchdog.core.words import Mode
from watchdog.engine import Views
from watchdog.engine.retention import fold, snapshot
from watchdog.sandbox.handle import Sandbox

PROOF = "a" * 64
SECONDS = 2.0


def asking(shadow_seconds: float = SECONDS) -> Callable[[House], None]:
    """A process that asks for evidence of so many seconds."""

    def before(house: House) -> None:
        house.engine.process = replace(house.engine.process, shadow_seconds=shadow_seconds)

    return before


def said(house: House) -> str:
    """What `evidence` shows."""
    views = Views(house.engine)
    found = views.why("peg")
    assert found is not None
    out = StringIO()
    with redirect_stdout(out):
        show_evidence(Page(), found["rule"], found["evidence"], house.engine.ports.clock.now().utc)
    return out.getvalue()


def passing(rule: str = "peg", sha256: str = PROOF) -> RuleTested:
    return RuleTested(rule, sha256, passed=True, reason="3 checks passed", actor="alice")


async def test_a_rule_earns_to_act_acts_and_loses_it_by_a_false_action(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    rules = policy(sandbox, peg(proof_sha256=PROOF, cooldown_seconds=0.0))
    async with living(tmp_path, sandbox, rules, before=asking()) as house:
        await house.clear()
        view = Views(house.engine).rule(rules.rules["peg"])
        assert (view["mode"], view["effective_mode"]) == ("armed", "shadow")
        assert view["mode_reason"].startswith("lowered by earned evidence = shadow: needs ")
        house.break_peg()
        shadowed = await house.reaches(State.SHADOWED)
        assert sandbox.flag_changes() == 0
        house.mend_peg()
        await house.reaches(State.OK)
        assert f"{shadowed.id} explained: slo-watchdog mark {shadowed.id}" in said(house)
        proofs, episodes = house.orders.proofs, house.orders.episodes
        assert proofs.wanted() == ("peg",)
        assert proofs.take(ROBOT, [passing()], dry=False) == ()
        assert proofs.take(ALICE, [passing("other"), passing(sha256="b" * 64)], dry=False) == ()
        assert proofs.take(ALICE, [passing()], dry=False) == (
            "unit tests of peg: pass: 3 checks passed",
        )
        assert proofs.wanted() == ()
        episodes.mark(ALICE, shadowed.id, "explained", "a try", dry=False)
        await house.until(lambda: house.entries(RulePromoted), "it rises")
        assert Views(house.engine).rule(rules.rules["peg"])["effective_mode"] == "armed"
        await house.clear()
        house.break_peg()
        contained = await house.reaches(State.CONTAINED)
        assert sandbox.flag_changes() == 1
        dry = episodes.mark(ALICE, contained.id, "false", "it was fine", dry=True)
        assert "so peg keeps to shadow until armed_because has other words" in dry.effect
        assert house.entries(RuleDemoted) == []
        episodes.mark(ALICE, contained.id, "false", "it was fine", dry=False)
        (demoted,) = house.entries(RuleDemoted)
        assert demoted.episode == contained.id
        assert any("keeps to shadow" in page.title for page in house.entries(Paged))
        shown = said(house)
        assert "declared armed, effectively shadow" in shown
        assert f"{contained.id} was a false action, alice says" in shown
        assert {d.reason for d in house.entries(Decided)} >= {"shadow, by earned evidence"}
        book = house.engine.book
        journal = house.engine.ports.journal
        assert fold(journal)[0].merits == book.merits
        assert snapshot(fold(journal)[0]) == snapshot(book)
    off_line(tmp_path / "state", shadowed.id, contained.id)


def off_line(state: Path, explained: str, wrong: str) -> None:
    """The same, read from the record without a daemon."""
    words = ["evidence", "peg", "--state-dir", str(state)]
    found = json.loads(CliRunner().invoke(app, [*words, "--json"]).output)
    assert (found["name"], found["sha256"], found["unit_test"]["passed"]) == ("peg", PROOF, True)
    assert found["fall"]["episode"] == wrong
    assert [(one["episode"], one["mark"]) for one in found["would_acts"]] == [
        (explained, "explained")
    ]
    shown = CliRunner().invoke(app, words, env={"NO_COLOR": "1", "COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "as the record says; how it is now cannot be told from it" in shown.output
    assert f"{wrong} was a false action, alice says" in shown.output
    assert "passed: 3 checks passed, by alice" in shown.output
    assert "Missing" not in shown.output
    none = CliRunner().invoke(app, ["evidence", "nobody", *words[2:]])
    assert none.exit_code == 4
    assert "no evidence of nobody" in none.output


async def test_evidence_goes_on_after_a_restart_and_a_rule_without_need_shows_none(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    shadow = peg(mode=Mode.SHADOW, proof_sha256=PROOF)
    rules = policy(sandbox, shadow)
    async with living(tmp_path, sandbox, rules, before=asking(1000.0)) as house:
        await house.clear()
        await house.until(lambda: PROOF in house.engine.book.merits.evidence, "it counts")
    async with living(tmp_path, sandbox, rules, before=asking(1000.0)) as house:
        await house.clear()
        kept = house.engine.book.merits.evidence[PROOF]
        assert kept.banked_seconds > 0
        assert "never" in said(house)
        assert house.orders.proofs.wanted() == ("peg",)
    assert not sandbox.flag_changes()
