"""What holds for every test: under CI a skip is a failure, and what shares a part shares a worker.

A test that needs something this machine lacks skips with its reason; where CI is set, everything is
there, so a skip there hides a hole and fails with that reason instead.
"""

import gc
import os
import signal
from collections.abc import Generator

import pytest
from xdist.remote import Producer
from xdist.scheduler.loadfile import LoadFileScheduling

_UNDER_CI = bool(os.environ.get("CI"))
_SHARE_A_PART = ("tests/systemd/", "tests/web/", "tests/store/postgres/")
_LONG = (
    "tests/systemd/",
    "tests/laws/",
    "tests/e2e/",
    "tests/daemon/",
    "tests/cli/",
    "tests/demo/",
    "tests/store/postgres/",
    "tests/lab/rule_tests/test_shipped.py",
    "tests/actions/tree/",
    "tests/engine/test_unleash.py",
    "tests/restore/",
    "tests/simulation/",
)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell: what we start would not hear of Ctrl-C either.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if _UNDER_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped under CI: {_reason(report)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if _UNDER_CI and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"nothing may be skipped under CI: {_reason(report)}"
    return report


class _OneWorker(LoadFileScheduling):
    """A file's tests run in one worker, and so do a folder's that share one costly part.

    Not by xdist's own groups: they reach no test with this pytest (pytest-xdist issue 1386).
    """

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return next((folder for folder in _SHARE_A_PART if file.startswith(folder)), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _OneWorker:
    return _OneWorker(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: no worker may come to them when the other has nothing left to do."""

    def turn(item: pytest.Item) -> int:
        folders = (at for at, folder in enumerate(_LONG) if item.nodeid.startswith(folder))
        return next(folders, len(_LONG))

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """What thousands of collected tests hold is never garbage: looking through it all again and
    again would make a loop stand still, and tests of deadlines with it.
    """
    gc.collect()
    gc.freeze()
