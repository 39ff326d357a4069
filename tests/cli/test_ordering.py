"""Who changes something sees its effect first, and must mean it."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.cli.conftest import House, here
from watchdog.cli.commands import PLACES, command

ACTION = "pause-redemption"


def test_without_a_terminal_nothing_is_confirmed(house: House) -> None:
    told = house.run("hold", "--all", "-r", "why")
    assert (told.status, told.out) == (5, "")
    first, effect = told.err.strip().split("\n")
    assert first.startswith("Not confirmed, so nothing was done: ")
    assert first.endswith("Add --yes to do it. What would be done:")
    assert "hold on everything until it is released" in effect
    assert house.run("status", "--json").json["holds"] == []


@pytest.mark.parametrize("typed", ["no", ""])
def test_another_name_confirms_nothing(house: House, typed: str) -> None:
    status, text = house.on_terminal("hold", "--all", "-r", "why", types=typed or " ")
    assert status == 5
    assert text.index("Nothing is done yet.") < text.index("hold on everything")
    assert "Type all to go on" in text
    assert "nothing was changed" in text
    assert house.run("status", "--json").json["holds"] == []


def test_the_targets_name_confirms(house: House) -> None:
    status, text = house.on_terminal("silence", "mycelia-down", "-r", "x", "--for", "1h",
                                     types="mycelia-down")  # fmt: skip
    assert status == 0, text
    assert "its pages are kept back" in " ".join(text.split())
    (hold,) = house.run("status", "--json").json["holds"]
    shown = house.run("status").out
    assert f"{hold['id']}  silence on rule mycelia-down until" in shown
    status, text = house.on_terminal("release", hold["id"], types=hold["id"])
    assert status == 0, text
    assert house.run("status", "--json").json["holds"] == []


def test_a_rollback_by_hand_is_proven_and_undone(house: House) -> None:
    order = ("rollback", ACTION, "--kind", "technical", "-r", "a drill", "--yes", "--json")
    done = house.run(*order)
    assert (done.status, done.json["data"]["outcome"]) == (0, "done")
    assert not house.sandbox.is_enabled()
    undone = house.run("undo", ACTION, "-r", "over", "--yes")
    assert undone.status == 0
    assert house.sandbox.is_enabled()
    acted, *news = house.pages_of(done.json["data"]["episode"])
    assert (acted, set(news)) == ("warning", {"info"})


CHECKS = {
    "diagnose", "ops-lint", "status-document", "launch-status", "por-attestation", "critical-path",
}  # fmt: skip
"""What the procedure verifies after a rollback."""


def test_the_procedures_six_checks_hold_after_a_pause_and_are_told_when_one_fails(
    house: House,
) -> None:
    house.sandbox.attest()
    order = ("rollback", ACTION, "--kind", "technical", "-r", "a test", "--yes", "--json")
    episode = house.run(*order).json["data"]["episode"]
    looked = house.run("verify", episode, "--json")
    (run,) = looked.json["verifications"]
    assert {one["check"]: one["truth"] for one in run["checks"]} == dict.fromkeys(CHECKS, "true")
    assert (looked.status, looked.json["held"]) == (0, True)

    house.sandbox.fail_health()
    failing = house.run("verify", episode, "--check", "diagnose")
    house.sandbox.heal_health()
    assert failing.status == 1
    assert "diagnose" in failing.out
    assert "since then, verified after pause-redemption: 0 of 1 hold; diagnose fails" in (
        house.run("recover", episode).out
    )
    assert house.run("verify", episode, "--check", "nothing").status == 4
    assert house.run("undo", ACTION, "-r", "over", "--yes").status == 0


@pytest.mark.parametrize(
    ("action", "flag", "before", "during"),
    [
        ("slow-rewards", "rewards_slow_mode", ("enabled", False), ("enabled", True)),
        ("cap-oracle", "oracle_read_scope_max", ("value", 1000), ("value", 100)),
    ],
)
def test_the_other_emergency_controls_are_set_proven_and_taken_back(
    house: House, action: str, flag: str, before: tuple[str, object], during: tuple[str, object]
) -> None:
    def served() -> dict[str, object]:
        with urllib.request.urlopen(f"{house.sandbox.url}/api/feature-flags/{flag}") as answer:
            found: dict[str, object] = json.load(answer)
            return found

    assert served()[before[0]] == before[1]
    order = ("rollback", action, "--kind", "regulatory", "-r", "a test", "--yes", "--json")
    done = house.run(*order)
    assert (done.status, done.json["data"]["outcome"]) == (0, "done"), done.err
    assert served()[during[0]] == during[1]
    undone = house.run("undo", action, "-r", "over", "--yes")
    assert undone.status == 0, undone.err
    assert served()[before[0]] == before[1]


def test_a_tool_that_lies_ends_with_status_1_and_the_episode_is_closed_by_a_person(
    house: House,
) -> None:
    house.sandbox.launchctl.pretends_to_pause()
    order = ("rollback", ACTION, "--kind", "executive", "-r", "a drill", "--yes", "--json")
    failed = house.run(*order)
    house.sandbox.launchctl.is_honest()
    assert (failed.status, failed.json["data"]["outcome"]) == (1, "failed")
    episode = failed.json["data"]["episode"]
    assert f"{episode}  latched" in house.run("status").out
    assert set(house.pages_of(episode)) == {"error"}  # of it, and to whoever is on call
    assert house.run("close", episode, "-r", "seen", "--yes").status == 0
    for late in ("close", "act"):
        again = house.run(late, episode, "-r", "seen", "--yes")
        assert again.status == 4
        assert f"{episode} has ended already, at 2" in again.err
    for looking_back in ("incident", "impact", "recover", "mark"):
        assert episode in house.completed(f"slo-watchdog {looking_back} E").out.split()
    assert episode not in house.completed("slo-watchdog ack E").out.split()


def test_a_shift_from_the_rollback_to_the_handover(house: House) -> None:
    order = ("rollback", ACTION, "--kind", "community", "-r", "they ask", "--yes", "--json")
    episode = house.run(*order).json["data"]["episode"]
    assert "community: they ask" in house.run("status").out
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
    assert house.completed("slo-watchdog follow-up close F").out.strip() == name
    assert house.run(*add, "--due", "2020-01-01", "too late").status == 4
    assert house.run(*add, "no day").status == 2

    way = house.run("recover", episode)
    assert way.status == 0, way.err
    assert "1. Verify the rollback: " in way.out
    assert "3. Switch on again: later. it may be: flag:btc_main" in way.out
    assert "; its resume_when holds" in way.out
    assert f"     $ slo-watchdog undo {episode} --reason WHY" in way.out
    assert house.run("recover", "E999").status == 1

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
        (("incident", "E999", "--journal", str(house.state)), 4, "there is no episode E999"),
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
    assert rollbacks["by"] == {"person": rollbacks["count"]}
    assert 1 <= rollbacks["ended"]["in_time"] <= rollbacks["count"] <= found["by_hand"]
    assert found["undone"] >= 1
    assert 0 < found["features"]["flag:btc_mainnet_redemption"] < found["downtime_seconds"] + 0.01
    assert found["impact"]["satisfaction"] == 4.0
    assert [one["rollbacks"] for one in found["trends"]["month"]][-1] == rollbacks["count"]

    page = tmp_path / "report.html"
    assert house.run(*made, "--format", "html", "--out", str(page)).status == 0
    assert "<script" not in page.read_text(encoding="utf-8")
    assert "| person | " in house.run(*made).out
    assert house.run("report", "--since", "soon", "--journal", str(house.state)).status == 2


def test_nothing_to_apply_asks_nothing(house: House) -> None:
    told = house.run("apply")
    assert (told.status, told.err) == (0, "")
    assert "nothing changes" in told.out


def test_what_is_applied_is_shown_before(house: House) -> None:
    rules = house.folder / "rules" / "redemption-team" / "rules.yaml"
    good = rules.read_text()
    rules.write_text(good.replace('breach_when: "> 5%"', 'breach_when: "> 6%"'))
    asked = house.run("apply")
    assert asked.status == 5
    assert "redemption-error-rate" in asked.err
    assert house.run("apply", "--yes").status == 0
    rules.write_text("version: 1\nrules: {a: {}}\n")
    broken = house.run("apply", "--yes")
    assert broken.status == 1
    assert "rules.yaml:2:" in broken.out
    rules.write_text(good)
    assert house.run("apply", "--yes").status == 0


@pytest.mark.parametrize(
    "order",
    [
        ("ack", "E999"),
        ("act", "E999", "-r", "x"),
        ("close", "E999", "-r", "x"),
        ("mark", "E999", "true"),
        ("undo", "E999"),
        ("undo", ACTION),
        ("release", "H999"),
        ("rollback", "nothing", "--kind", "technical", "-r", "x"),
        ("hold", "--rule", "nothing", "-r", "x"),
        ("silence", "nothing", "-r", "x", "--for", "1h"),
        ("ack", "../E1"),
    ],
)
def test_what_is_not_there_is_refused(house: House, order: tuple[str, ...]) -> None:
    told = house.run(*order, "--yes")
    assert (told.status, told.out) == (4, "")
    assert told.err.startswith("Refused: ")


@pytest.mark.parametrize(
    "order",
    [
        ("hold", "-r", "x"),
        ("hold", "--all", "--rule", "a", "-r", "x"),
        ("hold", "--all"),
        ("hold", "--all", "-r", "x", "--for", "soon"),
        ("mark", "E1", "maybe"),
        ("rollback", ACTION, "--kind", "mood", "-r", "x"),
        ("nonsense",),
    ],
)
def test_wrong_usage_has_its_own_status(house: House, order: tuple[str, ...]) -> None:
    assert here(*order, socket=house.socket).status == 2


@pytest.mark.parametrize(
    ("order", "told"),
    [
        (("hold", "-r", "x"), "say what to hold: --all, or one of --owner NAME, --rule NAME"),
        (
            ("hold", "-r", "x", "--target", "flag:a", "--owner", "b"),
            "one hold covers one thing, and this names 2: --owner b, --target flag:a.",
        ),
        (("mark", "E1", "maybe"), "Invalid value for 'MARK': 'maybe' is not one of 'true', "),
        (("rollback", "--kind", "technical", "-r", "x"), "Missing argument 'ACTION'."),
        (("mark", "E1"), "Usage: slo-watchdog mark [OPTIONS] EPISODE MARK"),
    ],
)
def test_wrong_usage_is_told_in_our_own_words(order: tuple[str, ...], told: str) -> None:
    ended = here(*order, socket=Path("/nowhere"))
    assert ended.status == 2
    assert told in " ".join(ended.err.replace("│", " ").split())
    assert "Value error" not in ended.err


@pytest.mark.parametrize("name", PLACES)
def test_help_shows_arguments_as_the_documents_do(name: str) -> None:
    told = here(name, "--help", socket=Path("/nowhere")).out
    usage = next(line for line in told.splitlines() if "Usage:" in line)
    wanted = [p.metavar for p in command(name).params if p.param_type_name == "argument"]
    given = usage.split()
    assert given[:4] == ["Usage:", "slo-watchdog", name, "[OPTIONS]"]
    bare = [one.strip("[].") for one in given[4:]]  # brackets: may be left out; dots: several
    assert bare == [one.strip("[].") for one in wanted]
    assert "".join(wanted) == "".join(wanted).upper()
