"""What `status` shows is said once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from watchdog.cli.page import Page
from watchdog.cli.status_page import show_actions, show_alertmanager, show_episode, show_leader

NOW = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
REFUSED = "http://am-1:9093: connection refused"


def test_a_read_back_that_is_the_reason_is_not_told_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    episode: dict[str, Any] = {
        "id": "E1",
        "rule": "peg",
        "world": "live",
        "state": "latched",
        "since": NOW.isoformat(),
        "reason": "read-back: enabled: true",
        "read_back": "enabled: true",
        "action": "pause",
        "barred": "",
        "awaiting": None,
        "acked_by": "",
        "actor": "",
        "why": "",
        "claims": [],
        "outcome": None,
        "measures": None,
    }
    show_episode(Page(), episode, NOW)
    assert capsys.readouterr().out.count("enabled: true") == 1
    show_episode(Page(), {**episode, "reason": "contained"}, NOW)
    assert "read back: enabled: true" in capsys.readouterr().out


def test_an_action_says_when_it_was_last_proven(capsys: pytest.CaptureFixture[str]) -> None:
    told = {None: "not proven yet", True: "proven 2d ago", False: "proven 2d ago, with another"}
    for of_this_text, says in told.items():
        proof = {"seconds_ago": 2 * 86400.0, "of_this_text": of_this_text}
        action: dict[str, Any] = {
            "name": "pause",
            "target": "flag:x",
            "ready": "true",
            "claimed_by": [],
            "unpractised": [],
            "last_proof": None if of_this_text is None else proof,
        }
        show_actions(Page(), [action])
        assert f"pause  flag:x, {says}" in capsys.readouterr().out


LEADS = "leads: this daemon (ada), in epoch 3. There are: ada on a, bob on b"


def leader_page(capsys: pytest.CaptureFixture[str], trouble: str = "", **of_bob: str) -> list[str]:
    ada = {"name": "ada", "host": "a", "version": "0.2.0", "sees": True, "lacks": ""}
    ada["settings"] = "lease 10 s, armed, production"
    bob = ada | {"name": "bob", "host": "b"} | of_bob
    leader = {"name": "ada", "here": True, "epoch": 3, "trouble": trouble, "daemons": [ada, bob]}
    show_leader(Page(), leader)
    return capsys.readouterr().out.splitlines()


def test_versions_are_told_where_they_differ(capsys: pytest.CaptureFixture[str]) -> None:
    assert leader_page(capsys) == [LEADS]
    older = leader_page(capsys, version="0.1.0")
    assert older == [LEADS, "versions differ: ada 0.2.0, bob 0.1.0"]
    assert leader_page(capsys, version="0.1.0", lacks="`release`") == [
        LEADS,
        "versions differ: ada 0.2.0, bob 0.1.0: what bob does not know is not started",
    ]


def test_settings_that_should_be_the_same_are_told_where_they_differ(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = leader_page(capsys, settings="lease 10 s, shadow, production")
    assert first == LEADS
    assert "settings differ" in second
    assert "bob lease 10 s, shadow, production" in second


def test_while_the_store_is_lost_nobody_is_said_to_lead(capsys: pytest.CaptureFixture[str]) -> None:
    (told,) = leader_page(capsys, trouble="the store does not answer")
    assert told == (
        "who leads cannot be told, and this daemon only watches: the store does not answer"
    )


@pytest.mark.parametrize(
    ("others", "sum_"), [((), "1 of 1 failing"), ((("http://am-2:9093", ""),), "1 of 2 failing")]
)
def test_a_failure_of_an_alertmanager_is_told_by_the_replica_that_fails(
    capsys: pytest.CaptureFixture[str], others: tuple[tuple[str, str], ...], sum_: str
) -> None:
    def matter(**more: Any) -> dict[str, Any]:
        return {"asked": True, "answers": False, "reason": REFUSED, "seconds_ago": 5.0, **more}

    replicas = [("http://am-1:9093", REFUSED), *others]
    found = {
        "silences": matter(),
        "alerts": matter(asked=False, firing=0),
        "replicas": [{"url": url, "silences": why, "alerts": ""} for url, why in replicas],
    }
    show_alertmanager(Page(), found)
    out = capsys.readouterr().out
    assert out.count("connection refused") == 1
    assert f"read 5s ago; {sum_}" in out
