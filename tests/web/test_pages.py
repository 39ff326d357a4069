"""The pages after a real breach: what they show, and what they never let in."""

import re
from html.parser import HTMLParser

import pytest

from tests.web.conftest import MARKUP, TURNED, Paused
from tests.web.policies import AVAILABILITY, ERROR_RATE, OBSERVED, ODD
from watchdog.web.policy_load import PolicyLoad

pytestmark = pytest.mark.asyncio(loop_scope="session")

VOID = {"meta", "link", "input"}


class Outline(HTMLParser):
    """Headings, links, tags; complains of an element that is not closed in its turn."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag == "script":
            self.scripts.append(dict(attrs).get("src") or "its own text")
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag in {"h1", "h2", "h3"}:
            self.headings.append(tag)
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


PATHS = (
    "/",
    "/rules",
    f"/rules/{AVAILABILITY.name}",
    f"/rules/{OBSERVED.name}",
    f"/rules/{ODD.name}",
    "/episodes",
    "/episodes/E1",
    "/actions",
    "/decisions",
)


async def shown(paused: Paused, path: str) -> Outline:
    answer = await paused.watch.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return Outline(answer.text)


async def test_the_front_page_says_what_is_and_what_to_type(paused: Paused) -> None:
    await paused.watch.episode(OBSERVED.name, state="held")
    page = await shown(paused, "/")
    assert page.headings[0] == "h1"
    assert page.headings.count("h1") == 1
    for said in (
        f"{paused.episode} {ERROR_RATE.name}: contained",
        f"slo-watchdog undo {paused.episode}",
        f"slo-watchdog ack {paused.episode}",
        "slo-watchdog release H1",
        f"mode: observe, by rule {OBSERVED.name}",
    ):
        assert said in page.text, said


async def test_the_rule_page_says_why(paused: Paused) -> None:
    page = await shown(paused, f"/rules/{ERROR_RATE.name}")
    for said in ("armed because: launch decision", "> 5%", "Breach to effect", "blast radius"):
        assert said in page.text, said
    assert "People who must approve" not in page.text, "it is armed, and asks nobody"
    slo = await shown(paused, f"/rules/{AVAILABILITY.name}")
    assert "14.4" in slo.text
    assert "assumed good" in slo.text
    assert "Error budget" in slo.text
    assert "of 0.1% of events in 30d" in slo.text
    for window in ("1h", "5m", "6h", "30m"):
        assert f"Burn over {window}" in slo.text
    assert "Error budget" not in page.text, "no objective, no budget"
    assert (await paused.watch.get("/rules/no-such-rule")).status_code == 404


@pytest.mark.parametrize("path", ["/", f"/rules/{ODD.name}"])
async def test_markup_from_outside_is_text(paused: Paused, path: str) -> None:
    await paused.markup_is_read()
    answer = await paused.watch.get(path)
    page = Outline(answer.text)
    assert MARKUP in page.text
    assert MARKUP not in answer.text
    assert page.scripts == ["/static/live.js"]
    assert not set(TURNED[:2]) & set(answer.text)


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_needs_no_script_and_nothing_from_elsewhere(paused: Paused, path: str) -> None:
    page = await shown(paused, path)
    assert not page.tags & {"style", "iframe", "img", "object"}
    assert page.scripts == ["/static/live.js"], "and the page works without it"
    assert "style" not in page.attributes
    assert not {name for name in page.attributes if name.startswith("on")}
    assert all(re.match(r"/(?!/)|#main|\?", link) for link in page.links)
    own = {f"{path}{link}" if link.startswith("?") else link for link in page.links}
    for link in own - {"#main"}:
        assert (await paused.watch.get(link)).status_code == 200, link


async def test_a_page_can_be_made_to_stand_still(paused: Paused) -> None:
    assert 'http-equiv="refresh"' in (await paused.watch.get("/")).text
    assert 'http-equiv="refresh"' not in (await paused.watch.get("/?still")).text


async def test_a_broken_rules_folder_is_on_the_front_page(paused: Paused) -> None:
    error = "redemption-team/rules.yaml:14:18: <b>breach_when</b>: write > 5%"
    paused.watch.knobs.load = PolicyLoad(pending=True, errors=(error,))
    try:
        page = await shown(paused, "/")
    finally:
        paused.watch.knobs.load = PolicyLoad()
    assert error in page.text
    assert "slo-watchdog apply" in page.text


async def test_not_watching_is_said_before_all_else(paused: Paused) -> None:
    paused.watch.knobs.unhealthy = "the last pass was 12.0 s ago"
    try:
        page = await shown(paused, "/")
        healthy = await paused.watch.get("/-/healthy")
    finally:
        paused.watch.knobs.unhealthy = ""
    assert "It is not watching" in page.text
    assert (healthy.status_code, healthy.text) == (503, "the last pass was 12.0 s ago")
    assert (await paused.watch.get("/-/ready")).status_code == 200


async def test_what_nobody_has_practised_lately_stands_beside_what_is_ready(paused: Paused) -> None:
    (action,) = (await paused.watch.get("/api/v1/actions")).json()
    assert action["ready"] == "true"
    (said,) = action["unpractised"]
    assert said.startswith("the drill feature-flag is overdue: since ")
    actions = Outline((await paused.watch.get("/actions")).text)
    assert said in actions.text
    assert "not practised" in actions.text
    drills = " ".join(actions.text.split("Drills", 1)[1].split())
    assert drills.startswith("KindNowLastDue feature-flag overdue passed T1, 40d")
    assert "slo-watchdog drill run KIND" in actions.text
    front = Outline((await paused.watch.get("/")).text)
    assert said in front.text
    assert "Overdue to be practised: feature-flag" in front.text
    told = (await paused.watch.get("/metrics")).text
    assert f'slo_watchdog_action_practised{{action="{action["name"]}"}} 0.0' in told
