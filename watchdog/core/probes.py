"""What a probe looks at: one question about the service, asked by a rule of its own.

Every look ends in one of three ways. It holds or it fails, both proven and both by the service's
own doing (`samples.Look`); or nothing was seen (`samples.Failure`), and that never breaches.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchdog.core.asking import Command, Endpoint

PROBE = "probe"
"""The one thing that is asked of a probe, where others are asked expressions."""


@dataclass(frozen=True, slots=True)
class HttpProbe:
    """Holds when the status is as expected and the body, where that is asked for, too."""

    endpoint: Endpoint
    status: int | None  # None: any 2xx holds, any 5xx fails, nothing else proves anything
    expect: str  # JMESPath; empty: the body is not looked at


@dataclass(frozen=True, slots=True)
class TcpProbe:
    """Holds when a connection is accepted."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class CommandProbe:
    """Holds at exit status 0, fails at one of `failing`; any other end proves nothing.

    So does status 0 with the text `inconclusive` printed: the command judged nothing.
    """

    command: Command
    failing: tuple[int, ...]
    inconclusive: str = ""


@dataclass(frozen=True, slots=True)
class ManifestProbe:
    """Holds when the files below the manifest's folder are as its digests say."""

    path: str
    extra: bool  # whether a file that it does not name is a fault


@dataclass(frozen=True, slots=True)
class AttestationProbe:
    """Holds when a pinned signer signed it, lately, and it says enough.

    It is served at an endpoint, or lies at an absolute path: one of the two is given.
    """

    served: Endpoint | None
    path: str
    signers: tuple[str, ...]  # Ed25519 public keys, 64 hex digits in small letters
    max_age_seconds: float
    min_collateralization: float | None


Probe = HttpProbe | TcpProbe | CommandProbe | ManifestProbe | AttestationProbe
PROBES = (HttpProbe, TcpProbe, CommandProbe, ManifestProbe, AttestationProbe)


@dataclass(frozen=True, slots=True)
class Probed:
    """A rule's signal: breached while `fails` of the last `looks` looks failed.

    Healthy only when enough of them held to prove the opposite. Looks in which nothing was seen
    prove neither.
    """

    fails: int
    looks: int
    about: str  # what is looked at: "GET https://mycelia.example/health"
    how: Probe

    @property
    def expr(self) -> str:
        """What its source is asked."""
        return PROBE
