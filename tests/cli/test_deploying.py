"""A deploy by command: what a script sees of it, by its exit status."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.conftest import House

TARGET = "flag:btc_mainnet_redemption"
ACTION = "pause-redemption"


@pytest.fixture
def quiet(house: House) -> Iterator[House]:
    """Nothing under way, before and after."""
    yield house
    for one in house.run("status", "--json").json["deploys"]:
        house.run("deploy", "end", one["target"], "--yes")


def test_a_deploy_begins_is_shown_and_ends(quiet: House) -> None:
    house = quiet
    assert house.run("deploy", "status", TARGET).status == 0
    asked = house.run("deploy", "begin", TARGET, "--for", "20m", "--change", "v2")
    assert asked.status == 5
    assert f"a deploy of {TARGET} begins, until " in " ".join(asked.err.split())
    assert house.run("deploy", "begin", TARGET, "--for", "20m", "--change", "v2", "-y").status == 0

    may = house.run("deploy", "status", TARGET)
    assert may.status == 1
    assert f"{TARGET}: no deploy may begin" in may.out
    assert f"{TARGET} (v2), begun " in house.run("status").out
    assert house.run("deploy", "begin", TARGET, "--for", "20m", "-y").status == 4

    ended = house.run("deploy", "end", TARGET, "--outcome", "failed", "-y", "--json")
    assert (ended.status, ended.json["target"]) == (0, TARGET)
    past = house.run("deploy", "status", TARGET, "--json").json["past"]
    assert (past[0]["change"], past[0]["outcome"]) == ("v2", "failed")
    assert "failed, " in house.run("deploy", "status").out


def test_what_was_rolled_back_is_deployed_again_by_a_persons_word_alone(quiet: House) -> None:
    house = quiet
    done = house.run("rollback", ACTION, "--kind", "technical", "-r", "a drill", "-y", "--json")
    episode = done.json["data"]["episode"]
    refused = house.run("deploy", "begin", TARGET, "--for", "20m", "-y")
    assert refused.status == 4
    assert f"{TARGET} is frozen: {episode} rolled it back" in refused.err
    assert f"slo-watchdog deploy unfreeze {TARGET}" in house.run("status").out
    assert house.run("deploy", "unfreeze", TARGET, "-y").status == 4, "without a reason"
    lifted = house.run("deploy", "unfreeze", TARGET, "-r", "another build", "-y", "--json")
    assert lifted.json["data"] == {"episodes": [episode]}
    assert house.run("deploy", "begin", TARGET, "--for", "20m", "-y").status == 0
    under = house.run("undo", ACTION, "-r", "over", "-y")
    assert under.status == 4
    assert "under way since" in under.err
    assert house.run("deploy", "end", TARGET, "-y").status == 0
    assert house.run("undo", ACTION, "-r", "over", "-y").status == 0


@pytest.mark.parametrize(
    ("given", "status", "says"),
    [
        (("begin", TARGET), 2, "--for 20m"),
        (("begin", "--for", "20m"), 2, "deploy begin TARGET"),
        (("begin", TARGET, "--for", "soon"), 2, "no duration"),
        (("begin", TARGET, "--for", "2d", "-y"), 4, "for_seconds"),
        (("begin", "flag:other", "--for", "2m", "-y"), 4, "no action changes flag:other"),
        (("end", TARGET, "-y"), 4, "no deploy of"),
        (("status", "flag:other"), 4, "no action changes flag:other"),
        (("unfreeze", "all", "-r", "why not", "-y"), 4, "name the target"),
    ],
)
def test_a_wrong_order_says_what_is_wrong(
    quiet: House, given: tuple[str, ...], status: int, says: str
) -> None:
    told = quiet.run("deploy", *given)
    assert (told.status, told.out) == (status, "")
    assert says in " ".join(told.err.split())
