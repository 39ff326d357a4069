"""The core does no I/O and reads no clock: the same inputs give the same decisions, always."""

import pytest

from tests.house.purity import impurities
from tests.house.tree import REPOSITORY, findings, python_files


def test_the_core_only_computes() -> None:
    core = REPOSITORY / "watchdog" / "core"
    modules = [path for path in python_files("watchdog") if core in path.parents]
    assert len(modules) > 3
    assert findings(modules, impurities) == {}


@pytest.mark.parametrize(
    "text",
    [
        "import time",
        "import random",
        "import os",
        "from os import environ",
        "from pathlib import Path",
        "import asyncio",
        "import sys\nname = sys.argv[0]",
        "from sys import stdin",
        "import httpx",
        "from watchdog import ports",
        "from watchdog.corewards import x",
        "import watchdog.ports",
        "from datetime import datetime, UTC\nat = datetime.now(UTC)",
        "from datetime import datetime\nat = datetime.utcnow()",
        "from datetime import date\nday = date.today()",
        "with open('x') as f: pass",
        "print('x')",
    ],
)
def test_what_does_more_than_compute_is_seen(text: str) -> None:
    assert list(impurities(text)) != []


def test_computing_is_no_offence() -> None:
    text = """
from datetime import UTC, datetime, timedelta
import promql_parser
from watchdog.core.words import Mode
at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=1)
"""
    assert list(impurities(text)) == []
