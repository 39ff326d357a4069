"""Every decision that the journal holds can be reached, a bounded page at a time."""

from collections.abc import AsyncIterator, Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.web.policies import policy
from tests.web.watching import Watch, watching
from watchdog.core import entries as e
from watchdog.core.words import Instant, Truth, World
from watchdog.engine import Views
from watchdog.web.decisions import MOST_ENTRIES, PIECE_ENTRIES, Decisions, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT = Instant(1_800_000_000.0, 100.0)
COMMON, RARE = "redemption-error-rate", "peg-collateralised"
DECISIONS = 2600
ENTRIES = 12_000
RARE_ONE = 700  # which of the decisions is about the rare rule


def decided(number: int) -> e.Decided:
    rule = RARE if number == RARE_ONE else COMMON
    return e.Decided(
        f"D{number}", "E1", rule, "pause", 0, World.LIVE, e.Ruling.REFUSED, "a hold covers it",
        (), "p" * 64, "r" * 64, None,
    )  # fmt: skip


def years() -> Iterable[e.Entry]:
    """Decisions in the first half of many more entries."""
    for number in range(1, ENTRIES + 1):
        is_one = number % 2 == 0 and number // 2 <= DECISIONS
        yield (
            decided(number // 2)
            if is_one
            else e.ReadinessChanged("pause", Truth.TRUE, f"look {number}")
        )


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def old(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Watch]:
    """A watch with years of decisions; those at hand are the newest thousand of them."""
    folder: Path = tmp_path_factory.mktemp("old")
    async with watching(folder, policy({}, (), ()), runs=False) as watch:
        journal, recorder = watch.engine.ports.journal, watch.engine.recorder
        recorder.remember(journal.append(list(years()), AT))
        yield watch


async def walked(watch: Watch, path: str) -> list[list[dict[str, Any]]]:
    """All pages from here on, as the header names them."""
    pages: list[list[dict[str, Any]]] = []
    while path:
        answer = await watch.get(path)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json())
        path = answer.links.get("next", {}).get("url", "")
        assert len(pages) < 50, "the pages never end"
    return pages


def names(pages: Iterable[list[dict[str, Any]]]) -> list[str]:
    return [one["decision"] for page in pages for one in page]


ALL = [f"D{number}" for number in range(1, DECISIONS + 1)]


@pytest.mark.parametrize("limit", [1000, 333])
async def test_forwards_every_decision_is_told_once_and_in_order(old: Watch, limit: int) -> None:
    pages = await walked(old, f"/api/v1/decisions?after=0&limit={limit}")
    assert names(pages) == ALL
    assert max(map(len, pages)) == limit


@pytest.mark.parametrize("start", ["", "&before=4611686018427387904"])
async def test_backwards_every_decision_is_told_once(old: Watch, start: str) -> None:
    pages = await walked(old, f"/api/v1/decisions?limit=400{start}")
    assert names(reversed(pages)) == ALL
    assert max(map(len, pages)) == 400


@pytest.mark.parametrize("start", ["after=0", "before=4611686018427387904", ""])
async def test_one_decision_among_thousands_is_found(old: Watch, start: str) -> None:
    pages = await walked(old, f"/api/v1/decisions?rule={RARE}&{start}")
    assert names(pages) == [f"D{RARE_ONE}"]


@pytest.mark.parametrize("start", ["after=0", "before=4611686018427387904"])
async def test_a_request_reads_a_bounded_part_of_the_journal(old: Watch, start: str) -> None:
    whole = old.engine.recorder.last_seq
    pages = await walked(old, f"/api/v1/decisions?rule=no-such-rule&{start}")
    assert len(pages) == whole // MOST_ENTRIES + 1
    assert names(pages) == []


@pytest.mark.parametrize("direction", ["forwards", "backwards"])
async def test_the_loop_goes_on_between_the_pieces_of_a_page(old: Watch, direction: str) -> None:
    decisions = Decisions(Views(old.engine))
    forwards = direction == "forwards"
    page = decisions.after(0, nobodys, 100) if forwards else decisions.before(2**62, nobodys, 100)
    pieces = MOST_ENTRIES // PIECE_ENTRIES
    assert yields(page) >= pieces - 1, "the last piece need not be followed by a pause"


def nobodys(one: e.Decided) -> bool:
    return not one.rule


def yields(reading: Coroutine[Any, Any, Page]) -> int:
    """How often it lets others take their turn before it is done, driven as a loop drives it."""
    count = 0
    while True:
        try:
            reading.send(None)
        except StopIteration:
            return count
        count += 1


async def test_the_address_of_a_decision_leads_to_its_neighbours(old: Watch) -> None:
    [one] = (await old.get(f"/api/v1/decisions?rule={RARE}&after=0")).json()
    [before] = (await old.get(f"/api/v1/decisions?before={one['seq']}&limit=1")).json()
    [after] = (await old.get(f"/api/v1/decisions?after={one['seq']}&limit=1")).json()
    assert (before["decision"], after["decision"]) == (f"D{RARE_ONE - 1}", f"D{RARE_ONE + 1}")


@pytest.mark.parametrize("query", ["after=1&before=9", "limit=0", "before=-1", "before=x"])
async def test_a_cursor_that_makes_no_sense_is_refused(old: Watch, query: str) -> None:
    assert (await old.get(f"/api/v1/decisions?{query}")).status_code == 400


async def test_retired_decisions_are_gone_and_the_pages_end_there(tmp_path: Path) -> None:
    async with watching(tmp_path, policy({}, (), ()), runs=False) as watch:
        journal, recorder = watch.engine.ports.journal, watch.engine.recorder
        first = recorder.last_seq + 1
        recorder.remember(journal.append([decided(number) for number in range(1, 1501)], AT))
        journal.prune(first + 699, b"{}", AT)
        left = [f"D{number}" for number in range(701, 1501)]
        assert names(await walked(watch, "/api/v1/decisions?after=0&limit=300")) == left
        pages = await walked(watch, f"/api/v1/decisions?before={2**62}&limit=300")
        assert names(reversed(pages)) == left


async def test_a_journal_that_cannot_be_read_is_no_answer(tmp_path: Path) -> None:
    async with watching(tmp_path, policy({}, (), ()), runs=False) as watch:
        watch.engine.recorder.close()
        answer = await watch.get("/api/v1/decisions?after=0")
        assert (answer.status_code, answer.text) == (503, "This cannot be answered.\n")
