"""Whatever pages somebody at three in the morning has a page that says what to do."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.deploy.watching import alerts
from tests.house.pages import FILLED, in_tree, titles
from tests.house.tree import REPOSITORY

RUNBOOKS = REPOSITORY / "docs" / "runbooks"
INDEX = RUNBOOKS / "README.md"
RULES = REPOSITORY / "rules"
_ROW = re.compile(r"^\| (?P<said>.*`.*) \| \[(?P<name>[\w.-]+)\]\((?P<link>[\w.-]+)\) \|$")
_LINK = re.compile(r"\]\((?!https?:)(?P<file>[^)#]*)(?:#(?P<anchor>[^)]*))?\)")


def listed(section: str) -> list[tuple[str, str]]:
    """What a section's table lists, and the runbook beside it."""
    (text,) = re.findall(
        rf"^## {section}$(.*?)(?=^## |\Z)", INDEX.read_text(), re.MULTILINE | re.DOTALL
    )
    rows = [found for line in text.splitlines() if (found := _ROW.match(line))]
    assert all(row["name"] == row["link"] for row in rows)
    return [(said, row["link"]) for row in rows for said in re.findall(r"`([^`]*)`", row["said"])]


def pages_of_the_code() -> set[str]:
    rooms = (REPOSITORY / "watchdog" / room for room in ("core", "engine", "daemon"))
    return {title.text for title in titles(in_tree(*rooms))}


def test_every_page_that_can_be_raised_has_its_runbook_and_no_other_is_listed() -> None:
    said = [re.sub(r"\b[A-Z]{3,}\b", FILLED, text) for text, _ in listed("Pages")]
    told = {re.sub(r"\.\.\.(\s*\.\.\.)+", FILLED, text) for text in said}
    assert len(told) == len(said), "a page is listed twice"
    assert told == pages_of_the_code()


def test_every_alert_has_the_runbook_that_it_names() -> None:
    named = {
        name: rule["annotations"]["runbook_url"].removeprefix("docs/runbooks/")
        for name, rule in alerts().items()
    }
    assert dict(listed("Alerts")) == named


def test_every_shipped_rule_has_the_runbook_that_it_names() -> None:
    named = {}
    for file in RULES.glob("*/rules.yaml"):
        for name, rule in YAML(typ="safe", pure=True).load(file.read_text())["rules"].items():
            named[name] = rule["runbook"].removeprefix("docs/runbooks/")
    assert dict(listed("Rules")) == named


def test_every_runbook_is_listed_and_every_link_in_it_leads_somewhere() -> None:
    files = {path.name for path in RUNBOOKS.glob("*.md")} - {INDEX.name}
    assert files == {link for part in ("Pages", "Alerts", "Rules") for _, link in listed(part)}
    dead = [
        f"{page.name}: {found[0]}"
        for page in RUNBOOKS.glob("*.md")
        for found in _LINK.finditer(page.read_text())
        if not leads_somewhere(page, found["file"], found["anchor"] or "")
    ]
    assert dead == []


def leads_somewhere(page: Path, file: str, anchor: str) -> bool:
    """Whether a link's file is there, with a heading of that name."""
    target = page.parent / file if file else page
    if not target.is_file():
        return False
    headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
    slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return not anchor or anchor in slugs


CODE = """\
TITLE = "The moon is gone"
def raises(draft, ep, moon):
    why = f"it fell on {moon}" if moon else "nobody knows"
    draft.page(ep, f"{ep.rule}: {why}", "look up")
    draft.tell("moon", 1, TITLE, "look up")
"""


def test_a_title_is_read_as_people_will_see_it() -> None:
    assert [title.text for title in titles({"x": CODE})] == [
        "...: it fell on ...",
        "...: nobody knows",
        "The moon is gone",
    ]


@pytest.mark.parametrize("title", ["title", "titles[0]", "made(ep)"])
def test_a_title_that_cannot_be_understood_is_not_passed_over(title: str) -> None:
    with pytest.raises(ValueError, match="cannot tell what the title"):
        titles({"x": f"def raises(draft, ep, title):\n    draft.page(ep, {title}, '')\n"})
