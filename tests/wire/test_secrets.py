"""Credentials come from files, anew each time, and from nowhere else."""

import os
from pathlib import Path

import pytest

from watchdog.ports import SecretMissing
from watchdog.wire.secrets import FileSecrets


def test_a_rotated_credential_is_seen_without_a_restart(credentials: Path) -> None:
    secrets = FileSecrets([credentials])
    (credentials / "token").write_text("first\n")
    assert secrets.read("token") == "first"
    (credentials / "token").write_text("second\r\n")
    assert secrets.read("token") == "second"


def test_systemds_credentials_win_over_the_configured_folder(
    tmp_path: Path, credentials: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "of-systemd"
    own.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(own))
    secrets = FileSecrets.of_service(credentials)
    (credentials / "token").write_text("configured")
    assert secrets.read("token") == "configured"
    (own / "token").write_text("systemd's")
    assert secrets.read("token") == "systemd's"


@pytest.mark.parametrize("name", ["../token", "a/b", "", ".hidden", "a\n", "/etc/x", "x" * 200])
def test_no_name_leads_out_of_the_folder(credentials: Path, name: str) -> None:
    (credentials.parent / "token").write_text("outside")
    with pytest.raises(SecretMissing, match="cannot be a credential's name"):
        FileSecrets([credentials]).read(name)


def test_a_missing_credential_says_where_it_was_looked_for(credentials: Path) -> None:
    with pytest.raises(SecretMissing, match=f"token does not exist in {credentials}"):
        FileSecrets([credentials]).read("token")


def test_where_no_folder_is_named_that_is_said() -> None:
    with pytest.raises(SecretMissing, match="token does not exist: no folder of them is named"):
        FileSecrets([]).read("token")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"x" * 70_000, "is larger than 65536 bytes"),
        (b"hush\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_what_cannot_be_a_credential_is_refused_without_showing_it(
    credentials: Path, content: bytes, reason: str
) -> None:
    (credentials / "token").write_bytes(content)
    with pytest.raises(SecretMissing, match=reason) as caught:
        FileSecrets([credentials]).read("token")
    assert "hush" not in str(caught.value)


def test_a_named_pipe_without_a_writer_hangs_nobody(credentials: Path) -> None:
    os.mkfifo(credentials / "token")
    with pytest.raises(SecretMissing, match="is not a plain file"):
        FileSecrets([credentials]).read("token")
