"""The shipped contacts are those of the procedures: everybody is there, and told when it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchdog.core.telling.contacts import AppriseUrl, Contacts, Told, Unless
from watchdog.core.telling.routing import people_of
from watchdog.core.words import Instant, Severity
from watchdog.messages import FIELDS, Message, compose
from watchdog.policy import load_folder

RULES = Path(__file__).resolve().parents[2] / "rules"
NOW = Instant(1_800_000_000.0, 100.0)
MINUTE = 60.0


@pytest.fixture(scope="module")
def contacts() -> Contacts:
    policy = load_folder(RULES, "production").policy
    assert policy is not None
    assert policy.contacts is not None
    return policy.contacts


def test_everybody_whom_the_procedures_name_is_there(contacts: Contacts) -> None:
    team = {"Rollback Commander", "Technical Lead", "Operations Lead", "Communication Lead"}
    escalation = {"Management", "Legal", "PR"}
    outside = {"Infrastructure Provider", "Security Consultant", "Legal Counsel"}
    by_title = {role.title: role for role in contacts.roles.values()}
    assert set(by_title) == team | escalation | outside
    for title, role in by_title.items():
        (person,) = people_of(role.name, contacts, NOW)
        assert person.reach, f"{title} can be reached by nothing"
        assert person.outside is (title in outside)
    for title in team:
        (person,) = people_of(by_title[title].name, contacts, NOW)
        assert {channel for channel, _ in person.reach} == {"phone", "mail"}


def test_the_procedures_channels_are_there_and_stand_in_for_one_another(
    contacts: Contacts,
) -> None:
    assert contacts.channels["mail"].to == "incident-response@mycelia.com"
    for name, beside in (("chat", "mail"), ("mail", "chat"), ("phone", "mail")):
        channel = contacts.channels[name]
        assert isinstance(channel.how, AppriseUrl)
        assert channel.how.secret, f"the URL of {name} is a credential, and not in the file"
        assert channel.fallback == beside
    assert contacts.audiences["team"].to == (Told("chat"), Told("mail"))


def test_who_is_told_when_is_what_the_incident_playbook_says(contacts: Contacts) -> None:
    """P0 is answered within 15 minutes, P1 within 1 h, P2 4 h, P3 24 h: then the next is told."""
    for severity, within in (
        (Severity.P0, 15 * MINUTE),
        (Severity.P1, 60 * MINUTE),
        (Severity.P2, 240 * MINUTE),
        (Severity.P3, 1440 * MINUTE),
    ):
        waits = [step.after_seconds for step in contacts.ladder(severity).steps]
        assert next(seconds for seconds in waits if seconds) == within
    unresolved = [
        (step.after_seconds, step.by)
        for step in contacts.ladder(Severity.P0).steps
        if step.unless is Unless.RESOLVED
    ]
    assert unresolved == [(120 * MINUTE, ("mail",)), (240 * MINUTE, ("phone",))]
    assert Told("chat") in contacts.audiences["team"].to, "at once, as everything is"


def test_the_outside_is_told_by_nothing_but_a_persons_word(contacts: Contacts) -> None:
    beyond = {name for name, one in contacts.audiences.items() if one.outside}
    assert beyond == {"community", "partners", "media"}
    for ladder in contacts.ladders.values():
        for told in (told for step in ladder.steps for told in step.tell):
            people = people_of(told.name, contacts, NOW)
            assert not any(person.outside for person in people), f"{ladder.severity}: {told.name}"
    assert not any(person.outside for person in people_of("on-call", contacts, NOW))


@pytest.mark.parametrize(
    ("topic", "subject", "fields"),
    [
        (
            "public-rollback-announced",
            "[URGENT] System Rollback - Redemptions fail",
            {"Impact: 120 failed", "Duration: 10m", "Next Update: 12:30"},
        ),
        (
            "public-rollback-complete",
            "Rollback Complete - System Restored",
            {"Status: ", "Impact: 120 failed", "Next Steps: We look for the cause."},
        ),
    ],
)
def test_the_outside_reads_the_procedures_fields(
    topic: str, subject: str, fields: set[str]
) -> None:
    example = {name: value for name, (_, value) in FIELDS.items()}
    letter = compose(topic, {**example, "said": "We look for the cause."}, None)
    assert letter.subject == subject
    assert not letter.problem
    assert all(any(line.startswith(one) for line in letter.body.splitlines()) for one in fields)
    assert "slo-watchdog" not in letter.body, "nothing that is ours to say among ourselves"


def announced(name: str, **fields: str) -> Message:
    example = {field: value for field, (_, value) in FIELDS.items()}
    return compose(name, {**example, "target": "Redemptions of BTC", **fields}, None)


def test_what_stands_still_is_not_announced_as_working() -> None:
    paused = "No BTC can be redeemed, as a precaution."
    letter = announced("public-rollback-complete", meanwhile=paused)
    assert letter.subject == "Rollback Complete - Redemptions of BTC in a Safe State"
    assert f"Status: {paused}" in letter.body.splitlines()
    assert "restored" not in (letter.subject + letter.body).lower()


def test_the_end_promises_no_update_and_is_no_trouble_of_the_present() -> None:
    letter = announced("public-incident-update", state="ok", impact="")
    assert letter.subject == "Update - Over: Redemptions of BTC"
    assert letter.body.splitlines() == [
        "Status: the trouble with Redemptions of BTC is over",
        "Impact: none that we know of",
    ]
    before = announced("public-incident-update", state="contained")
    assert "Status: Redemptions of BTC is back in a safe state" in before.body
    assert "Next Update: 12:30" in before.body
