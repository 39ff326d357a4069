"""The handover out of a status: all that waits for somebody is told, and nothing that is well."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from watchdog.cli.handing_over import MOST_OF_A_KIND, document, matters, text

NOW = datetime(2026, 11, 23, 15, 40, tzinfo=UTC)
HEALTHY = {"status": "healthy", "reason": "fine"}


def rule(**different: Any) -> dict[str, Any]:
    plain = {"name": "errors", "mode": "armed", "effective_mode": "armed", "mode_reason": "earned"}
    return {**plain, "verdict": HEALTHY, "members": [], **different}


def status(**different: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "environment": "production", "host": "a", "version": "0.1.0", "max_mode": "armed",
        "last_pass_seconds_ago": 0.2, "recording": "ok", "leader": None, "clock": "ok",
        "policy_pending": False, "policy_errors": [], "rules": [rule()], "follow_ups": [],
        "drills": [], "procedure": None, "telling": None, "status_pages": [],
    }  # fmt: skip
    lists = ("holds", "silences", "deploys", "frozen", "episodes", "actions")
    return {**plain, **{name: [] for name in lists}, **different}


def episode(**different: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": "E4", "rule": "errors", "severity": "P0", "state": "latched", "world": "live",
        "since": "2026-11-23T15:10:00.000Z", "acked_by": "", "claims": [], "awaiting": None,
        "barred": "", "actor": "", "why": "", "reason": "read-back: still on",
    }  # fmt: skip
    return {**plain, **different}


HOLD = {
    "id": "H3", "scope": "everything", "silence": False, "actor": "alice", "reason": "a move",
    "expires": "2026-11-23T16:10:00Z",
}  # fmt: skip
SILENCE = {
    "id": "s-1", "stands": True, "covers": ["errors"], "ends": "2026-11-23T16:00:00Z",
    "author": "bob", "comment": "disks",
}  # fmt: skip
LATE = {
    "follow_up": "F1", "task": "fix", "owner": "bob", "due": "2026-11-01", "episode": "E1",
    "overdue": True, "open": True, "text": "a timeout",
}  # fmt: skip
UNREADY = {
    "name": "pause", "target": "flag:x", "ready": "false", "claimed_by": [], "ready_reason": "gone",
}  # fmt: skip
FAILED = {"check": "flow", "last": {"truth": "false", "reason": "0/3 steps"}}
HELD = {"check": "served", "last": {"truth": "true", "reason": "200"}}
VERIFIED = UNREADY | {"ready": "true", "verification": [HELD, FAILED, {"check": "n", "last": None}]}
REVIEW = {"document": "the wiki", "reviewed": "2026-01-01", "overdue": True}
ASKED = {"missing": 2, "action": "restore", "until": "2026-11-23T16:00:00Z"}

LINE = {"line": "mail bob", "failing_since": "2026-11-23T15:30:00Z", "reason": "refused"}
ADA = {"name": "ada", "title": "Ada, SRE", "phone": "+41 1"}
LACKS = {"name": "chat", "reason": "credential apprise-chat does not exist"}
TELLING = {
    "waiting": 2, "lines": [LINE], "unusable": [], "on_call": ADA, "next_on_call": None,
}  # fmt: skip
UNSHOWN = {
    "name": "site", "shows": False, "shown": "operational", "condition": "degraded",
    "reason": "503", "told_here": True, "failing_since": None,
}  # fmt: skip

TOLD = [
    ({"recording": "disk full"}, "trouble", "it cannot record, and so does not act: disk full"),
    ({"last_pass_seconds_ago": None}, "trouble", "it does not judge: the last pass was never"),
    ({"rules": []}, "trouble", "no rule is in force"),
    ({"policy_errors": ["a.yaml:1:1: x"]}, "trouble", "not loaded, the last good text stays"),
    ({"episodes": [episode()]}, "episodes", "E4 errors P0: latched since 15:10:00Z (30m), nobody"),
    ({"episodes": [episode(acked_by="bob")]}, "episodes", "latched since 15:10:00Z (30m), seen by"),
    ({"episodes": [episode(awaiting=ASKED)]}, "episodes", "waits for 2 to approve restore until"),
    ({"holds": [HOLD]}, "holds", "H3 hold on everything until 16:10:00Z (30m), by alice: a move"),
    ({"silences": [SILENCE]}, "silences", "s-1 until 16:00:00Z, by bob: disks; covers errors"),
    ({"actions": [UNREADY]}, "not_ready", "pause (flag:x): gone"),
    ({"actions": [VERIFIED]}, "unverified", "pause: flow: 0/3 steps. Look again: slo-watchdog ver"),
    (
        {"rules": [rule(effective_mode="shadow", mode_reason="E3 was marked false")]},
        "demoted",
        "errors: shadow instead of armed: E3 was marked false",
    ),
    ({"rules": [rule(verdict=None)]}, "blind", "errors: nothing has been read yet"),
    ({"telling": TELLING}, "untold", "mail bob fails since 15:30:00Z (10m): refused"),
    (
        {"telling": {**TELLING, "lines": [], "unusable": [LACKS]}},
        "untold",
        "nobody is told by chat: credential apprise-chat does not exist",
    ),
    (
        {"status_pages": [UNSHOWN]},
        "untold",
        "status page site does not show degraded: 503; it",
    ),
    ({"follow_ups": [LATE]}, "overdue", "F1 OVERDUE, fix by bob, due 2026-11-01, for E1: a time"),
    ({"procedure": REVIEW}, "overdue", "The procedure's review is overdue: the wiki"),
]


@pytest.mark.parametrize(("different", "key", "says"), TOLD)
def test_what_waits_for_somebody_is_told(different: dict[str, Any], key: str, says: str) -> None:
    seen = status(**different)
    (found,) = matters(seen, NOW)
    assert found.key == key
    assert says in found.items[0]
    told = document(seen, (found,), NOW)
    assert told["matters"][key] == list(found.items)
    assert [name for name, items in told["matters"].items() if items] == [key]
    assert found.items[0] in text(seen, (found,), NOW)


def test_what_is_well_or_of_no_matter_is_not_told() -> None:
    calm = status(
        episodes=[episode(world="shadow", state="shadowed")],
        silences=[{**SILENCE, "stands": False}],
        actions=[{**UNREADY, "claimed_by": ["E4"]}],
        follow_ups=[{**LATE, "overdue": False}],
        procedure={**REVIEW, "overdue": False},
    )
    assert matters(calm, NOW) == ()
    assert document(calm, (), NOW)["nothing_to_tell"]
    head, _, told = text(calm, (), NOW).splitlines()
    assert head.startswith("Handover of production on a, 2026-11-23 15:40Z")
    assert told.startswith("Nothing to hand over: 1 rule is watched and not blind, no episode")


def test_it_is_one_line_a_matter_whatever_it_is_made_of_and_no_endless_list() -> None:
    nasty = {**HOLD, "reason": "a\nb\x1b[31m \u202e" + "x" * 5000}
    seen = status(holds=[nasty] * (MOST_OF_A_KIND + 3))
    lines = text(seen, matters(seen, NOW), NOW).splitlines()
    assert len(lines) == 3 + MOST_OF_A_KIND + 1
    assert lines[-1] == "* and 3 more: slo-watchdog status"
    assert all(line.isprintable() and len(line) < 500 for line in lines)


def test_who_waits_for_a_person_comes_first() -> None:
    both = [episode(id="E1", state="contained"), episode(id="E2")]
    (found,) = matters(status(episodes=both), NOW)
    assert [item.split()[0] for item in found.items] == ["E2", "E1"]


def test_whose_turn_it_is_stands_at_the_top_and_is_no_matter() -> None:
    calm = status(telling={**TELLING, "lines": [{**LINE, "failing_since": None}], "waiting": 0})
    assert matters(calm, NOW) == ()
    assert text(calm, (), NOW).splitlines()[1] == "On call: Ada, SRE, +41 1"
    assert document(calm, (), NOW)["on_call"] == ADA
    assert document(status(), (), NOW)["on_call"] is None


def test_its_time_is_told_in_the_zone_of_the_people_and_once_where_it_is_utc() -> None:
    def head(zone: str) -> str:
        nobody: dict[str, Any] = {"on_call": None, "lines": [], "unusable": []}
        found = status(telling={"zone": zone, **nobody})
        return text(found, (), NOW).splitlines()[0]

    assert "15:40Z (16:40 CET), slo" in head("Europe/Zurich")
    assert "15:40Z, slo" in head("UTC")
