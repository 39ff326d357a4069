"""The daemon's side of a restore: ready long before it is needed, and what the helper says.

What the helper does is told in tests/restore, and both together in a container in tests/systemd.
"""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.real_parts.people import free_port
from tests.restore.site import HOST, Site, build
from watchdog.actions import open_probe
from watchdog.actions.restore import RestoreActuator
from watchdog.actions.restore_anchors import RestorePlaces
from watchdog.actions.restore_request import (
    Asking,
    find_request,
    id_for,
    request_text,
    write_request,
)
from watchdog.core.spec import ActionSpec, Endpoint, Step
from watchdog.core.trees import RestoreSystem
from watchdog.core.words import Instant, Truth
from watchdog.engine.preflight import ready_now
from watchdog.ports import Attempted, Readiness
from watchdog.restore.manifest import Head, write_anchor
from watchdog.restore.plan import read_plan
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

AT = Instant(1_800_000_000.0, 100.0)
ASKING = Asking(HOST, "D17", "margaret", 2, 1_900_000_000)
UNIT = "slo-watchdog-restore@.service"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    if os.geteuid() != 0:
        pytest.skip("needs root: anchors are root's")
    made = build(tmp_path)
    (tmp_path / "units").mkdir()
    (tmp_path / "units" / UNIT).write_text("")
    return made


@pytest.fixture
async def actuator(site: Site) -> AsyncIterator[RestoreActuator]:
    places = site.places
    daemons = RestorePlaces(places.etc, places.requests, places.state, (site.folder / "units",))
    made = RestoreActuator(daemons, wall=site.now)
    yield made
    await made.aclose()


def how(site: Site, **changes: object) -> RestoreSystem:
    archive = f"{site.backups}/system-backup-*.tar.gz"
    made = RestoreSystem(archive, str(site.root), ("mycelia-*",), 86400.0, (("id", "-un"),))
    return replace(made, **changes)  # type: ignore[arg-type]  # one field's value


async def looked(actuator: RestoreActuator, asked: RestoreSystem) -> Readiness:
    return await actuator.preflight(asked, at=AT, deadline_seconds=10.0)


async def test_a_recorded_archive_is_ready_and_its_anchor_is_what_it_holds(
    site: Site, actuator: RestoreActuator
) -> None:
    os.utime(site.root / "etc/app.conf", (1.7e9, 1.7e9))
    head = site.record(site.back_up())
    ready = await looked(actuator, how(site))
    assert ready.reading.truth is Truth.TRUE, ready.reading.reason
    assert ready.anchor is not None
    assert ready.anchor.digest == head.sha256
    assert ready.anchor.written_at == head.written_at
    assert dict(ready.anchor.facts) == {"archive": head.archive}


async def test_a_system_that_answers_nobody_can_be_restored_from_the_beginning(
    site: Site, actuator: RestoreActuator
) -> None:
    site.record(site.back_up())
    wire = Wire(FileSecrets(()))
    dead = Endpoint(f"http://127.0.0.1:{free_port()}/ops/status.json")
    step = Step(how(site), "status == 'operational'")
    action = ActionSpec("restore", "system:/", dead, step, None, (), (), 9.0, 9.0, HOST, "")
    try:
        ready = await ready_now(action, actuator, open_probe(wire), AT)
    finally:
        await wire.aclose()
    assert ready.reading.truth is Truth.TRUE, ready.reading.reason
    assert "though its state cannot be read back: http://127.0.0.1:" in ready.reading.reason


async def test_what_is_missing_is_said_with_what_to_do(
    site: Site, actuator: RestoreActuator
) -> None:
    async def not_ready(**changes: object) -> str:
        ready = await looked(actuator, how(site, **changes))
        assert ready.reading.truth is Truth.FALSE
        assert ready.anchor is None
        return ready.reading.reason

    assert "there is no archive" in await not_ready()
    archive = site.back_up()
    assert await not_ready() == (
        f"no anchor is recorded of {archive}: slo-watchdog anchor record {archive}"
    )
    site.record(archive)
    rules = site.places.rules
    assert await not_ready(root="/") == f"{rules} does not allow the root /"
    assert await not_ready(services=("*",)) == f"{rules} does not allow the services *"
    assert "allows no archive in /else" in await not_ready(archive="/else/where*.tar.gz")
    os.utime(archive, (site.now() - 7200, site.now() - 7200))
    assert "is the newest archive, and 2.0 h old" in await not_ready(max_age_seconds=3600.0)
    with archive.open("ab") as file:
        file.write(b"x")
    assert "when recorded" in await not_ready()
    (site.folder / "units" / UNIT).unlink()
    assert await not_ready() == f"{UNIT} is not installed"
    site.places.signers.unlink()
    assert await not_ready() == f"{site.places.signers} is missing: see docs/restore.md"


async def test_an_archive_of_the_same_size_that_was_changed_is_not_ready(
    site: Site, actuator: RestoreActuator
) -> None:
    archive = site.back_up()
    site.record(archive)
    assert (await looked(actuator, how(site))).reading.truth is Truth.TRUE
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)
    ready = await looked(actuator, how(site))
    assert ready.reading.truth is Truth.FALSE
    assert "is not what was recorded" in ready.reading.reason


async def test_a_newer_archive_that_nobody_recorded_is_passed_over_and_named(
    site: Site, actuator: RestoreActuator
) -> None:
    head = site.record(site.back_up())
    newer = site.back_up("system-backup-20261123.tar.gz")
    os.utime(newer, (site.now() + 5, site.now() + 5))
    ready = await looked(actuator, how(site))
    assert ready.anchor is not None
    assert ready.anchor.digest == head.sha256
    assert f"{newer} is newer and not recorded" in ready.reading.reason


async def test_what_takes_long_to_hash_goes_on_between_the_looks(
    site: Site, actuator: RestoreActuator
) -> None:
    archive = site.backups / "system-backup-20261122.tar.gz"
    with archive.open("wb") as file:
        file.truncate(60 << 30)
    head = Head(str(archive), "a" * 64, 60 << 30, 1, 1, 5.0, 5.0, 0, "")
    site.places.state.mkdir()
    write_anchor(site.places.anchors, head, [], gid=0)
    for _ in range(2):
        ready = await actuator.preflight(how(site), at=AT, deadline_seconds=0.3)
        assert ready.reading.truth is Truth.UNKNOWN
        assert ready.reading.reason.startswith(f"not ready yet: hashing {archive} for")


async def test_a_pipe_in_an_archives_place_hangs_nobody(
    site: Site, actuator: RestoreActuator
) -> None:
    os.mkfifo(site.backups / "system-backup-20261122.tar.gz")
    ready = await actuator.preflight(how(site), at=AT, deadline_seconds=1.0)
    assert ready.reading.truth is Truth.FALSE


def test_what_we_write_is_what_the_helper_reads(site: Site) -> None:
    text = request_text("0" * 32, how(site), "a" * 64, "/b/a.tar.gz", ASKING, "1" * 32)
    plan = read_plan(text.encode())
    assert (plan.act, plan.requester, plan.services) == ("restore", "margaret", ("mycelia-*",))
    undo = replace(ASKING, undo_of="2" * 32)
    text = request_text("0" * 32, how(site), "a" * 64, "/b/a.tar.gz", undo, "1" * 32)
    assert read_plan(text.encode()).of == "2" * 32


def test_asking_the_same_again_is_one_request_with_one_nonce(site: Site) -> None:
    name = id_for("E1", "D17", "plan")
    given = (how(site), "a" * 64, "/b/a.tar.gz", ASKING)
    first = write_request(site.places.requests, name, *given)
    assert write_request(site.places.requests, name, *given) == first
    facts = (("digest", "a" * 64), ("archive", "/b/a.tar.gz"))
    assert find_request(site.places.requests, how(site), facts, site.now()) == name
    other = (("digest", "b" * 64), ("archive", "/b/a.tar.gz"))
    assert find_request(site.places.requests, how(site), other, site.now()) == ""
    assert find_request(site.places.requests, how(site), facts, 2e9) == ""


async def test_without_a_request_nothing_is_asked_of_anybody(
    site: Site, actuator: RestoreActuator
) -> None:
    tried = await actuator.attempt(how(site), key="I1", deadline_seconds=5.0)
    assert tried.result is Attempted.REFUSED
    assert tried.reason == "there is no request that people have approved"
    stands = await actuator.stands(how(site), key="I1", deadline_seconds=5.0, facts=())
    assert stands.truth is Truth.FALSE


@pytest.mark.parametrize(
    ("asked", "outcome", "result", "stands"),
    [
        ("restore", "done", Attempted.CLAIMED, Truth.TRUE),
        ("undo", "undone", Attempted.CLAIMED, Truth.TRUE),
        ("undo", "done", Attempted.REFUSED, Truth.FALSE),
        ("restore", "undone", Attempted.REFUSED, Truth.FALSE),
        ("restore", "backed out", Attempted.REFUSED, Truth.FALSE),
        ("restore", "unverified", Attempted.UNKNOWN, Truth.TRUE),
    ],
)
async def test_a_repeat_finds_how_it_ended_and_starts_nothing(
    site: Site,
    actuator: RestoreActuator,
    asked: str,
    outcome: str,
    result: Attempted,
    stands: Truth,
) -> None:
    name = "3" * 32
    folder = site.places.state / name
    folder.mkdir(parents=True)
    told = {"outcome": outcome, "reason": "why", "at": 5.0, "saved": "/x", "people": ["ada"]}
    (folder / "result.json").write_text(json.dumps(told))
    facts = (("request", name),)
    wanted = how(site, undo=asked == "undo")
    tried = await actuator.attempt(wanted, key="I1", deadline_seconds=5.0, facts=facts)
    assert tried.result is result
    assert name in dict(tried.facts).values() or tried.result is Attempted.REFUSED
    waits = tried.retry_after_seconds or 0.0
    assert (waits > 86_400.0) is (outcome == "unverified"), (
        "that word is its last: a person is called"
    )
    found = await actuator.stands(wanted, key="I1", deadline_seconds=5.0, facts=facts)
    assert found.truth is stands


async def test_where_no_service_manager_runs_nothing_was_done(
    site: Site, actuator: RestoreActuator
) -> None:
    facts = (("request", "4" * 32),)
    tried = await actuator.attempt(how(site), key="I1", deadline_seconds=5.0, facts=facts)
    assert tried.result is Attempted.NOT_DONE
    assert "could not be started" in tried.reason


async def test_an_undo_is_asked_for_by_a_request_of_its_own(
    site: Site, actuator: RestoreActuator
) -> None:
    done, undo = "5" * 32, "6" * 32
    facts = (("request", done),)
    asking = replace(ASKING, undo_of=done)
    write_request(site.places.requests, undo, how(site), "a" * 64, "/b/a.tar.gz", asking)
    assert find_request(site.places.requests, how(site, undo=True), facts, site.now()) == undo
    tried = await actuator.attempt(
        how(site, undo=True), key="I2", deadline_seconds=5.0, facts=facts
    )
    assert tried.facts == (("undo_request", undo),)
