"""Verification after a rollback, with real looks: what each kind tells, and that nothing waits."""

from __future__ import annotations

import stat
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import ALICE, ROBOT, House, living, peg, policy
from watchdog.core.asking import Command, Endpoint
from watchdog.core.entries import EpisodeMoved, IntentEnded, Outcome, Paged
from watchdog.core.probes import AttestationProbe, CommandProbe, HttpProbe, Probe, TcpProbe
from watchdog.core.spec import Policy
from watchdog.core.states import State
from watchdog.core.telling.topics import Topic
from watchdog.core.urgency import Urgency
from watchdog.core.verification import NamedCheck, VerificationBegan, VerificationChecked
from watchdog.core.words import Direction, Truth
from watchdog.engine import OrderRefused
from watchdog.sandbox.handle import Sandbox

BOTH = (Direction.DO, Direction.UNDO)


def check(name: str, how: Probe, **different: object) -> NamedCheck:
    spec = NamedCheck(
        name=name,
        how=how,
        about=name,
        after=BOTH,
        deadline_seconds=2.0,
        within_seconds=0.5,
        page=False,
        says="",
    )
    return replace(spec, **different)  # type: ignore[arg-type]  # fields by name


def script(folder: Path, name: str, text: str) -> CommandProbe:
    """A real program: 0 holds, 1 fails."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return CommandProbe(Command((str(program),)), (1,))


def verified(sandbox: Sandbox, *checks: NamedCheck) -> Policy:
    """The house's policy, whose pause has these checks."""
    return replace(policy(sandbox), verification={"pause": checks} if checks else {})


def came_of(house: House) -> dict[str, VerificationChecked]:
    return {one.check: one for one in house.entries(VerificationChecked)}


async def contained(house: House) -> None:
    await house.clear()
    house.break_peg()
    await house.reaches(State.CONTAINED)


async def test_each_kind_tells_what_it_saw_and_why_it_saw_nothing(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """One of each, good and bad, hanging and flooding; each is recorded once, with its reason."""
    url, por = sandbox.url, str(sandbox.root / "release" / "mainnet" / "por.json")
    trusted = (sandbox.signer,)
    loud = script(tmp_path, "loud", "yes 0123456789 | head -c 3000000; echo 15/15 passed")
    checks = (
        check("served", HttpProbe(Endpoint(f"{url}/health"), None, "")),
        check("paused", HttpProbe(Endpoint(f"{url}/ops/status.json"), None, "paused == `true`")),
        check("nowhere", HttpProbe(Endpoint("http://127.0.0.1:9/"), None, "")),
        check("por", AttestationProbe(None, por, trusted, 3600.0, None)),
        check("por-strangers", AttestationProbe(None, por, ("0" * 64,), 3600.0, None)),
        check("por-old", AttestationProbe(None, por, trusted, 1e-6, None)),
        check("door", TcpProbe("127.0.0.1", int(url.rpartition(":")[2]))),
        check("loud", loud, says="all is well"),
        check("silent-no", script(tmp_path, "no", "echo 3 orphans >&2; exit 1")),
        check("odd", script(tmp_path, "odd", "exit 64")),
        check("not-there", CommandProbe(Command(("/nonexistent/diagnose",)), (1,))),
        check("hangs", script(tmp_path, "hangs", "sleep 60"), deadline_seconds=0.4),
    )
    async with living(tmp_path, sandbox, verified(sandbox, *checks)) as house:
        await contained(house)
        await house.until(lambda: len(came_of(house)) == len(checks), "every check")
        found = came_of(house)
        held = {name for name, one in found.items() if one.truth is Truth.TRUE}
        failed = {name for name, one in found.items() if one.truth is Truth.FALSE}
        assert held == {"served", "por", "door", "loud"}
        assert failed == {"nowhere", "por-old", "silent-no"}
        assert "paused" in found["paused"].reason
        assert "none of the" in found["por-strangers"].reason
        assert found["silent-no"].reason.endswith("exit status 1: 3 orphans")
        assert found["silent-no"].output == "3 orphans"
        assert "exit status 64" in found["odd"].reason
        assert "not end" in found["hangs"].reason or "ended it" in found["hangs"].reason
        assert len(found["loud"].output) <= 2000
        assert found["loud"].reason.endswith("15/15 passed")
        assert len(house.entries(VerificationChecked)) == len(checks)

        (began,) = house.entries(VerificationBegan)
        (ended,) = house.entries(IntentEnded)
        assert (began.intent, began.actor, began.episode) == (ended.intent, "", ended.episode)
        (line,) = house.engine.book.verifications.lines(began.episode)
        assert line.startswith("verified after pause: 4 of 12 hold; nowhere fails: ")


async def test_what_fails_at_first_and_recovers_holds_and_nobody_is_told(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    tries = tmp_path / "tries"
    slow = script(tmp_path, "slow", f"echo x >> {tries}; test $(wc -l < {tries}) -ge 2")
    async with living(
        tmp_path, sandbox, verified(sandbox, check("slow", slow, within_seconds=8.0))
    ) as house:
        await contained(house)
        await house.until(lambda: came_of(house), "the check")
        one = came_of(house)["slow"]
        assert (one.truth, one.looks) == (Truth.TRUE, 2)
        assert one.seconds >= 1.0
        assert not [page for page in house.entries(Paged) if "verification" in page.title]


async def test_an_episode_goes_the_same_way_at_the_same_times_whatever_its_checks_do(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """The law: hanging, failing and page-worthy checks beside it, against a life without any."""

    async def lived(name: str, *checks: NamedCheck) -> tuple[list[tuple[str, str]], float, float]:
        (tmp_path / name).mkdir()
        rules = verified(sandbox, *checks)
        async with living(tmp_path / name, sandbox, rules, patience_seconds=1.0) as house:
            await house.clear()
            began = time.monotonic()
            house.break_peg()
            ep = await house.reaches(State.CONTAINED)
            took = time.monotonic() - began
            house.mend_peg()
            began = time.monotonic()
            await house.orders.rollbacks.undo(ALICE, ep.id, "fixed", force=True, dry=False)
            await house.reaches(State.OK)
            moves = [(m.event.value, m.after.value) for m in house.entries(EpisodeMoved)]
            under_way = {
                n for run in house.engine.book.verifications.under_way() for n in run.missing
            }
            assert ("hangs" in under_way) is bool(checks), "else this shows nothing"
            return moves, took, time.monotonic() - began

    plain, plain_took, plain_undo = await lived("plain")
    hanging = script(tmp_path, "hangs", "sleep 60")
    checked, took, undo = await lived(
        "checked",
        check("hangs", hanging, deadline_seconds=60.0, within_seconds=60.0),
        check("no", script(tmp_path, "no", "exit 1"), page=True, within_seconds=0.1),
        check("floods", script(tmp_path, "floods", "yes"), deadline_seconds=60.0),
    )
    assert checked == plain
    assert took < plain_took + 1.0
    assert undo < plain_undo + 1.0


async def test_a_proven_failure_is_told_once_to_the_owners_and_calls_nobody(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    no = script(tmp_path, "no", "echo 0/3 flows; exit 1")
    checks = (
        check("flow", no, says="a user can redeem"),
        check("yes", script(tmp_path, "yes", "exit 0")),
        check("perhaps", script(tmp_path, "perhaps", "exit 9")),
    )
    async with living(tmp_path, sandbox, verified(sandbox, *checks)) as house:
        await contained(house)
        await house.until(lambda: len(came_of(house)) == 3, "every check")
        (page,) = [one for one in house.entries(Paged) if "verification" in one.title]
        assert page.title == "peg: pause: verification fails: flow"
        assert page.urgency is Urgency.SOON
        assert page.body.startswith("flow (a user can redeem): ")
        assert "slo-watchdog verify E1" in page.body
        assert "perhaps" not in page.body, "what is not known is not told as a failure"
        writer = house.engine.people.outbox.writer
        note = replace(writer.test("chat"), key="episode:E1", topic=Topic.COMPLETE)
        body = writer.letter([note]).body
        assert "* verified after pause: 1 of 3 hold; flow fails: " in body


async def test_a_later_change_of_the_target_makes_the_rest_unknown_and_is_verified_itself(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    no = script(tmp_path, "no", "exit 1")
    checks = (
        check("later", no, within_seconds=60.0, after=(Direction.DO,)),
        check("after-undo", script(tmp_path, "yes", "exit 0"), after=(Direction.UNDO,)),
    )
    async with living(tmp_path, sandbox, verified(sandbox, *checks)) as house:
        await contained(house)
        house.mend_peg()
        await house.orders.rollbacks.undo(ALICE, "E1", "fixed", force=True, dry=False)
        await house.until(lambda: len(came_of(house)) == 2, "both")
        assert came_of(house)["later"].truth is Truth.UNKNOWN
        assert "I2, came before" in came_of(house)["later"].reason
        assert came_of(house)["after-undo"].truth is Truth.TRUE
        first, second = house.entries(VerificationBegan)
        assert (first.direction, second.direction) == BOTH
        assert not [one for one in house.entries(Paged) if "verification" in one.title]


async def test_a_later_change_that_came_to_nothing_leaves_it_to_be_known(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Given up for it, what was rolled back would have been looked at by nobody."""
    flow = tmp_path / "flow"
    later = check("later", script(tmp_path, "later", f"test -e {flow}"), within_seconds=60.0)
    async with living(tmp_path, sandbox, verified(sandbox, later)) as house:
        await contained(house)
        house.mend_peg()
        sandbox.fault("flag_write", "pretend")
        await house.orders.rollbacks.undo(ALICE, "E1", "fixed", force=True, dry=False)
        await house.until(lambda: len(house.entries(IntentEnded)) == 2, "the undo's end")
        assert house.entries(IntentEnded)[1].outcome is Outcome.FAILED
        assert not came_of(house)
        flow.touch()
        await house.until(lambda: "later" in came_of(house), "the check")
        assert came_of(house)["later"].truth is Truth.TRUE


async def test_what_had_not_ended_is_looked_at_again_after_a_restart(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Begun once on the record, ended once: and what had ended before is not looked at again."""
    gate, seen = tmp_path / "gate", tmp_path / "seen"
    waits = script(tmp_path, "waits", f"test -e {gate} || sleep 60")
    once = script(tmp_path, "once", f"echo x >> {seen}")
    checks = (
        check("waits", waits, deadline_seconds=60.0, within_seconds=60.0),
        check("once", once),
    )
    rules = verified(sandbox, *checks)
    async with living(tmp_path, sandbox, rules, patience_seconds=0.1) as house:
        await contained(house)
        await house.until(lambda: "once" in came_of(house), "the other")
    gate.touch()
    async with living(tmp_path, sandbox, rules) as house:
        await house.until(lambda: "waits" in came_of(house), "what had hung")
        assert came_of(house)["waits"].truth is Truth.TRUE
        assert len(house.entries(VerificationBegan)) == 1
        assert len(house.entries(VerificationChecked)) == 2
        assert seen.read_text() == "x\n"


async def test_somebody_asks_and_it_is_on_the_record_with_who(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    flag = tmp_path / "flag"
    checks: Sequence[NamedCheck] = (
        check("flow", script(tmp_path, "flow", f"test -e {flag}")),
        check("served", HttpProbe(Endpoint(f"{sandbox.url}/health"), None, "")),
        check("undone", script(tmp_path, "undone", "exit 0"), after=(Direction.UNDO,)),
    )
    async with living(tmp_path, sandbox, verified(sandbox, *checks)) as house:
        verify = house.orders.verifying.verify
        await contained(house)
        await house.until(lambda: len(came_of(house)) == 2, "both")
        dry = await verify(ROBOT, "E1", (), dry=True)
        assert dry.effect == (
            "after pause, looks at flow, served: once each, and nothing is changed"
        )
        flag.touch()
        done = await verify(ALICE, "E1", ("flow",), dry=False)
        assert done.data["held"] is True
        assert done.effect == "V2: verified after pause: 1 of 1 hold"
        assert [one.actor for one in house.entries(VerificationBegan)] == ["", "alice"]
        assert house.engine.book.verifications.lines("E1") == ("verified after pause: 2 of 2 hold",)
        flag.unlink()
        done = await verify(ALICE, "pause", (), dry=False)
        assert done.data["held"] is False
        assert "1 of 2 hold; flow fails: " in done.effect
        told = [one for one in house.entries(Paged) if "verification" in one.title]
        assert len(told) == 1, "who asks sees it: nobody else is told"
        for what, wanted, why in (
            ("E1", ("nothing",), "has no such check now; it has: flow, served, undone"),
            ("E2", (), "there is no episode E2"),
            ("E1", ("undone",), "has no such check now"),
        ):
            with pytest.raises(OrderRefused, match=why):
                await verify(ALICE, what, wanted, dry=False)


async def test_an_action_without_checks_and_an_episode_without_an_action_are_refused(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    async with living(tmp_path, sandbox, policy(sandbox, peg(for_seconds=3600.0))) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.PENDING)
        with pytest.raises(OrderRefused, match="rolled nothing back"):
            await house.orders.verifying.verify(ALICE, "E1", (), dry=False)
        with pytest.raises(OrderRefused, match="write its `verification:`"):
            await house.orders.verifying.verify(ALICE, "pause", (), dry=False)
        assert not house.entries(VerificationBegan)
