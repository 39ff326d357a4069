"""In backticks nothing is an escape, here as in a real Prometheus, and in what it is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.core.promql.agreement import Agreement
from tests.core.promql.asking import Asked
from tests.real_parts.prometheus import RealPrometheus
from watchdog.core.promql.parsing import without_raw
from watchdog.core.samples import Reading, Sample, labels_of
from watchdog.core.series import SeriesStore
from watchdog.core.words import Instant
from watchdog.policy.expressions import normal
from watchdog.sources.selectors import parsed

AT = 1_690_000_000.0
PATHS = (r"C:\new", "C:\new", r"\d", "5", r"a\\b", r"a\b", 'say "hi"', "it's", "é")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def agreement(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Agreement]:
    """One series for each path, in a store and in a Prometheus of its own."""
    store = SeriesStore(max_series=50, keep_seconds=600.0)
    samples = tuple(
        Sample("raw_paths", labels_of({"path": path}), float(number), AT)
        for number, path in enumerate(PATHS)
    )
    store.ingest(Reading("app", Instant(AT, AT), 0.01, samples=samples, up={"x": True}))
    options = ("--web.enable-remote-write-receiver", "--storage.tsdb.retention.time=100y")
    async with RealPrometheus.start(tmp_path_factory.mktemp("raw"), options=options) as server:
        asked = Asked(server.port)
        asked.write(
            [
                ({"__name__": "raw_paths", "path": path}, [(AT, float(number))])
                for number, path in enumerate(PATHS)
            ]
        )
        yield Agreement(store, asked)
        asked.close()


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (r"raw_paths{path=`C:\new`}", [r"C:\new"]),
        (r'raw_paths{path="C:\new"}', ["C:\new"]),
        (r"raw_paths{path=~`C:\\n.*`}", [r"C:\new"]),
        (r"raw_paths{path=~`\d`}", ["5"]),
        (r"raw_paths{path=`\d`}", [r"\d"]),
        (r"raw_paths{path=`a\\b`}", [r"a\\b"]),
        (r"raw_paths{path=`a\b`}", [r"a\b"]),
        ('raw_paths{path=`say "hi"`}', ['say "hi"']),
        ("raw_paths{path=`it's`}", ["it's"]),
        ("raw_paths{path=`é`}", ["é"]),
        ("raw_paths{path=`C:\new`}", ["C:\new"]),
        ('raw_paths{path="5"} # `\n', ["5"]),
        (r"sum by (path) (raw_paths{path!~`[^\d]+`})", ["5"]),
    ],
)
def test_both_find_the_same_by_it(agreement: Agreement, expression: str, found: list[str]) -> None:
    agreement.hold(expression, AT + 1)
    assert _paths(agreement, expression) == found
    # What is asked of a Prometheus for the samples' times: the same series.
    (selector,) = parsed(expression).selectors
    assert _paths(agreement, selector.text) == found
    assert _paths(agreement, without_raw(expression)) == found


def _paths(agreement: Agreement, expression: str) -> list[str]:
    data = agreement.server.query(expression, AT + 1)
    assert data is not None
    return [row["metric"]["path"] for row in data["result"]]


def test_a_rules_hash_tells_them_apart() -> None:
    assert normal(r"x{a=`\n`}") != normal(r'x{a="\n"}')
    assert normal(r"x{a=`\n`}") == normal(r'x{a="\\n"}')
