"""What is asked of a deployer before it is needed, and once more before it deploys."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.releases.site import BAD, GOOD, OLDER, TARGET, Shop
from watchdog.actions import open_actuator
from watchdog.core.anchors import DISPLACED
from watchdog.core.releases import (
    DeployRelease,
    FieldOf,
    LineOf,
    PrintedBy,
    Stated,
    back,
    content_digest,
    facts_of,
)
from watchdog.core.spec import Command, Endpoint
from watchdog.core.words import Instant, Truth
from watchdog.ports import Attempt, Attempted, Readiness
from watchdog.wire.http import Wire

AT = Instant(1_800_000_000.0, 5.0)
DECIDED = facts_of(TARGET, GOOD, BAD)
SECONDS = 3.0


async def looked(wire: Wire, how: DeployRelease, seconds: float = SECONDS) -> Readiness:
    return await open_actuator(wire).preflight(how, at=AT, deadline_seconds=seconds)


async def asked(wire: Wire, how: DeployRelease, seconds: float = SECONDS) -> Attempt:
    only = replace(how, asks_only=True)
    actuator = open_actuator(wire)
    return await actuator.attempt(only, key="I1", deadline_seconds=seconds, facts=DECIDED)


def of_kind(shop: Shop, kind: str) -> DeployRelease:
    return shop.by_tool() if kind == "tool" else shop.by_call()


BOTH = pytest.mark.parametrize("kind", ["tool", "call"])


@BOTH
async def test_what_would_be_deployed_is_told_with_what_runs_and_nothing_is_changed(
    shop: Shop, wire: Wire, kind: str
) -> None:
    ready = await looked(wire, of_kind(shop, kind))

    assert ready.reading.truth is Truth.TRUE
    assert ready.reading.reason == "v4 can be deployed in the place of v5"
    assert ready.anchor is not None
    assert ready.anchor.facts == DECIDED
    assert ready.anchor.digest == content_digest(TARGET, GOOD)
    told_by_the_source = 1767312000.0  # 2026-01-02
    assert ready.anchor.written_at == (AT.wall if kind == "tool" else told_by_the_source)
    assert (shop.changes, shop.calls("deploy")) == ([], [])


async def test_what_no_source_dates_is_known_since_it_was_first_seen(
    shop: Shop, wire: Wire
) -> None:
    actuator, how = open_actuator(wire), shop.by_tool()
    first = await actuator.preflight(how, at=AT, deadline_seconds=SECONDS)
    later = await actuator.preflight(how, at=AT.plus(60), deadline_seconds=SECONDS)

    assert later.anchor == first.anchor


@BOTH
async def test_an_artifact_that_was_purged_is_told_long_before_it_is_needed(
    shop: Shop, wire: Wire, kind: str
) -> None:
    shop.purge(GOOD)
    how = of_kind(shop, kind)

    ready, again = await looked(wire, how), await asked(wire, how)

    assert ready.reading.truth is Truth.FALSE
    assert ready.reading.reason.startswith("v4 cannot be deployed any more: ")
    assert again.result is Attempted.REFUSED
    assert "purged" in again.reason


@BOTH
async def test_where_the_anchor_runs_already_there_is_nothing_to_roll_back_to(
    shop: Shop, wire: Wire, kind: str
) -> None:
    shop.change(served=GOOD)
    how = of_kind(shop, kind)

    ready, again = await looked(wire, how), await asked(wire, how)

    assert ready.reading.truth is Truth.FALSE
    assert ready.reading.reason == "there is nothing to roll back to: v4 runs already"
    assert again.result is Attempted.REFUSED


@BOTH
async def test_as_long_as_nothing_changes_it_may_be_deployed(
    shop: Shop, wire: Wire, kind: str
) -> None:
    again = await asked(wire, of_kind(shop, kind))

    assert again.result is Attempted.CLAIMED
    assert again.reason.startswith("v5 runs; ")


@pytest.mark.parametrize(
    ("meanwhile", "says"),
    [
        ({"served": "v6"}, "v6 runs by now, and not v5"),
        ({"previous": OLDER}, "v3 would be restored by now, and not v4"),
    ],
)
@BOTH
async def test_what_changes_after_the_decision_is_a_conflict(
    shop: Shop, wire: Wire, kind: str, meanwhile: dict[str, str], says: str
) -> None:
    shop.change(**meanwhile)

    again = await asked(wire, of_kind(shop, kind))

    assert (again.result, again.reason) == (Attempted.CONFLICT, says)


@pytest.mark.parametrize("fault", ["proof hangs", "version hangs"])
@BOTH
async def test_who_does_not_answer_keeps_nobody_waiting_and_proves_nothing(
    shop: Shop, wire: Wire, kind: str, fault: str
) -> None:
    shop.fault(fault)
    how = of_kind(shop, kind)
    began = time.monotonic()

    ready, again = await looked(wire, how, 0.25), await asked(wire, how, 0.25)

    assert time.monotonic() - began < 2.5
    assert ready.reading.truth is Truth.UNKNOWN
    assert again.result is Attempted.NOT_DONE, "nothing was sent, and another try is worth it"
    shop.mend(fault)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("version drips", "did not end within"),
        ("version is huge", "more than 1048576 bytes"),
        ("version is HTML", "text/html, not a JSON document"),
    ],
)
async def test_an_answer_that_is_no_document_tells_no_version(
    shop: Shop, wire: Wire, fault: str, says: str
) -> None:
    shop.fault(fault)
    ready = await looked(wire, shop.by_call(), 0.4)
    assert ready.reading.truth is Truth.UNKNOWN
    assert says in ready.reading.reason, ready.reading.reason


HOSTILE = {
    "an option": "--force",
    "another path": "../../etc/passwd",
    "another path inside": "v4/../../admin",
    "a hidden part": "v4/.git",
    "two lines": "v4\nv9",
    "a shell's word": "v4; reboot",
    "a quote": "v4' || 'a' == 'a",
    "nothing": "",
    "a blank": "v 4",
    "a query": "v4?force=1",
    "an escape": "v4%2f..",
    "a terminal's": "v4\x1b[2J",
    "another alphabet's": "v\u0664",
    "too long": "v" * 201,
    "a list": ["v4"],
    "true": True,
    "a fraction": 4.5,
    "no value": None,
    "too many digits": 10**15,
}


@pytest.mark.parametrize("role", ["served", "previous"])
async def test_what_is_no_plain_version_goes_nowhere(shop: Shop, wire: Wire, role: str) -> None:
    for name, version in HOSTILE.items():
        shop.change(**{role: version})

        ready = await looked(wire, shop.by_call())

        assert ready.reading.truth is Truth.UNKNOWN, name
        assert ready.reading.reason.startswith("it cannot be told what "), name
        assert ready.reading.reason.isprintable(), name
        assert ready.anchor is None, name
    assert shop.site.lines("calls") == []


async def test_a_whole_number_is_a_version(shop: Shop, wire: Wire) -> None:
    shop.change(served=42, previous=41, available=["41", 41])
    how = shop.by_call()
    shop.change(times={"41": 1767225600000})
    ready = await looked(wire, how)
    assert ready.reading.truth is Truth.TRUE, ready.reading
    assert ready.anchor is not None
    assert ready.anchor.facts == facts_of(TARGET, "41", "42")


async def test_a_version_with_slashes_is_one_part_of_an_address(shop: Shop, wire: Wire) -> None:
    image = "registry/shop:1.2@sha256:abc"
    shop.change(previous=image, available=[image], times={image: 1767225600000})

    ready = await looked(wire, shop.by_call())

    assert ready.reading.truth is Truth.TRUE, ready.reading
    assert shop.calls("can-deploy") == [f"can-deploy {image}"]


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ("yesterday", "not ISO 8601"),
        ("2026-01-02T00:00:00", "no offset from UTC"),
        (1767225600, "no time in milliseconds"),
        (None, "is not there"),
        (True, "is no time"),
        (["2026"], "is no time"),
    ],
)
async def test_a_time_that_cannot_be_read_is_no_age(
    shop: Shop, wire: Wire, at: object, says: str
) -> None:
    shop.change(times={GOOD: at})
    ready = await looked(wire, shop.by_call())
    assert ready.reading.truth is Truth.UNKNOWN
    assert says in ready.reading.reason


class TestTold:
    """By files, by commands, and by the policy itself."""

    async def test_by_a_file(self, shop: Shop, wire: Wire, tmp_path: Path) -> None:
        file = tmp_path / "previous"
        how = shop.by_tool(anchor=LineOf(str(file)))
        for text, says in (
            (None, "No such file"),
            ("", "no plain version"),
            ("v4\nv3\n", "more than one line"),
            ("v" * 9000, "no plain version"),
        ):
            if text is not None:
                file.write_text(text, "utf-8")
            ready = await looked(wire, how)
            assert ready.reading.truth is Truth.UNKNOWN
            assert says in ready.reading.reason, ready.reading.reason
        file.write_bytes(b"v\xff\n")
        assert "not UTF-8" in (await looked(wire, how)).reading.reason
        file.unlink()
        file.mkdir()
        assert "no regular file" in (await looked(wire, how)).reading.reason
        file.rmdir()
        file.write_text("v4\n", "utf-8")
        assert (await looked(wire, how)).reading.truth is Truth.TRUE

    @pytest.mark.parametrize(
        ("script", "says"),
        [
            ("import sys; sys.exit('no such service')", "exit status 1: no such service"),
            ("print('v4'); print('v3')", "more than one line"),
            ("print('v' * 100_000)", "and not one line"),
            ("import time; time.sleep(60)", "did not end within 0.6 s, killed"),
        ],
    )
    async def test_by_a_command_that_says_nothing_of_use(
        self, shop: Shop, wire: Wire, script: str, says: str
    ) -> None:
        python = shop.tool()[0]
        how = shop.by_tool(anchor=PrintedBy(Command((python, "-I", "-S", "-c", script))))
        ready = await looked(wire, how, 0.6)
        assert ready.reading.truth is Truth.UNKNOWN
        assert says in ready.reading.reason, ready.reading.reason

    async def test_by_a_command_without_its_variable(self, shop: Shop, wire: Wire) -> None:
        how = shop.by_tool(present=PrintedBy(Command(("date",), env=("NOT_SET_ANYWHERE",))))
        assert "NOT_SET_ANYWHERE is not set" in (await looked(wire, how)).reading.reason

    async def test_a_credential_is_no_version(
        self, shop: Shop, wire: Wire, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DEPLOY_TOKEN", "s3cr3t")
        echo = Command(("printenv", "DEPLOY_TOKEN"), env=("DEPLOY_TOKEN",))
        ready = await looked(wire, shop.by_tool(present=PrintedBy(echo)))
        assert "holds a credential" in ready.reading.reason
        assert "s3cr3t" not in str(ready)

    async def test_by_the_policy(self, shop: Shop, wire: Wire) -> None:
        ready = await looked(wire, shop.by_tool(anchor=Stated(OLDER)))
        assert ready.anchor is not None
        assert dict(ready.anchor.facts)["version"] == OLDER

    async def test_by_an_address_that_refuses(self, shop: Shop, wire: Wire) -> None:
        nowhere = FieldOf(Endpoint(f"{shop.url}/deploys/none"), "build")
        ready = await looked(wire, shop.by_tool(present=nowhere))
        assert "build is not there" in ready.reading.reason


async def test_a_tool_that_is_not_there_is_told(shop: Shop, wire: Wire) -> None:
    how = shop.by_tool(by=Command(("no-such-deployer", "${anchor.version}")))
    ready = await looked(wire, how)
    assert ready.reading.truth is Truth.FALSE
    assert "no-such-deployer" in ready.reading.reason


@BOTH
async def test_it_deploys_what_was_decided_for_and_says_what_it_displaced(
    shop: Shop, wire: Wire, kind: str
) -> None:
    actuator, how = open_actuator(wire), of_kind(shop, kind)

    done = await actuator.attempt(how, key="I1", deadline_seconds=SECONDS, facts=DECIDED)
    settled = await actuator.settle(how, key="I1", deadline_seconds=1, facts=DECIDED)

    assert done.result is Attempted.CLAIMED, done
    assert shop.changes == ["v5 -> v4"]
    assert dict(settled.facts) == {DISPLACED: content_digest(TARGET, BAD)}


@BOTH
async def test_the_way_back_deploys_what_was_displaced(shop: Shop, wire: Wire, kind: str) -> None:
    shop.change(served=GOOD, previous=OLDER)  # which is no business of the way back
    way_back = back(of_kind(shop, kind))
    assert back(way_back) == of_kind(shop, kind)

    again = await asked(wire, way_back)
    done = await open_actuator(wire).attempt(
        way_back, key="I2", deadline_seconds=SECONDS, facts=DECIDED
    )

    assert (again.result, done.result) == (Attempted.CLAIMED, Attempted.CLAIMED)
    assert shop.changes == ["v4 -> v5"]


@pytest.mark.parametrize(
    ("facts", "says"),
    [
        ((), "the version of what is restored is not known"),
        ((("version", "v4"),), "the version of what stood before is not known"),
        ((("version", "--all"), ("present_version", "v5")), "not plain enough"),
        ((("version", "v4"), ("present_version", "a/../b")), "not plain enough"),
    ],
)
@pytest.mark.parametrize("asks_only", [True, False])
async def test_without_its_facts_it_deploys_nothing(
    shop: Shop, wire: Wire, facts: tuple[tuple[str, str], ...], says: str, *, asks_only: bool
) -> None:
    how = shop.by_tool(asks_only=asks_only)
    tried = await open_actuator(wire).attempt(how, key="I1", deadline_seconds=1, facts=facts)
    assert tried.result is Attempted.REFUSED
    assert says in tried.reason
    assert shop.site.lines("calls") == []
