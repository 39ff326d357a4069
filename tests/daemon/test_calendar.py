"""The calendar does what is due, and a failure in it is never the silence of it."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from watchdog.core.words import Instant
from watchdog.daemon import calendar as module
from watchdog.daemon.calendar import Calendar, Every
from watchdog.ports import JournalBroken, JournalError

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


class HandClock:
    """`ports.Clock`, moved by hand."""

    def __init__(self) -> None:
        self.steady = 0.0

    def now(self) -> Instant:
        return Instant(1_800_000_000 + self.steady, self.steady)


class Counted:
    """A job that counts its runs, and may fail or hang."""

    def __init__(self, error: Exception | None = None, *, hangs: bool = False) -> None:
        self.runs = 0
        self._error = error
        self._hangs = hangs

    async def __call__(self) -> None:
        self.runs += 1
        if self._hangs:
            await asyncio.Event().wait()
        if self._error is not None:
            raise self._error

    async def runs_again(self) -> bool:
        before = self.runs
        for _ in range(300):
            if self.runs > before:
                return True
            await asyncio.sleep(0.01)
        return False


def planned(clock: HandClock, *jobs: Counted) -> tuple[Calendar, list[JournalError]]:
    calendar, lost = Calendar(clock), list[JournalError]()
    work = tuple(Every(f"job {i}", 0.05, job) for i, job in enumerate(jobs))
    calendar.plan(work, lost.append)
    calendar.start()
    return calendar, lost


async def test_one_job_that_fails_does_not_silence_the_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fails, works = Counted(RuntimeError("no room")), Counted()
    calendar, lost = planned(HandClock(), fails, works)
    for _ in range(2):
        assert await fails.runs_again()
        assert await works.runs_again()
    calendar.stop()
    assert lost == []
    assert "calendar.job_failed" in capsys.readouterr().out


async def test_one_job_that_hangs_is_ended_and_runs_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "JOB_SECONDS", 0.1)
    hangs, works = Counted(hangs=True), Counted()
    calendar, _ = planned(HandClock(), hangs, works)
    for _ in range(2):
        assert await hangs.runs_again()
        assert await works.runs_again()
    calendar.stop()


async def test_what_runs_when_the_daemon_stops_is_ended_without_a_fault(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    calendar, lost = planned(HandClock(), hangs := Counted(hangs=True))
    assert await hangs.runs_again()
    calendar.stop()
    await asyncio.sleep(0.05)
    assert lost == []
    assert "calendar.job_ended" in capsys.readouterr().out
    assert [one.message for one in caplog.records if one.levelname in {"WARNING", "ERROR"}] == []


async def test_a_record_that_cannot_be_written_is_everybodys_affair() -> None:
    calendar, lost = planned(HandClock(), broken := Counted(JournalBroken("the disk failed")))
    assert await broken.runs_again()
    calendar.stop()
    assert [str(error) for error in lost[:1]] == ["the disk failed"]


@pytest.mark.parametrize("silenced_by", ["pause", "shutdown"])
async def test_a_calendar_that_fell_silent_is_started_anew(silenced_by: str) -> None:
    clock, job = HandClock(), Counted()
    calendar, _ = planned(clock, job)
    assert await job.runs_again()
    getattr(calendar._scheduler, silenced_by)()
    await asyncio.sleep(0.2)
    clock.steady += module.SILENT_AFTER_SECONDS - 1
    calendar.supervise()
    assert calendar.rebuilt == 0
    clock.steady += 2
    calendar.supervise()
    assert calendar.rebuilt == 1
    assert await job.runs_again()
    calendar.supervise()
    assert calendar.rebuilt == 1
    calendar.stop()
    calendar.stop()
    calendar.supervise()  # after its end nothing is started again
    assert calendar.rebuilt == 1


STEPPED_BACK = """
import asyncio, pathlib, sys, time
from watchdog.clock import SystemClock
from watchdog.daemon import calendar as module

module.BEAT_SECONDS, module.SILENT_AFTER_SECONDS = 0.1, 1.0
runs = 0

async def job():
    global runs
    runs += 1

async def main():
    calendar = module.Calendar(SystemClock())
    calendar.plan((module.Every("job", 0.1, job),), print)
    calendar.start()
    while runs < 3:
        await asyncio.sleep(0.05)
    before = time.time()
    pathlib.Path(sys.argv[1]).write_text("-3600s")
    while time.time() > before - 3000:
        await asyncio.sleep(0.05)
    seen = runs
    while runs < seen + 3:
        calendar.supervise()
        await asyncio.sleep(0.05)
    print("went on", calendar.rebuilt)
    calendar.stop()

asyncio.run(main())
"""


def test_a_wall_clock_that_steps_back_does_not_stop_it(tmp_path: Path) -> None:
    if not FAKETIME.exists():
        pytest.skip("needs libfaketime (Debian: faketime)")
    now = tmp_path / "now"
    now.write_text("+0s")
    ended = subprocess.run(
        [sys.executable, "-c", STEPPED_BACK, now],
        env={
            **os.environ,
            "LD_PRELOAD": str(FAKETIME),
            "FAKETIME_TIMESTAMP_FILE": str(now),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1",
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "went on" in ended.stdout, ended.stderr
