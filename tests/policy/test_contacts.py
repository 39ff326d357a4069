"""contacts.yaml: what it means, what is refused where, and how it changes."""

from __future__ import annotations

import pytest

from tests.policy.texts import PLATFORM, RULES, VARS, at, folder, load
from watchdog.core.spec import Policy
from watchdog.core.telling.contacts import Contacts, Told, Unless
from watchdog.core.words import Severity
from watchdog.policy.change import Effect
from watchdog.policy.diff import compare

CONTACTS = """\
version: 1
zone: Europe/Zurich
link: https://watchdog.example.org
channels:
  chat: {webhook: "https://chat.example.org/hook", hmac: chat-key, fallback: mail}
  mail: {apprise: apprise-mail}
  pager: {apprise: apprise-pager, phases: {opened: trigger, updated: trigger, ended: resolve}}
people:
  ada: {name: Ada, reach: {mail: ada@example.org, pager: ada}, phone: "+41 00"}
  bob: {name: Bob, reach: {mail: bob@example.org}}
roles:
  commander: {title: Rollback Commander, people: [ada]}
on-call: {people: [ada, bob], turn: 7d, since: "2026-01-05T09:00+01:00"}
audiences:
  team: {to: [chat, {mail: all@example.org}]}
  press: {to: [bob], outside: true}
escalation:
  P0:
    steps:
      - {tell: [on-call]}
      - {after: 15m, tell: [next-on-call], by: [pager]}
      - {after: 4h, tell: [commander], unless: resolved}
    updates: 30m
"""


def files(text: str = CONTACTS, **messages: str) -> dict[str, str]:
    found = dict(folder(PLATFORM, VARS, team_a=RULES))
    found["contacts.yaml"] = text
    found.update({f"messages/{name}.j2": body for name, body in messages.items()})
    return found


def policy(text: str = CONTACTS) -> Policy:
    found = load(files(text))
    assert found.policy is not None, found.errors
    assert found.complete, found.errors
    return found.policy


def contacts(text: str = CONTACTS) -> Contacts:
    found = policy(text).contacts
    assert found is not None
    return found


def test_people_are_told_as_it_is_written() -> None:
    found = contacts()
    assert found.people["ada"].reach == (("mail", "ada@example.org"), ("pager", "ada"))
    assert found.audiences["team"].to == (Told("chat"), Told("mail", "all@example.org"))
    assert found.audiences["press"].outside
    steps = found.ladder(Severity.P0).steps
    assert [(step.after_seconds, step.unless) for step in steps] == [
        (0.0, Unless.ACKNOWLEDGED),
        (900.0, Unless.ACKNOWLEDGED),
        (14_400.0, Unless.RESOLVED),
    ]
    assert found.ladder(Severity.P3).steps == ()
    assert found.channels["chat"].fallback == "mail"


def test_a_policy_without_contacts_tells_nobody_and_keeps_its_hash() -> None:
    found = load(folder(PLATFORM, VARS, team_a=RULES)).policy
    assert found is not None
    assert found.contacts is None
    assert found.sha256 != policy().sha256


@pytest.mark.parametrize(
    ("was", "becomes", "line", "says"),
    [
        ("fallback: mail}", "fallback: male}", 5, "male is no other channel"),
        ("fallback: mail}", "fallback: chat}", 5, "chat is no other channel"),
        ("{apprise: apprise-mail}", "{}", 6, "the channel mail is of no kind"),
        ("{apprise: apprise-mail}", "{apprise: a, url: 'x://y'}", 6, "is apprise and url"),
        ("{apprise: apprise-mail}", "{url: 'mailto://a:b@c.example'}", 6, "a secret in a rule"),
        ("{apprise: apprise-mail}", "{url: 'nothing'}", 6, "is no Apprise URL"),
        ("{apprise: apprise-mail}", "{apprise: a, hmac: k}", 6, "`hmac` is for webhooks"),
        ("pager: ada}", "peeper: ada}", 9, "there is no channel peeper"),
        ("people: [ada]}", "people: [eve]}", 12, "there is no person eve"),
        ("people: [ada, bob], turn: 7d", "people: [ada, bob]", 13, "belong together"),
        ('"2026-01-05T09:00+01:00"', '"2026-01-05"', 13, "is no time with its zone"),
        ("to: [chat,", "to: [chart,", 15, "there is no channel, person or role chart"),
        ("{mail: all@example.org}", "{male: all@example.org}", 15, "there is no channel male"),
        ("to: [bob], outside", "to: [team], outside", 16, "channel, person or role team"),
        ("  P0:", "  P9:", 18, "P9 is no severity"),
        ("by: [pager]", "by: [paper]", 21, "there is no channel paper"),
        ("Europe/Zurich", "Europe/Bern", 2, "no IANA time zone"),
        ("https://watchdog.example.org", "watchdog", 3, "is no web address"),
        ("  bob: {name", "  on-call: {name", 10, "is a person and who is on call"),
        ("  commander: {title", "  ada: {title", 12, "is a role and a person"),
    ],
)
def test_what_leads_nowhere_is_refused_where_it_stands(
    was: str, becomes: str, line: int, says: str
) -> None:
    assert was in CONTACTS
    found = load(files(CONTACTS.replace(was, becomes, 1)))
    told = [one.text for one in found.errors if one.file == "contacts.yaml" and one.line == line]
    assert any(says in text for text in told), found.errors


def test_the_team_is_told_or_the_file_is_refused() -> None:
    found = load(files(CONTACTS.replace("  team:", "  squad:")))
    assert any("no audience `team`" in error.what for error in found.errors)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Subject: {{ nosuch }}\n", "'nosuch' is undefined"),
        ("no subject\n", "it has no subject"),
        ("Subject: {% for a in facts %}{% for b in facts %}{% endfor %}{% endfor %}", "inside"),
        ("Subject: {{ title.__class__ }}", "`getattr` is not for messages"),
        ("Subject: {{ range(10**9) }}", "is not for messages"),
        ("Subject: {{ 'a' * 1000000000 }}", "`mul` is not for messages"),
        ("Subject: {% macro x() %}{{ x() }}{% endmacro %}", "is not for messages"),
        ("Subject: {% include 'blind' %}", "`include` is not for messages"),
        ("Subject: {{ title | pprint }}", "no filter pprint"),
        ("Subject: {% for a in [1] %}{% endfor %}", "a loop over no list"),
        ("Subject: {{ title }", "it is no template: unexpected '}'. A field is {{ NAME }}"),
        ("Subject: {% for a in body %}{{ body }}{% endfor %}", "a loop over no list"),
        ("Subject: {{ body | replace('e', 'eeeeeeeee') }}", "no filter replace"),
        ("Subject: {{ body | join(body) }}", "no filter join"),
        ("Subject: {{ title", "unexpected end"),
    ],
)
def test_a_text_that_cannot_be_filled_or_could_run_anything_is_refused(
    text: str, says: str
) -> None:
    found = load(files(CONTACTS, blind=text))
    told = [one.text for one in found.errors if one.file == "messages/blind.j2"]
    assert any(says in one for one in told), (told, found.errors)


def test_a_text_of_ones_own_is_part_of_the_policy() -> None:
    found = load(files(CONTACTS, blind="Subject: {{ rule }}\n\nIt is blind.\n"))
    assert found.complete
    assert found.policy is not None
    assert found.policy.contacts is not None
    assert dict(found.policy.contacts.templates) == {
        "blind": "Subject: {{ rule }}\n\nIt is blind.\n"
    }
    assert "messages/blind.j2" in found.files
    wrong = load(files(CONTACTS, blond="Subject: x"))
    assert any("there is no message blond" in one.what for one in wrong.errors)


def test_a_broken_file_leaves_those_who_were_told_before() -> None:
    good = load(files())
    found = load(files("version: 1\nchannels: [\n"), dict(good.files))
    assert found.policy is not None
    assert found.policy.contacts == contacts()
    assert not found.complete


def test_who_is_not_told_any_more_is_said_before_it_is_so() -> None:
    without = CONTACTS.replace("  bob: {name: Bob, reach: {mail: bob@example.org}}\n", "")
    without = without.replace("people: [ada, bob]", "people: [ada]").replace("[bob]", "[ada]")
    changes = {change.text: change.effect for change in compare(policy(), policy(without))}
    assert changes["the person bob is removed from the contacts"] is Effect.REMOVE
    assert changes["contacts: who is on call: changed"] is Effect.CHANGE
    assert "the audience press of the contacts is changed" in changes
    bare = load(folder(PLATFORM, VARS, team_a=RULES)).policy
    assert bare is not None
    assert "nobody is told of anything any more" in {c.text for c in compare(policy(), bare)}


def test_a_changed_escalation_is_said_by_severity_and_step() -> None:
    other = CONTACTS.replace(
        "after: 15m, tell: [next-on-call], by: [pager]", "after: 20m, tell: [commander]"
    )
    other = other.replace("      - {after: 4h, tell: [commander], unless: resolved}\n", "")
    other = other.replace("updates: 30m", "updates: 1h\n  P1: {steps: [{tell: [on-call]}]}")
    told = [change.text for change in compare(policy(), policy(other))]
    first = (
        "the escalation of P0: step 2 was after 15m next-on-call by pager, is after 20m commander; "
        "step 3 is removed (after 4h commander unless resolved); updates every 1h"
    )
    assert told == [first, "the escalation of P1: step 1 is new: at once on-call"]
    removed = next(c for c in compare(policy(other), policy()) if "P1" in c.text)
    assert removed.effect is Effect.REMOVE
    assert removed.text == "the escalation of P1 is removed: nobody is called next"


def test_places_are_those_of_the_file() -> None:
    found = load(files(CONTACTS.replace("turn: 7d", "turn: 7")))
    assert at(found.errors, "contacts.yaml", 13, 37)
