"""Certificates, made by openssl, that are their own authority."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Authority:
    """A certificate as clients trust it, and the server side of it."""

    ca_file: str
    server: ssl.SSLContext


def make_authority(folder: Path, name: str = "own", host: str = "IP:127.0.0.1") -> Authority:
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    named = ["-subj", f"/CN={name}", "-addext", f"subjectAltName={host}"]
    paths = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*make.split(), *named, *paths], check=True, capture_output=True)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key)
    return Authority(str(certificate), server)
