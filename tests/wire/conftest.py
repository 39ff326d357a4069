"""A wire, folders of credentials, and certificates made by openssl."""

import ssl
import subprocess
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    folder = tmp_path / "credentials"
    folder.mkdir()
    return folder


@pytest.fixture
async def wire(credentials: Path) -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets([credentials]))
    yield wire
    await wire.aclose()


@dataclass(frozen=True)
class Authority:
    """A certificate that is its own authority, and the server side of it."""

    ca_file: str
    server: ssl.SSLContext


@pytest.fixture
def make_authority(tmp_path: Path) -> Callable[..., Authority]:
    def make(name: str = "own", host: str = "IP:127.0.0.1") -> Authority:
        key, certificate = tmp_path / f"{name}.key", tmp_path / f"{name}.pem"
        request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256"
        options: list[str] = [
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-keyout",
            key,
            "-out",
            certificate,
            "-addext",
            f"subjectAltName={host}",
        ]
        subprocess.run([*request.split(), *options], check=True, capture_output=True)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        return Authority(str(certificate), server)

    return make
