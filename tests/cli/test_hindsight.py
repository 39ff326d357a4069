"""What people say of an episode afterwards, and what they tell whoever comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.conftest import House

ACTION = "pause-redemption"


def test_a_shift_from_the_rollback_to_the_handover(house: House) -> None:
    order = ("rollback", ACTION, "--kind", "technical", "-r", "a drill", "--yes", "--json")
    episode = house.run(*order).json["data"]["episode"]
    told = house.run("impact", episode, "--tickets", "14", "--data-loss", "none", "--yes")
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith(f"{episode} (manual): support tickets: 14; data loss: none.")
    assert house.run("impact", episode, "--satisfaction", "6", "--yes").status == 2
    assert house.run("impact", episode, "--yes").status == 4

    due = str((datetime.now(UTC) + timedelta(days=14)).date())
    add = ("follow-up", "add", episode, "--kind", "fix", "--owner", "bob", "--yes", "--json")
    added = house.run(*add, "--due", "14d", "a longer timeout")
    name = added.json["data"]["follow_up"]
    listed = house.run("follow-up", "list", "--open").out
    assert f"{name}  open, fix by bob, due {due}, for {episode}\n      a longer timeout" in listed
    assert "1 open and in time" in house.run("status").out
    assert house.run(*add, "--due", "2020-01-01", "too late").status == 4
    assert house.run(*add, "no day").status == 2

    held = house.run("hold", "--rule", "mycelia-down", "-r", "a migration", "--yes", "--json").json
    text = house.run("handover").out
    known = house.run("handover", "--format", "json").json
    assert not known["nothing_to_tell"]
    since = f"{episode} manual P0: contained since "
    (open_one,) = [one for one in known["matters"]["episodes"] if one.startswith(since)]
    assert "nobody has acknowledged it. stays rolled back: flag:btc_mainnet" in open_one
    assert f"* {since}" in text
    hold = held["data"]["hold"]
    assert f"* {hold} hold on rule mycelia-down until it is released, by " in text
    assert known["matters"]["overdue"] == []
    assert "Overdue" not in text

    for undone in (("undo", ACTION), ("release", hold), ("follow-up", "close", name)):
        assert house.run(*undone, "-r", "over", "--yes").status == 0, undone
    assert house.run("follow-up", "list", "--open").out == "No follow-up.\n"
    assert "closed by " in house.run("follow-up", "list").out


def test_the_incident_record_is_made_beside_the_daemon_in_each_form(
    house: House, tmp_path: Path
) -> None:
    order = ("rollback", ACTION, "--kind", "executive", "-r", "<b>now</b>", "--yes", "--json")
    episode = house.run(*order).json["data"]["episode"]
    assert house.run("undo", ACTION, "-r", "over", "--yes").status == 0
    of_it = ("incident", episode, "--journal", str(house.state))

    page = tmp_path / "incident.html"
    made = house.run(*of_it, "--format", "html", "--out", str(page), "--zone", "Asia/Tokyo")
    assert (made.status, made.out, made.err) == (0, "", f"Written: {page}\n")
    text = page.read_text(encoding="utf-8")
    assert "<b>now" not in text
    assert "executive: &lt;b&gt;now" in text
    assert "JST" in text

    told = house.run(*of_it).out
    assert told.startswith(f"# Incident {episode}: manual\n")
    assert "redemption paused successfully" in told
    assert "enabled: false" in told

    plain = house.run(*of_it, "--format", "json").json
    assert [one["direction"] for one in plain["changes"]] == ["do", "undo"]
    assert plain["changes"][0]["steps"][-1]["output"] == "redemption paused successfully"

    for wrong, status, says in (
        (("incident", "E999", "--journal", str(house.state)), 1, "there is no episode E999"),
        ((*of_it, "--zone", "Mars/Olympus"), 2, "is no zone"),
        ((*of_it, "--out", str(tmp_path)), 1, "it is a folder"),
    ):
        refused = house.run(*wrong)
        assert (refused.status, refused.out) == (status, "")
        assert says in refused.err


def test_the_report_counts_what_the_daemon_recorded(house: House, tmp_path: Path) -> None:
    order = ("rollback", ACTION, "--kind", "technical", "-r", "a test", "--yes", "--json")
    episode = house.run(*order).json["data"]["episode"]
    assert house.run("undo", ACTION, "-r", "over", "--yes").status == 0
    said = ("--satisfaction", "4", "--data-loss", "none", "--yes")
    assert house.run("impact", episode, *said).status == 0
    made = ("report", "--journal", str(house.state), "--since", "1d")

    found = house.run(*made, "--format", "json").json
    assert found["environment"] == "sandbox"
    rollbacks = found["rollbacks"]
    assert rollbacks["count"] == rollbacks["by"]["person"] == found["undone"] == found["by_hand"]
    assert rollbacks["in_time_ratio"] == 1.0
    assert rollbacks["seconds"]["highest"] < 30
    assert 0 < found["features"]["flag:btc_mainnet_redemption"] < found["downtime_seconds"] + 0.01
    assert found["impact"]["satisfaction"] == 4.0
    assert [one["rollbacks"] for one in found["trends"]["month"]][-1] == rollbacks["count"]

    page = tmp_path / "report.html"
    assert house.run(*made, "--format", "html", "--out", str(page)).status == 0
    assert "<script" not in page.read_text(encoding="utf-8")
    assert "| person | " in house.run(*made).out
    assert house.run("report", "--since", "soon", "--journal", str(house.state)).status == 2
