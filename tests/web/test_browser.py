"""The pages in a real browser, during a real episode: readable by everybody, live, and quiet."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.real_parts.chromium import Chromium, Tab, chromium
from tests.real_parts.node import kept
from tests.web.conftest import Paused
from tests.web.policies import AVAILABILITY, ERROR_RATE
from watchdog.core.spec import Scope
from watchdog.engine import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

WIDE, PHONE = 1280, 390
PATHS = (
    "/",
    "/rules",
    f"/rules/{ERROR_RATE.name}",
    f"/rules/{AVAILABILITY.name}?span=15m",
    "/episodes",
    "/episodes/E1",
    "/actions",
    "/decisions",
    "/decisions/{seq}",
)
ALICE = Person("alice (uid 1000)", counts=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def browser() -> AsyncIterator[Chromium]:
    async with chromium() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: Chromium) -> AsyncIterator[Tab]:
    found = await browser.tab()
    await found.look(dark=False, width=WIDE)
    yield found
    await found.close()


@pytest.fixture(scope="module")
def axe() -> str:
    return (kept("axe") / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


async def faults(tab: Tab) -> list[tuple[str, list[str]]]:
    """What keeps people from using the page: serious and critical findings, and where."""
    found: dict[str, Any] = await tab.value(
        "axe.run(document, {resultTypes: ['violations']})"
        ".then(all => ({held: all.passes.length + all.violations.length, found: all.violations}))"
    )
    assert found["held"] >= 5, "it looked at the page"
    return [
        (one["id"], [node["html"] for node in one["nodes"]])
        for one in found["found"]
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_keeps_nobody_out_and_asks_nobody_else(
    paused: Paused, tab: Tab, axe: str, path: str
) -> None:
    await opened(paused, tab, path)
    await tab.value(axe)
    for width, dark in ((WIDE, False), (PHONE, True)):
        await readable(tab, width, dark=dark)
    assert tab.console == []
    assert {url for url in tab.asked if not url.startswith(paused.watch.url)} == set()


@pytest.mark.sim
@pytest.mark.parametrize("path", PATHS)
async def test_neither_does_it_the_other_way_round(
    paused: Paused, tab: Tab, axe: str, path: str
) -> None:
    await opened(paused, tab, path)
    await tab.value(axe)
    for width, dark in ((WIDE, True), (PHONE, False)):
        await readable(tab, width, dark=dark)


async def opened(paused: Paused, tab: Tab, path: str) -> None:
    newest = paused.watch.engine.recorder.decisions[-1]
    await tab.open(paused.watch.url + path.format(seq=newest.seq))


async def readable(tab: Tab, width: int, *, dark: bool) -> None:
    await tab.look(dark=dark, width=width)
    assert await faults(tab) == [], (width, dark)
    spilled = "document.documentElement.scrollWidth > innerWidth"
    assert not await tab.value(spilled), f"{width}: it can be scrolled sideways"


@pytest.mark.parametrize("path", ["/", f"/rules/{ERROR_RATE.name}"])
async def test_on_a_phone_no_caption_touches_the_border_of_its_card(
    paused: Paused, tab: Tab, path: str
) -> None:
    await opened(paused, tab, path)
    await tab.look(dark=False, width=PHONE)
    indents = "[...document.querySelectorAll('caption')].map(a => getComputedStyle(a).paddingLeft)"
    found = await tab.value(indents)
    assert found
    assert all(float(one.removesuffix("px")) >= 8 for one in found), found


async def test_the_check_finds_what_is_wrong(tab: Tab, axe: str) -> None:
    await tab.open("data:text/html,<p style='color:%23ccc;background:white'>pale</p><img src=x>")
    await tab.value(axe)
    assert {name for name, _ in await faults(tab)} >= {"color-contrast", "image-alt"}


async def test_what_happens_is_shown_without_reloading_and_without_disturbing(
    paused: Paused, tab: Tab
) -> None:
    await tab.open(f"{paused.watch.url}/rules/{ERROR_RATE.name}")
    await tab.until("!document.getElementById('pulse').hidden")
    await tab.value(
        "window.kept = true; document.querySelector('.fold summary, .spans a').focus();"
        "window.focused = document.activeElement;"
        "window.place = document.getElementById('main')"
    )
    scope = Scope("rule", ERROR_RATE.name)
    paused.watch.orders.stops.hold(
        ALICE, scope, "looking <b>closely</b>", for_seconds=60.0, silence=False, dry=False
    )
    try:
        await tab.until("document.getElementById('main').textContent.includes('closely')", 8)
        assert await tab.value("window.kept && document.activeElement === window.focused")
        assert not await tab.value("document.querySelector('main b.closely, main p b b')")
        assert await tab.value("document.getElementById('main') === window.place")
        assert await tab.value("document.getElementById('said').textContent") == ""
    finally:
        placed = [one for one in paused.watch.engine.book.holds.values() if one.scope == scope]
        paused.watch.orders.stops.release(ALICE, placed[0].id, "", dry=False)
    assert tab.console == []


@pytest.mark.sim
async def test_a_new_headline_is_said_once_to_those_who_listen(paused: Paused, tab: Tab) -> None:
    await tab.open(paused.watch.url)
    await tab.value(
        "window.saidTimes = 0; new MutationObserver(() => { window.saidTimes += 1; })"
        ".observe(document.getElementById('said'), {childList: true, characterData: true})"
    )
    paused.watch.knobs.unhealthy = "the last pass was 12.0 s ago"
    try:
        said = "document.getElementById('said').textContent === 'It is not watching'"
        await tab.until(said, 12)
        await asyncio.sleep(2.5)  # further looks say nothing new
        assert await tab.value("window.saidTimes") == 1
        assert await tab.value("document.title") == "It is not watching · SLO watchdog"
    finally:
        paused.watch.knobs.unhealthy = ""


async def test_a_page_that_gets_no_answer_says_that_it_is_old(paused: Paused, tab: Tab) -> None:
    await tab.open(paused.watch.url)
    await tab.until("!document.getElementById('pulse').hidden")
    await tab.call(
        "Network.emulateNetworkConditions", offline=True, latency=0,
        downloadThroughput=0, uploadThroughput=0,
    )  # fmt: skip
    await tab.value("{ const now = Date.now; Date.now = () => now() + 60000; }")
    await tab.until("!document.getElementById('lost').hidden", 15)
    assert "what is shown here is old" in await tab.value(
        "document.getElementById('lost').textContent"
    )


async def test_without_a_script_it_asks_for_itself(paused: Paused, tab: Tab) -> None:
    await tab.scripts(run=False)
    await tab.open(paused.watch.url)
    assert not any(url.endswith("/live") for url in tab.asked)
    tab.loaded.clear()
    async with asyncio.timeout(10):
        await tab.loaded.wait()


async def test_the_keyboard_comes_past_the_navigation_to_the_content(
    paused: Paused, tab: Tab
) -> None:
    await tab.open(f"{paused.watch.url}/?still")
    await tab.press("Tab")
    assert await tab.value("document.activeElement.className") == "skip"
    assert await tab.value("document.activeElement.getBoundingClientRect().left >= 0")
    await tab.press("Enter")
    await tab.until("location.hash === '#main'")
    await tab.press("Tab")
    assert await tab.value("document.getElementById('main').contains(document.activeElement)")
