"""What a host needs for a system restore, made anew in a full drill's room as docs/restore.md says:
services, root's two files, people with keys, and a recorded archive.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from watchdog.demo.stage import StageFailed
from watchdog.drill.manager import UNITS
from watchdog.drill.room import USER
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.places import Places, read_json

ETC = Path("/etc/slo-watchdog")
KEYS = Path("/srv/keys")
SIGNERS = ("ada@example.org", "grace@example.org")
"""Two people of the drill's own; their keys are made for it and gone with it."""

RAN = ("mycelia-api.service", "mycelia-worker.service")
IDLE = "mycelia-idle.service"
"""It does not run before, and so it must not after."""

PROGRAM = (sys.executable, "-m", "watchdog")
_SECONDS = 120
_PORT_SECONDS = 20

_RULES = """\
approvals = {approvals}
roots = ["/"]
archives = ["{mycelia}/backups/system-backup-*.tar.gz"]
services = ["mycelia-*"]
verify_user = "{user}"
"""
_RESTORE_UNIT = "[Service]\nType=oneshot\nExecStart={python} -m watchdog.restore %i\n"
_SLEEPS = "[Service]\nExecStart=/bin/sleep infinity\n"
_UP = (
    "import socket, time\n"
    "ends = time.monotonic() + {seconds}\n"
    "while True:\n"
    "    try:\n"
    "        socket.create_connection(('127.0.0.1', {port}), 1).close()\n"
    "        break\n"
    "    except OSError:\n"
    "        if time.monotonic() > ends:\n"
    "            raise SystemExit('nothing listens')\n"
    "        time.sleep(0.05)\n"
)


def set_up(settings: Path, sandbox: Sandbox) -> None:
    """Before the drill's daemon starts. Raises StageFailed."""
    settings.parent.chmod(0o711)  # the verify commands run as a user who must come through
    places = sandbox.places
    _write_units(sandbox)
    _root_files(places)
    _hand_over(sandbox)
    places.tool_calls.touch()
    shutil.chown(places.tool_calls, USER, USER)  # each tool notes there that it was called
    archive = _back_up(places)
    _run(*PROGRAM, "anchor", "record", str(archive))
    spoilt = places.release / "mainnet-previous" / "images.json"
    spoilt.write_bytes(spoilt.read_bytes() + b" ")  # so that the ladder's first rung must fail


def parts(places: Places) -> tuple[Path, ...]:
    """What the archive holds: programs, release and data of the service, and its units."""
    mycelia = places.root
    within = (places.bin, places.scripts, places.release, places.accounts.parent)
    units = (UNITS / name for name in (*RAN, IDLE))
    return (*within, mycelia / "package.json", *units)


def is_in_place(places: Places) -> str:
    """How what lies there differs from what the archive holds, by GNU tar; "" where it does not.

    Other files in it may lie there as well: what the archive does not name stays.
    """
    (archive,) = (places.root / "backups").glob("system-backup-*.tar.gz")
    argv = ["tar", "--compare", "-f", str(archive), "-C", "/"]
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_SECONDS)  # noqa: S603  # ours
    return "" if ended.returncode == 0 else (ended.stdout + ended.stderr).strip()


def _write_units(sandbox: Sandbox) -> None:
    """The service itself, one that only runs, and one that does not."""
    known = read_json(sandbox.places.app, {})
    ready = sandbox.places.scripts / "is-up.py"
    ready.write_text(_UP.format(seconds=_PORT_SECONDS, port=known["port"]))
    ports = f"--port {known['port']} --control-port {known['control_port']}"
    app = f"{sys.executable} -m watchdog.sandbox.app --root {sandbox.root} {ports}"
    texts = {
        RAN[0]: f"[Service]\nExecStart={app}\nExecStartPost={sys.executable} -IS {ready}\n",
        RAN[1]: _SLEEPS,
        IDLE: _SLEEPS,
        "slo-watchdog-restore@.service": _RESTORE_UNIT.format(python=sys.executable),
    }
    for name, text in texts.items():
        (UNITS / name).write_text(text)


def _root_files(places: Places) -> None:
    KEYS.mkdir(mode=0o700)
    known = []
    for person in SIGNERS:
        _run(*("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", KEYS / person))
        known.append(f"{person} {(KEYS / f'{person}.pub').read_text().strip()}\n")
    (ETC / "allowed_signers").write_text("".join(known))
    rules = _RULES.format(approvals=len(SIGNERS), mycelia=places.root, user=USER)
    (ETC / "restore.toml").write_text(rules)


def _hand_over(sandbox: Sandbox) -> None:
    """From here on the room's service manager runs the application."""
    sandbox.app.kill_now()
    _run("systemctl", "start", *RAN)


def _back_up(places: Places) -> Path:
    """As a backup job does it."""
    (archive,) = (places.root / "backups").glob("system-backup-*.tar.gz")
    options = ("--format=posix", "--xattrs", "--xattrs-include=*", "--acls")
    names = (str(one.relative_to("/")) for one in parts(places))
    _run("tar", *options, "-czf", archive, "-C", "/", *names)
    os.sync()
    return archive


def _run(*argv: str | Path) -> None:
    """One command to its end. Raises StageFailed with what it said."""
    done = ended(argv)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()
        raise StageFailed(f"{argv[0]} {argv[1]} ended with {done.returncode}: {said}")


def ended(argv: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  # an argument list of ours
        [str(one) for one in argv],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
