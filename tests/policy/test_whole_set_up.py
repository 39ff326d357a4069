"""The set-up that docs/telling.md gives to be copied: it loads, and names what it needs."""

from __future__ import annotations

import re
from pathlib import Path

import apprise
import pytest

from watchdog.core.telling.contacts import AppriseUrl, Contacts
from watchdog.policy.check import check
from watchdog.policy.folder import read_folder

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = (REPOSITORY / "docs" / "telling.md").read_text()
SECTION = PAGE[PAGE.index("## A whole set-up") : PAGE.index("## Escalation")]
ACCOUNT, TOKEN = "AC" + "a" * 32, "b" * 32


def block(language: str) -> str:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", SECTION, re.DOTALL | re.MULTILINE)
    (text,) = [text for known, text in blocks if known == language]
    return str(text)


@pytest.fixture(scope="module")
def contacts(tmp_path_factory: pytest.TempPathFactory) -> Contacts:
    """As `check` sees it, in place of the shipped file."""
    folder = tmp_path_factory.mktemp("rules")
    files = read_folder(REPOSITORY / "rules").files | {"contacts.yaml": block("yaml")}
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    report = check(folder)
    assert report.errors == ()
    assert report.advice == ()
    assert not any(found.problem.file == "contacts.yaml" for found in report.findings)
    policy = report.loads["production"].policy
    assert policy is not None
    assert policy.contacts is not None
    return policy.contacts


def test_every_credential_that_it_names_is_given_and_no_other(contacts: Contacts) -> None:
    given = dict(line.split(None, 1) for line in block("").splitlines())
    named = {
        channel.how.secret
        for channel in contacts.channels.values()
        if isinstance(channel.how, AppriseUrl)
    }
    assert set(given) == named | {"statuspage-token"}


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
@pytest.mark.parametrize("number", ["", "+41790000001"])
def test_apprise_knows_every_service_that_the_page_names(number: str) -> None:
    lines = re.findall(r"^apprise-\w+ +(\S+)$", PAGE, re.MULTILINE)
    assert len(lines) >= 8
    for line in lines:
        url = line.replace("{to}", number or "ada@example.org").replace("{key}", "E1")
        url = url.replace("{phase}", "trigger").replace("ACCOUNT:TOKEN", f"{ACCOUNT}:{TOKEN}")
        url = url.replace("INTEGRATION@API", f"{TOKEN}@{TOKEN}")
        url = url.replace("TokenA/TokenB/TokenC", f"T1JJ3T3L2/A1BRTD4JD/{'T' * 24}")
        made = apprise.Apprise.instantiate(url)
        assert made is not None, url
        if number and url.startswith("twilio:"):
            whole = str(getattr(made, "url")())  # noqa: B009  # it has no type that mypy knows
            assert "41790000001" in whole, "whom it calls"


def test_whoever_is_to_be_tried_is_there(contacts: Contacts) -> None:
    names = re.findall(r"notify test (\S+)", block("sh"))
    known = {*contacts.audiences, *contacts.people, *contacts.status_pages}
    assert names
    assert set(names) <= known
