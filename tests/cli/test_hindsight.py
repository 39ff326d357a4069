"""What people say of an episode afterwards, and what they tell whoever comes next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

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
    (open_one,) = known["matters"]["episodes"]
    assert open_one.startswith(f"{episode} manual P0: contained since ")
    assert "nobody has acknowledged it. stays rolled back: flag:btc_mainnet" in open_one
    assert f"* {episode} manual P0: contained since " in text
    hold = held["data"]["hold"]
    assert f"* {hold} hold on rule mycelia-down until it is released, by " in text
    assert known["matters"]["overdue"] == []
    assert "Overdue" not in text

    for undone in (("undo", ACTION), ("release", hold), ("follow-up", "close", name)):
        assert house.run(*undone, "-r", "over", "--yes").status == 0, undone
    assert house.run("follow-up", "list", "--open").out == "No follow-up.\n"
    assert "closed by " in house.run("follow-up", "list").out
