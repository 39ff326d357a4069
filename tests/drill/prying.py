"""What something in a full drill's room could reach of the real machine: it tries, and tells.

python -m watchdog.drill.room FOLDER tests.drill.prying     with FOLDER/out/given.json
"""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

OUT = Path("/out")


def tried(deed: Callable[[], Any]) -> str:
    """What became of it."""
    try:
        return f"done: {deed()}"
    except OSError as error:
        return type(error).__name__


def said(*argv: str) -> str:
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=20)
    return f"{ended.returncode}: {(ended.stdout + ended.stderr).strip()}"


if __name__ == "__main__":
    given = json.loads((OUT / "given.json").read_text())
    port, pid = given["port"], given["pid"]
    found = {
        "real folder": tried(lambda: list(Path(given["folder"]).iterdir())),
        "programs": tried(lambda: Path("/usr/local/bin/pried").write_text("x")),
        "our own": tried(lambda: Path(given["ours"], "pried").write_text("x")),
        "made writable": said("mount", "-o", "remount,rw,bind", "/usr"),
        "network": tried(lambda: socket.create_connection(("127.0.0.1", port), 2)),
        "process": tried(lambda: os.kill(pid, signal.SIGCONT)),
        "processes": len(list(Path("/proc").glob("[0-9]*"))),
        "service manager": said("/usr/bin/systemctl", "poweroff"),
        "its sockets": [one for one in ("/run/systemd", "/run/dbus") if Path(one).exists()],
        "settings": [one.name for one in Path("/etc/slo-watchdog").iterdir()],
        "secrets": tried(lambda: Path("/etc/shadow").read_text()),
        "the room's own": tried(lambda: Path("/etc/mine").write_text("mine")),
    }
    (OUT / "found.json").write_text(json.dumps(found))
