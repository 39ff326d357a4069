"""The release folder: two trees that verify and are published, an attestation that holds."""

import hashlib
import json
import shutil
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from watchdog.sandbox import ed25519, release
from watchdog.sandbox.attestation import is_genuine, javascript_number, signed_message
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.places import Places


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return release.set_up(tmp_path)


def attestation_in(places: Places) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((places.release / "mainnet" / "por.json").read_text())
    return document


def verify(places: Places) -> subprocess.CompletedProcess[str]:
    command = [str(places.bin / "mycelia-attest"), "verify", "release/mainnet/por.json"]
    return subprocess.run(command, cwd=places.root, capture_output=True, text=True, check=False)


def check(places: Places, script: str) -> subprocess.CompletedProcess[str]:
    command = [str(places.bin / "pnpm"), "run", script]
    return subprocess.run(command, cwd=places.root, capture_output=True, text=True, check=False)


def test_the_manifest_is_one_that_sha256sum_accepts(places: Places) -> None:
    for name in ("mainnet", "mainnet-previous"):
        tree = places.release / name
        lines = (tree / "checksums.txt").read_text().splitlines()
        assert {line for line in lines if line and not line.startswith("#")} == {
            f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}"
            for path in tree.iterdir()
            if path.name not in {"checksums.txt", "por.json"}
        }


def test_setting_up_again_keeps_what_is_there(places: Places) -> None:
    before = {path: path.read_bytes() for path in places.release.rglob("*") if path.is_file()}
    release.set_up(places.root)

    assert {path: path.read_bytes() for path in before} == before


def test_a_changed_or_missing_file_fails_verification(places: Places) -> None:
    assert check(places, "release:verify").returncode == 0

    (places.release / "mainnet" / "redemption.json").write_text("{}")
    changed = check(places, "release:verify")
    assert (changed.returncode, "redemption.json" in changed.stderr) == (1, True)

    shutil.rmtree(places.release / "mainnet")
    assert check(places, "release:verify").returncode == 1


async def test_publishing_the_previous_tree_serves_its_build(
    sandbox: Sandbox, web: httpx.AsyncClient
) -> None:
    places = sandbox.places
    page = f"{sandbox.url}/ops/status.json"
    assert (await web.get(page)).json()["buildSha"] == release.CURRENT_BUILD

    live, previous = places.release / "mainnet", places.release / "mainnet-previous"
    live.rename(places.release / "mainnet-backup-20260101-000000")
    shutil.copytree(previous, live)
    assert (await web.get(page)).json()["buildSha"] == release.CURRENT_BUILD

    assert check(places, "release:publish").returncode == 0
    assert (await web.get(page)).json()["buildSha"] == release.PREVIOUS_BUILD
    assert (await web.get(page)).json()["version"] == "0.9.9"


def test_there_is_a_system_backup(places: Places) -> None:
    (archive,) = (places.root / "backups").glob("system-backup-*.tar.gz")
    with tarfile.open(archive) as tar:
        assert "srv/mycelia/release/mainnet/BUILD_SHA" in tar.getnames()


def test_secrets_are_for_their_owner_only(places: Places) -> None:
    for secret in (places.governance_token, places.signing_key):
        assert secret.stat().st_mode & 0o077 == 0


def test_a_fresh_attestation_verifies(places: Places) -> None:
    assert is_genuine(attestation_in(places))
    assert verify(places).returncode == 0


def test_a_changed_number_breaks_the_signature(places: Places) -> None:
    document = attestation_in(places)
    document["snapshot"]["lockedSats"] = "850000001"
    (places.release / "mainnet" / "por.json").write_text(json.dumps(document))

    answer = verify(places)
    assert (answer.returncode, "bad signature" in answer.stderr) == (1, True)


def test_an_attestation_older_than_a_day_is_refused(places: Places) -> None:
    release.attest(places, timestamp=int((time.time() - 23.9 * 3600) * 1000))
    assert verify(places).returncode == 0

    release.attest(places, timestamp=int((time.time() - 24.1 * 3600) * 1000))
    assert verify(places).returncode == 1


def test_it_trusts_whatever_key_is_in_the_file(places: Places) -> None:
    # The real tool does so too; pinning the signer is the watchdog's business.
    places.signing_key.write_text("11" * 32)
    release.attest(places, lockedSats="1")

    assert verify(places).returncode == 0


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"snapshot": {"timestamp": "x"}}'])
def test_what_is_no_attestation_is_refused(places: Places, content: str) -> None:
    (places.release / "mainnet" / "por.json").write_text(content)

    answer = verify(places)
    assert (answer.returncode, "not an attestation" in answer.stderr) == (1, True)


def test_the_signed_bytes_are_those_of_javascript() -> None:
    snapshot = {
        "utxoCount": 412,
        "merkleRoot": "bb",
        "headerHash": "aa",
        "collateralizationRatio": 1.0,
        "outstandingBloom": "85000000",
        "lockedSats": "850000000",
        "timestamp": 1704067200000,
    }
    assert signed_message(snapshot) == (
        b'{"timestamp":1704067200000,"lockedSats":"850000000","outstandingBloom":"85000000",'
        b'"collateralizationRatio":1,"headerHash":"aa","merkleRoot":"bb","utxoCount":412}'
    )


@pytest.mark.parametrize(
    ("number", "printed"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (1.0, "1"),
        (-2.5, "-2.5"),
        (1.05, "1.05"),
        (0.1, "0.1"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-7, "1.5e-7"),
        (0.00001234, "0.00001234"),
        (100, "100"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.25e21, "1.25e+21"),
        (123456789012345680000.0, "123456789012345680000"),
        (9007199254740993, "9007199254740992"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_numbers_are_printed_as_javascript_prints_them(number: float, printed: str) -> None:
    assert javascript_number(number) == printed


RFC_8032_VECTORS = [  # section 7.1: secret key, public key, message, signature
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        (
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555"
            "fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        ),
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        (
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "public", "message", "signature"), RFC_8032_VECTORS)
def test_ed25519_agrees_with_its_rfc(
    secret: str, public: str, message: str, signature: str
) -> None:
    key, said, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)

    assert ed25519.public_key(bytes.fromhex(secret)) == key
    assert ed25519.sign(bytes.fromhex(secret), said) == signed
    assert ed25519.verifies(key, said, signed)
    assert not ed25519.verifies(key, said + b"!", signed)
    assert not ed25519.verifies(key, said, signed[:32] + bytes(32))
    assert not ed25519.verifies(key, said, signed[:-1])
    assert not ed25519.verifies(b"\xff" * 32, said, signed)
