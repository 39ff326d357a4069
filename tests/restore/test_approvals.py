"""Whose word counts: forged, replayed, expired and own approvals leave the host as it was."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.restore.site import Site, corrupt
from watchdog.restore.plan import Plan


@pytest.fixture
def archive(site: Site) -> Path:
    archive = site.back_up()
    site.record(archive)
    corrupt(site.root)
    return archive


def refused(site: Site, plan: Plan) -> str:
    """Why it is refused; nothing of the host has changed by it."""
    before = site.look()
    told = site.start(plan)
    assert told["outcome"] == "refused", told
    assert site.look() == before
    assert not site.places.of(plan.id).exists()
    return str(told["reason"])


def test_without_enough_people_nothing_happens_and_with_the_missing_one_it_does(
    site: Site, archive: Path
) -> None:
    plan = site.plan(archive)
    site.ask(plan)
    assert refused(site, plan) == "0 of 2 approvals"
    site.sign(plan, "ada")
    assert refused(site, plan) == "1 of 2 approvals (ada)"
    site.sign(plan, "grace")
    assert site.start(plan)["outcome"] == "done"


def test_who_asked_for_it_cannot_approve_it(site: Site, archive: Path) -> None:
    plan = site.plan(archive, requester="Margaret@example.org")
    site.ask(plan)
    site.sign(plan, "ada", "margaret")
    assert refused(site, plan) == (
        "1 of 2 approvals (ada); margaret.sig: margaret asked for it and cannot approve it"
    )


def test_a_stranger_is_nobody(site: Site, archive: Path) -> None:
    plan = site.plan(archive)
    site.ask(plan)
    site.sign(plan, "ada", "mallory")
    assert "mallory.sig: its key is not among the allowed signers" in refused(site, plan)


def test_one_person_with_two_signatures_or_two_keys_is_one(site: Site, archive: Path) -> None:
    with site.places.signers.open("a") as file:
        file.write(f"ada {site.keys['mallory'].with_suffix('.pub').read_text()}")
    plan = site.plan(archive)
    folder = site.ask(plan) / "approvals"
    site.sign(plan, "ada", "mallory")
    shutil.copy(folder / "ada.sig", folder / "grace.sig")
    assert refused(site, plan) == "1 of 2 approvals (ada)"


def test_a_key_that_stands_for_several_people_proves_nobody(site: Site, archive: Path) -> None:
    public = site.keys["mallory"].with_suffix(".pub").read_text()
    with site.places.signers.open("a") as file:
        file.write(f"hopper,mallory {public}*@example.org {public}")
    plan = site.plan(archive)
    site.ask(plan)
    site.sign(plan, "ada", "mallory")
    assert "mallory.sig: its key stands for no one person" in refused(site, plan)


def test_a_revoked_key_counts_no_more(site: Site, archive: Path) -> None:
    public = site.keys["ada"].with_suffix(".pub").read_text()
    (site.places.etc / "revoked_signers").write_text(public)
    assert "ada.sig: it is no signature of ada" in refused(site, site.approved(archive))


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 64},
        {"requester": "nobody"},
        {"nonce": "0" * 32},
        {"expires_at": 1},
        {"decision": "D-18"},
        {"verify": (("rm", "-rf", "/"),)},
        {"host": "mainnet-2"},
        {"approvals": 1},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_signature_is_over_this_text_and_no_other(
    site: Site, archive: Path, change: dict[str, object]
) -> None:
    plan = site.plan(archive)
    folder = site.ask(plan)
    signed = replace(plan, **change)  # type: ignore[arg-type]  # one field's value
    site.sign(plan, "ada", "grace", text=signed.text)
    reason = refused(site, plan)
    assert "0 of 2 approvals; ada.sig: it is no signature of ada over this request" in reason
    assert sorted(one.name for one in folder.iterdir()) == ["approvals", "request.json"]


def test_a_signature_for_another_purpose_is_none(site: Site, archive: Path) -> None:
    plan = site.plan(archive)
    site.ask(plan)
    site.sign(plan, "ada", "grace", namespace="git")
    assert refused(site, plan).startswith("0 of 2 approvals")


def test_an_approval_that_expired_is_none(site: Site, archive: Path) -> None:
    plan = site.approved(archive)
    site.wall = 3700
    assert refused(site, plan).startswith("the request expired ")


def test_an_approval_for_longer_than_a_day_is_none(site: Site, archive: Path) -> None:
    plan = site.approved(archive, expires_at=int(site.now()) + 90_000)
    assert refused(site, plan) == "the request expires more than a day from now"


def test_a_nonce_is_spent_once(site: Site, archive: Path) -> None:
    first = site.approved(archive)
    assert site.start(first)["outcome"] == "done"
    corrupt(site.root)
    again = site.approved(archive, nonce=first.nonce)
    assert refused(site, again) == "its nonce is spent: it was used before"


def test_a_restore_that_was_done_is_not_done_again(site: Site, archive: Path) -> None:
    plan = site.approved(archive)
    assert site.start(plan)["outcome"] == "done"
    corrupt(site.root)
    bad = site.look()
    site.start(plan)
    assert site.look() == bad


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"host": "mainnet-2"}, "host is mainnet-2, and this is mainnet-1 by restore.toml"),
        ({"root": "/"}, "root / is not allowed by restore.toml"),
        ({"services": ("*",)}, "services * are not all allowed by restore.toml"),
        ({"services": ("mycelia-*", "ssh.service")}, "are not all allowed by restore.toml"),
    ],
    ids=["host", "root", "all services", "one service more"],
)
def test_what_root_does_not_allow_no_approval_allows(
    site: Site, archive: Path, change: dict[str, object], reason: str
) -> None:
    assert reason in refused(site, site.approved(archive, **change))


def test_an_archive_elsewhere_is_not_allowed_whoever_approves(site: Site, archive: Path) -> None:
    deeper = site.backups / "system-backup-x.tar"
    deeper.mkdir()
    elsewhere = shutil.copy(archive, deeper / archive.name)
    assert "is not allowed by restore.toml" in refused(site, site.approved(Path(elsewhere)))


def test_the_number_is_roots_or_more(site: Site, archive: Path) -> None:
    few = site.plan(archive, approvals=1)
    site.ask(few)
    site.sign(few, "ada")
    assert refused(site, few) == "1 of 2 approvals (ada)"
    many = site.approved(archive, approvals=3)
    assert refused(site, many) == "2 of 3 approvals (ada, grace)"


def test_files_that_others_may_write_say_nothing_for_root(site: Site, archive: Path) -> None:
    plan = site.approved(archive)
    for path in (site.places.signers, site.places.rules, site.places.etc):
        mode = path.stat().st_mode
        path.chmod(mode | 0o020)
        assert refused(site, plan) == f"{path} may be written by others than root"
        path.chmod(mode)
        os.chown(path, 33, 0)
        assert refused(site, plan) == f"{path} does not belong to root"
        os.chown(path, 0, 0)
    moved = site.places.signers.with_name("elsewhere")
    site.places.signers.rename(moved)
    site.places.signers.symlink_to(moved)
    assert refused(site, plan) == f"{site.places.signers} is a link"


def test_an_anchor_that_root_did_not_record_is_none(site: Site, archive: Path) -> None:
    other = shutil.copy(archive, archive.with_name("system-backup-20261121.tar.gz"))
    with Path(other).open("ab") as file:
        file.write(b"more")
    plan = site.approved(Path(other))
    assert refused(site, plan).startswith("no anchor is recorded of an archive with the digest")
    head = site.places.anchors / f"{site.plan(archive).sha256}.json"
    os.chown(head, 33, 33)
    assert refused(site, site.approved(archive)) == f"{head} does not belong to root"


def test_an_archive_that_was_changed_since_it_was_approved_is_refused(
    site: Site, archive: Path
) -> None:
    plan = site.approved(archive)
    content = bytearray(archive.read_bytes())
    content[-1] ^= 1  # of the length that gzip tells
    archive.write_bytes(content)
    assert "gzip is damaged" in refused(site, plan)


Damage = Callable[[dict[str, object]], object]


@pytest.mark.parametrize(
    "damage",
    [
        lambda told: told.pop("nonce"),
        lambda told: told.update(more=1),
        lambda told: told.update(version=2),
        lambda told: told.update(approvals=True),
        lambda told: told.update(approvals=-1.5),
        lambda told: told.update(id="f" * 32),
        lambda told: told.update(root="/srv/../etc"),
        lambda told: told.update(archive="relative.tar.gz"),
        lambda told: told.update(decision="a\nb"),
        lambda told: told.update(services="mycelia-*"),
        lambda told: told.update(verify=[[]]),
        lambda told: told.update(act="destroy"),
        lambda told: told.update(of="0" * 32),
        lambda told: told.update(requester="x" * 2000),
    ],
)
def test_a_request_of_another_form_is_refused(site: Site, archive: Path, damage: Damage) -> None:
    plan = site.approved(archive)
    file = site.places.requests / plan.id / "request.json"
    told = json.loads(file.read_text())
    damage(told)
    file.write_text(json.dumps(told, indent=2, sort_keys=True) + "\n")
    assert refused(site, plan)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "null", '{"id": 1, "id": 2}'])
def test_a_request_that_is_no_request_is_refused(site: Site, archive: Path, text: str) -> None:
    plan = site.approved(archive)
    (site.places.requests / plan.id / "request.json").write_text(text)
    assert refused(site, plan)


def test_the_same_said_in_another_form_was_not_signed(site: Site, archive: Path) -> None:
    plan = site.approved(archive)
    file = site.places.requests / plan.id / "request.json"
    file.write_text(json.dumps(json.loads(file.read_text())))
    assert refused(site, plan) == "the request is not in its canonical form"


@pytest.mark.parametrize("file", ["request.json", "approvals/ada.sig"])
def test_pipes_links_and_floods_in_the_daemons_folder_do_not_hang_or_lead(
    site: Site, archive: Path, file: str
) -> None:
    plan = site.approved(archive)
    path = site.places.requests / plan.id / file
    content = path.read_bytes()
    path.unlink()
    os.mkfifo(path)
    assert "is no plain file" in refused(site, plan)
    path.unlink()
    path.symlink_to(site.places.signers)
    assert "Too many levels of symbolic links" in refused(site, plan)
    path.unlink()
    path.write_bytes(content + b" " * (1 << 20))
    assert "has more than" in refused(site, plan)


@pytest.mark.parametrize(
    "name", ["", "x", "../state", "A" * 32, "0" * 31, "0" * 33, "0" * 31 + "\n"]
)
def test_only_an_id_is_an_input(site: Site, name: str) -> None:
    before = sorted(site.places.state.rglob("*")) if site.places.state.exists() else []
    plan = replace(site.plan(site.back_up()), id=name)
    with pytest.raises(FileNotFoundError):  # it says nothing anywhere
        site.start(plan)
    assert not site.places.state.exists() or sorted(site.places.state.rglob("*")) == before
