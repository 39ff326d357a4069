"""A page of 50,000 series of which 500 are wanted: what reading it takes at every poll.

Ours is the parser of the scraped source, from the page's bytes to samples. The peer is
prometheus_client's full parser on the same text, from which the wanted samples are then picked;
both give the same samples, or nothing is told. Each reads a page whose values have changed since
the one before, as in life. The first page is told apart: there ours reads every wanted name and
label anew. It is a counter-rich page in the text format, a thousand names with fifty series each.
"""

from __future__ import annotations

import random
import time
from pathlib import Path
from statistics import median

from prometheus_client.parser import text_string_to_metric_families

from bench.report import Measure, progress
from watchdog.core.samples import Labels, labels_of
from watchdog.sources.exposition import Exposition, Form

TARGET_RATIO = 0.1
_NAMES = 1000
_SERIES_EACH = 50
_WANTED_NAMES = 10
_RUNS = 7

Found = dict[tuple[str, Labels], float]


async def measure(_folder: Path) -> Measure:
    """Processor seconds for one page."""
    chance = random.Random(1)  # noqa: S311  # numbers on a page
    wanted = frozenset(_name(chance.randrange(_NAMES)) for _ in range(4 * _WANTED_NAMES))
    wanted = frozenset(sorted(wanted)[:_WANTED_NAMES])
    exposition = Exposition()
    ours: list[float] = []
    peer: list[float] = []
    page = b""
    for run in range(_RUNS):
        page = _page(chance).encode()
        began = time.process_time()
        samples = await exposition.read(page, Form.TEXT, wanted, 1.0, max_series=10_000)
        ours.append(time.process_time() - began)
        began = time.process_time()
        found = _parsed(page, wanted)
        peer.append(time.process_time() - began)
        if {(s.name, s.labels): s.value for s in samples} != found:
            raise RuntimeError("the two parsers do not give the same samples")
        progress(f"scrape_parse: {run}: ours {ours[-1]:.4f} s, peer {peer[-1]:.3f} s")
    more = {
        "target_ratio": TARGET_RATIO,
        "series": _NAMES * _SERIES_EACH,
        "wanted": _WANTED_NAMES * _SERIES_EACH,
        "page_mebibytes": len(page) / 2**20,
        "first_page": ours[0],
        "first_page_ratio": ours[0] / peer[0],
    }
    return Measure("scrape_parse", median(ours[1:]), median(peer[1:]), "CPU seconds", _RUNS, more)


def _name(number: int) -> str:
    return f"service_{number:04}_requests_total"


def _page(chance: random.Random) -> str:
    lines = []
    for number in range(_NAMES):
        name = _name(number)
        lines += [f"# HELP {name} Requests served.", f"# TYPE {name} counter"]
        for series in range(_SERIES_EACH):
            labels = f'code="{200 + series % 5}",instance="host-{series // 5}:8080",path="/api/v1"'
            lines.append(f"{name}{{{labels}}} {chance.randrange(10**9)}")
    return "\n".join([*lines, ""])


def _parsed(page: bytes, wanted: frozenset[str]) -> Found:
    return {
        (sample.name, labels_of(sample.labels)): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
        if sample.name in wanted
    }
