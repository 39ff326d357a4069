"""What holds for every test: under CI a skip is a failure, and a file's tests share one worker.

A test that needs something this machine lacks skips with its reason; where CI is set, everything is
there, so a skip there hides a hole and fails with that reason instead.
"""

import os
import signal
from collections.abc import Generator

import pytest

_UNDER_CI = bool(os.environ.get("CI"))

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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each file a worker group of its own, unless it names one that it shares with others."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))
