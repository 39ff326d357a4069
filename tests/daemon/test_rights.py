"""The rights file: read at the start, told of with its lines where it is wrong, read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.daemon.conftest import Home
from watchdog.core.rights import Account, Right
from watchdog.daemon import StartFailed, run
from watchdog.daemon.rights import RightsInForce
from watchdog.daemon.rights_file import RightsRefused, read_rights, rights_of
from watchdog.engine import Person

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGq1s0V3m0mIhJ6m3xGfXo5nXkYkq3m8xR1m1Hk5lQ0y dave"
GOOD = f"""\
# Who may do what.
[[grant]]
rights = ["approve", "undo"]
owners = ["redemption-team"]
users = ["carol"]
groups = ["oncall"]

[[grant]]
rights = "all"
keys = ["{KEY}"]
"""
FILE = Path("/etc/rights.toml")


def test_users_groups_and_keys_have_what_is_given_and_nothing_else() -> None:
    rights = rights_of(GOOD.encode(), FILE)
    carol, oncall = Account("carol"), Account("bob", frozenset({"oncall", "users"}))
    dave = Account(key=KEY.removesuffix(" dave"))
    for one in (carol, oncall, dave):
        assert rights.has(one, Right.APPROVE, "redemption-team")
    assert rights.has(dave, Right.APPLY, "rewards-team")
    assert not rights.has(carol, Right.APPROVE, "rewards-team")
    assert not rights.has(carol, Right.APPLY, "redemption-team")
    assert not rights.has(Account(), Right.APPROVE, "redemption-team")
    told = ("user carol", "group oncall", "the key of dave")
    assert rights.who_has(Right.UNDO, "redemption-team") == told
    assert rights.who_has(Right.UNDO, "") == ("the key of dave",)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("rights = [", "rights = [["), ":4:1: is not TOML: Unclosed array"),
        (('"undo"', '"undoing"'), ":3: there is no right 'undoing'. Did you mean undo?"),
        (('rights = "all"', "rights = []"), ":9: the grant has no `rights`"),
        (("users = ", "user = "), ":5: there is no `user` in a grant. Did you mean users?"),
        (('groups = ["oncall"]', 'groups = "oncall"'), ":6: `groups` is no list of texts"),
        (('["carol"]', '["carol!"]'), ":5: 'carol!' is no name"),
        (('owners = ["redemption-team"]', "owners = []"), ":4: `owners` is empty"),
        (("ssh-ed25519 AAAA", "ssh-ed25519 BBBB"), ":10: 'ssh-ed25519 BBBB"),
        ((" dave", ""), "is no SSH public key with a name behind it. Write a line of a .pub file"),
        ((f'keys = ["{KEY}"]', ""), ":8: the grant is to nobody. Name users, groups or keys."),
        (('[[grant]]\nrights = "all"', '[[grants]]\nrights = "all"'), "there is no `grants`"),
    ],
)  # fmt: skip
def test_each_fault_has_its_line_and_what_to_write(wrong: tuple[str, str], told: str) -> None:
    assert wrong[0] in GOOD
    with pytest.raises(RightsRefused) as refused:
        rights_of(GOOD.replace(*wrong).encode(), FILE)
    assert f"{FILE}:" in str(refused.value)
    assert told in str(refused.value)


@pytest.mark.parametrize("junk", [b"\xff\xfe", b"[" * 5000, b"grant = 1", b"a" * 2_000_000])
def test_what_is_no_such_file_is_refused_in_a_sentence(tmp_path: Path, junk: bytes) -> None:
    file = tmp_path / "rights.toml"
    file.write_bytes(junk)
    file.chmod(0o644)
    with pytest.raises(RightsRefused, match=r"rights\.toml"):
        read_rights(file, needed=True)


@pytest.mark.parametrize("mode", [0o666, 0o664])
def test_a_file_that_others_may_write_gives_nobody_anything(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "rights.toml"
    file.write_text(GOOD)
    file.chmod(mode)
    with pytest.raises(RightsRefused, match="chmod go-w"):
        read_rights(file, needed=False)


def test_none_is_needed_where_none_is_named(tmp_path: Path) -> None:
    assert read_rights(tmp_path / "none", needed=False) is None
    with pytest.raises(RightsRefused, match="does not exist, and the setting `rights` names it"):
        read_rights(tmp_path / "none", needed=True)


async def test_a_wrong_file_ends_the_start_with_its_line(home: Home) -> None:
    home.with_journal()
    file = home.folder / "rights.toml"
    file.write_text(GOOD.replace("approve", "aprove"))
    file.chmod(0o644)
    home.changes["rights"] = str(file)
    with pytest.raises(StartFailed, match=r"rights\.toml:3: there is no right 'aprove'"):
        await run(home.settings())


def test_at_a_reload_a_wrong_or_vanished_file_leaves_what_was_good(home: Home) -> None:
    file = home.folder / "rights.toml"
    file.write_text(GOOD)
    file.chmod(0o644)
    home.changes["rights"] = str(file)
    rights = RightsInForce(home.settings())
    good = rights.now
    assert good is not None
    for spoil in (lambda: file.write_text("[[grant"), file.unlink):
        spoil()
        with capture_logs() as logs:
            rights.reload()
        assert [line["event"] for line in logs] == ["rights.invalid"]
        assert rights.now is good
    file.write_text(GOOD.replace("carol", "erin"))
    file.chmod(0o644)
    rights.reload()
    assert rights.now is not None
    assert rights.now.has(Account("erin"), Right.UNDO, "redemption-team")


def test_applying_needs_the_right_for_every_owner_whose_part_changes(home: Home) -> None:
    file = home.folder / "rights.toml"
    file.write_text('[[grant]]\nrights = ["apply"]\nowners = ["a"]\nusers = ["carol"]\n')
    file.chmod(0o644)
    home.changes["rights"] = str(file)
    rights = RightsInForce(home.settings())
    carol = Person("carol (uid 3)", counts=True, account=Account("carol"))
    assert rights.may_apply(carol, {"a"}) == ""
    assert rights.may_apply(carol, {"a", "platform"}) == (
        f"carol (uid 3) lacks the right `apply` for platform, which is given to: nobody ({file})"
    )
    assert rights.may_apply(Person("SIGHUP", counts=True, everything=True), {"platform"}) == ""
