"""Where everything is. The program has no option and no variable that could say otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_OWN = (
    "/etc/slo-watchdog",
    "/etc/polkit-1/rules.d/50-slo-watchdog-restore.rules",
    "/etc/systemd/system/slo-watchdog.service",
    "/etc/systemd/system/slo-watchdog.service.d",
    "/etc/systemd/system/slo-watchdog-restore@.service",
    "/etc/systemd/system/slo-watchdog-restore@.service.d",
    "/opt/slo-watchdog",
    "/run/slo-watchdog",
    "/usr/bin/slo-watchdog",
    "/usr/lib/systemd/system/slo-watchdog.service",
    "/usr/lib/systemd/system/slo-watchdog-page@.service",
    "/usr/lib/systemd/system/slo-watchdog-restore@.service",
    "/usr/lib/sysusers.d/slo-watchdog.conf",
    "/usr/local/bin/slo-watchdog",
    "/usr/local/lib/systemd/system/slo-watchdog.service",
    "/usr/local/lib/systemd/system/slo-watchdog-page@.service",
    "/usr/local/lib/systemd/system/slo-watchdog-restore@.service",
    "/usr/local/lib/sysusers.d/slo-watchdog.conf",
    "/usr/share/polkit-1/rules.d/50-slo-watchdog-restore.rules",
    "/var/lib/slo-watchdog",
    "/var/lib/slo-watchdog-restore",
)


@dataclass(frozen=True, slots=True)
class Places:
    """Root's: `etc` and `state`. The daemon's: `requests`. None of `own` is ever overwritten."""

    etc: Path = Path("/etc/slo-watchdog")
    requests: Path = Path("/var/lib/slo-watchdog/restore")
    state: Path = Path("/var/lib/slo-watchdog-restore")
    own: tuple[str, ...] = _OWN

    @property
    def signers(self) -> Path:
        """Who may approve, in the form of ssh-keygen's ALLOWED SIGNERS."""
        return self.etc / "allowed_signers"

    @property
    def rules(self) -> Path:
        """What root allows at all."""
        return self.etc / "restore.toml"

    @property
    def anchors(self) -> Path:
        return self.state / "anchors"

    def of(self, name: str) -> Path:
        """The folder of one restore."""
        return self.state / name
