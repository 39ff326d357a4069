"""Exit status 0 and HTTP 200 are claims; what the flag serves is the proof, and it wins."""

import re
from typing import Any

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PEG
from tests.e2e.scenes import break_peg, gone, mend_peg
from watchdog.core.entries import IntentEnded, Outcome, PolicyApplied, StepTaken
from watchdog.sandbox.handle import Sandbox

CLAIMS = re.compile(r"\bpaused\b|rolled back by|contained by", re.IGNORECASE)
FACES = ("/", "/metrics", "/api/v1/alerts", "/api/v1/decisions", "/api/v1/actions")
SIM = pytest.mark.sim  # the same on the runner alone: tests/engine/test_runner.py
STILL_ON = "read-back: enabled == false does not hold: enabled is true"


async def everything_said(watchdog: Watchdog) -> str:
    """All that it tells anybody, but for the policy's own text and what a tool printed, which
    are quotes of others.
    """
    journal = [
        repr(one.entry)
        for one in watchdog.journal()
        if not isinstance(one.entry, PolicyApplied | StepTaken)
    ]
    api = [await watchdog.page(path) for path in FACES]
    control = [str(await watchdog.read(f"/v1/{name}")) for name in ("status", "episodes")]
    commands = [(await watchdog.command(*words)).output for words in (("status",), ("why", PEG))]
    return "\n".join([*journal, *api, *control, *commands])


async def test_a_tool_that_lies_about_pausing_is_caught(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    sandbox.launchctl.pretends_to_pause()
    watchdog.rules.pause["deadline"] = "1500ms"
    await watchdog.on_guard()
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="latched")

    assert STILL_ON in episode.reason
    assert "exit status 0" in episode.reason
    assert episode.claims == ()
    assert (sandbox.is_enabled(), sandbox.flag_changes()) == (True, 0)
    (ended,) = watchdog.entries(IntentEnded)
    assert ended.outcome is Outcome.FAILED
    assert "redemption paused successfully" in watchdog.entries(StepTaken)[-1].output
    assert not CLAIMS.search(await everything_said(watchdog))
    assert len(watchdog.pages("a person must look")) == 1

    await watchdog.polls()
    assert len(sandbox.launchctl.calls()) == 1, "a claimed success is not tried again"


@pytest.mark.parametrize("fault", ["exit status", "hang"])
async def test_a_tool_that_fails_after_it_has_paused_is_believed_by_the_flag_alone(
    sandbox: Sandbox, watchdog: Watchdog, fault: str
) -> None:
    if fault == "hang":
        sandbox.launchctl.hangs_after_applying()
    else:
        sandbox.launchctl.fails_after_applying()
    watchdog.rules.pause["deadline"] = "2s"
    await watchdog.on_guard()
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="contained")

    assert (episode.outcome, episode.read_back) == ("done", "enabled: false")
    assert sandbox.flag_changes() == 1
    await gone(sandbox.launchctl)


async def test_a_tool_that_fails_is_tried_again_until_the_deadline_and_then_a_person_is_called(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    sandbox.launchctl.fails()
    watchdog.rules.pause["deadline"] = "2s"
    await watchdog.on_guard()
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="latched")

    assert STILL_ON in episode.reason
    assert "internal error" in episode.reason
    assert sandbox.flag_changes() == 0
    assert 2 <= len(sandbox.launchctl.calls()) <= 6, "with a growing pause, not in a storm"
    assert len(watchdog.pages("a person must look")) == 1


async def test_a_tool_that_hangs_and_ignores_its_end_is_killed_at_the_deadline(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    sandbox.launchctl.hangs(stubborn=True)
    watchdog.rules.pause["deadline"] = "2s"
    await watchdog.on_guard()
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="latched")

    assert STILL_ON in episode.reason
    await gone(sandbox.launchctl, within=3)
    assert sandbox.flag_changes() == 0
    (ended,) = watchdog.entries(IntentEnded)
    assert ended.seconds < 4


@pytest.mark.parametrize(
    ("fault", "numbers"),
    [
        ("fail_after", {}),
        pytest.param("hang_after", {"seconds": 600}, marks=SIM),
    ],
)
async def test_a_call_that_was_applied_counts_whatever_was_answered(
    sandbox: Sandbox, watchdog: Watchdog, fault: str, numbers: dict[str, Any]
) -> None:
    watchdog.rules.pause_by_call(deadline="2s")
    await watchdog.on_guard()
    sandbox.fault("flag_write", fault, **numbers)
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="contained")

    assert (episode.outcome, episode.read_back) == ("done", "enabled: false")
    assert sandbox.flag_changes() == 1
    assert sandbox.flag_requests(method="PUT") == 1, "read back before anything is sent again"


@pytest.mark.parametrize("fault", [pytest.param("hang", marks=SIM), "pretend"])
async def test_a_call_that_changes_nothing_is_a_failed_action(
    sandbox: Sandbox, watchdog: Watchdog, fault: str
) -> None:
    watchdog.rules.pause_by_call(deadline="1500ms")
    await watchdog.on_guard()
    sandbox.fault("flag_write", fault)
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="latched")

    assert STILL_ON in episode.reason
    assert (sandbox.is_enabled(), sandbox.flag_changes()) == (True, 0)
    assert len(watchdog.pages("a person must look")) == 1


async def test_a_refused_credential_is_not_tried_in_a_storm(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.pause_by_call()
    await watchdog.on_guard()
    sandbox.fault("flag_write", "answer", status=401, body='{"error": "no"}')
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="latched")

    assert "answered 401" in episode.reason
    assert sandbox.flag_requests(method="PUT") == 1
    assert len(watchdog.pages("a person must look")) == 1
    assert sandbox.token not in str(watchdog.journal())


@SIM
async def test_a_conflict_stops_since_a_person_changed_it(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.pause_by_call()
    await watchdog.on_guard()
    sandbox.fault("flag_write", "answer", status=409, body='{"error": "version is 7"}')
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="latched")

    assert "somebody else changed it meanwhile" in episode.reason
    assert sandbox.flag_requests(method="PUT") == 1
    assert sandbox.flag_changes() == 0
    assert len(watchdog.pages("a person must look")) == 1


@SIM
async def test_too_many_requests_waits_as_long_as_it_is_asked_to(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.pause_by_call()
    await watchdog.on_guard()
    sandbox.fault("flag_write", "answer", status=429, headers={"retry-after": "1"}, times=1)
    break_peg(sandbox)

    await watchdog.episode(PEG, state="contained")

    assert sandbox.flag_requests(method="PUT") == 2
    assert sandbox.flag_changes() == 1
    tries = [one.at.steady for one in watchdog.journal() if isinstance(one.entry, StepTaken)]
    assert tries[-1] - tries[-2] > 1


@SIM
async def test_a_flag_that_shows_late_is_read_until_it_does(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await watchdog.on_guard()
    sandbox.fault("flag_read", "late", seconds=1.2)
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="contained")

    assert episode.outcome == "done"
    assert (sandbox.flag_changes(), len(sandbox.launchctl.calls())) == (1, 1)
    (ended,) = watchdog.entries(IntentEnded)
    assert ended.seconds > 1


async def test_a_flag_that_was_off_already_is_found_so_and_never_switched_on_by_us(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    await sandbox.change_flag_behind_its_back(enabled=False)
    await watchdog.on_guard()
    break_peg(sandbox)

    episode = await watchdog.episode(PEG, state="contained")
    assert episode.outcome == "found"
    assert sandbox.launchctl.calls() == []
    assert watchdog.pages("is now, as read back") == []

    mend_peg(sandbox)
    told = await watchdog.order("undo", what=episode.id, reason="mended")

    assert "is not switched back" in told["effect"]
    await watchdog.episode(PEG, state="ok")
    assert not sandbox.is_enabled()
    assert sandbox.launchctl.calls() == []
    assert sandbox.flag_changes() == 1, "the stranger's own"
