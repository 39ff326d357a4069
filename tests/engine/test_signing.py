"""A restore is asked for in the helper's own form, and its approvers' signatures are seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import build, policy, wired
from tests.restore.site import key, signature
from watchdog.actions.restore_anchors import RestorePlaces
from watchdog.actions.signing import NAMESPACE, RequestFolder
from watchdog.core import entries as e
from watchdog.core.approvals import ApprovalAsked, ApprovalGiven, Means, request_id
from watchdog.core.spec import Step
from watchdog.core.states import State
from watchdog.core.trees import Anchor, RestoreSystem
from watchdog.core.words import Instant, Truth
from watchdog.engine import OrderRefused, Person
from watchdog.engine.signatures import Signatures
from watchdog.restore import plan as helper
from watchdog.sandbox.handle import Sandbox

HOW = RestoreSystem("/backups/*.tar.gz", "/srv", ("mycelia-*",), 86400.0, (("true",),), "/srv")
ARCHIVE = "/backups/system-backup-20261122.tar.gz"
DIGEST = "d" * 64
ASKED = ApprovalAsked(
    "E1", "D1", "restore", "p" * 64, DIGEST, 2, "margaret", Instant(2_000_000_000.5, 9.0)
)
NAME = request_id(ASKED)
PEOPLE = ("ada", "grace", "margaret")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("keys")
    return {name: key(folder, name) for name in (*PEOPLE, "mallory")}


@pytest.fixture
def places(tmp_path: Path, keys: dict[str, Path]) -> RestorePlaces:
    etc = tmp_path / "etc"
    etc.mkdir()
    lines = [f"{name}@example.org {keys[name].with_suffix('.pub').read_text()}" for name in PEOPLE]
    (etc / "allowed_signers").write_text("".join(lines))
    return RestorePlaces(etc=etc, requests=tmp_path / "requests", state=tmp_path / "state")


def left(places: RestorePlaces, name: str, file: str, made: bytes) -> None:
    (places.requests / name / "approvals" / file).write_bytes(made)


def text_of(places: RestorePlaces, name: str = NAME) -> str:
    return (places.requests / name / "request.json").read_text()


async def test_what_is_asked_for_is_what_the_helper_reads(places: RestorePlaces) -> None:
    folder = RequestFolder(places)
    assert await folder.ask(NAME, ASKED, HOW, ARCHIVE, "mainnet-1") == ""
    text = text_of(places)
    read = helper.read_plan(text.encode())
    assert helper.is_id(NAME)
    assert (read.id, read.archive, read.sha256) == (NAME, ARCHIVE, DIGEST)
    assert (read.requester, read.approvals, read.expires_at) == ("margaret", 2, 2_000_000_000)
    assert read.decision == f"D1 of E1, plan {'p' * 64}"
    assert await folder.ask(NAME, ASKED, HOW, ARCHIVE, "mainnet-1") == ""
    assert text_of(places) == text, "asked again it is the same, and what was signed stays signed"
    assert helper.NAMESPACE == NAMESPACE


async def test_good_signatures_are_seen_and_no_other(
    places: RestorePlaces, keys: dict[str, Path]
) -> None:
    folder = RequestFolder(places)
    await folder.ask(NAME, ASKED, HOW, ARCHIVE, "mainnet-1")
    text = text_of(places)
    left(places, NAME, "ada.sig", signature(keys["ada"], text))
    left(places, NAME, "mallory.sig", signature(keys["mallory"], text))
    left(places, NAME, "grace.sig", signature(keys["grace"], text.replace("margaret", "m")))
    left(places, NAME, "other.sig", signature(keys["grace"], text, "file"))
    left(places, NAME, "junk.sig", b"\xff" * 100)
    (places.requests / NAME / "approvals" / "loop.sig").symlink_to("loop.sig")
    found = await folder.signed(NAME)
    assert [one.person for one in found] == ["ada"]
    assert await folder.signed("0" * 32) == ()


async def test_a_folder_that_cannot_be_written_is_named(places: RestorePlaces) -> None:
    places.requests.write_text("a file")
    said = await RequestFolder(places).ask(NAME, ASKED, HOW, ARCHIVE, "mainnet-1")
    assert str(places.requests) in said


async def test_a_signature_becomes_an_approval_and_nobodys_word_at_the_socket_does(
    tmp_path: Path, sandbox: Sandbox, places: RestorePlaces, keys: dict[str, Path]
) -> None:
    plan = policy(sandbox)
    action = replace(
        plan.actions["pause"], name="restore", target="system:/srv", do=Step(HOW, "status == 'ok'")
    )
    plan.actions["restore"] = action
    async with wired(tmp_path, sandbox) as wire:
        house = build(tmp_path, sandbox, wire)
        house.engine.adopt(plan, e.PolicyApplied("sha of all", (), "test"))
        draft = house.engine.recorder.draft()
        anchor = Anchor(DIGEST, 1.0, (("archive", ARCHIVE),))
        draft.add(e.ReadinessChanged("restore", Truth.TRUE, "works", anchor))
        house.engine.recorder.commit(draft)
        margaret = Person("margaret (uid 4)", counts=True)
        done = await house.orders.rollbacks.rollback(
            margaret, "restore", "technical", "all is lost", through_hold=False, dry=False
        )
        asked = house.engine.book.requests.open["E1"].asked
        name = request_id(asked)
        assert f"slo-watchdog restore sign {name} --key FILE" in done.effect
        signatures = Signatures(house.engine, RequestFolder(places))
        await signatures.look()
        assert json.loads(text_of(places, name))["approvals"] == 2
        for who in ("ada", "margaret"):
            made = signature(keys[who], text_of(places, name))
            left(places, name, f"{who}.sig", made)
        for _ in range(2):
            await signatures.look()
        given = house.entries(ApprovalGiven)
        assert [(one.who, one.means) for one in given] == [("ada", Means.SSH)]
        for who in ("ada", "grace"):
            with pytest.raises(OrderRefused, match="only signatures count"):
                house.orders.approvals.approve(
                    Person(f"{who} (uid 5)", counts=True), "E1", "x", through_hold=False, dry=False
                )
        assert house.newest is not None
        assert house.newest.state is State.AWAITING
        house.engine.recorder.close()
        house.engine.ports.history.close()
