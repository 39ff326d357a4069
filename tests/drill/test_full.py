"""The full drill: a system restore practised for real, in a room from which nothing is reached."""

import hashlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drill.test_drill import PROGRAM, run
from tests.house.tree import REPOSITORY
from watchdog.core.drills import DrillStage
from watchdog.drill.apart import UNSHARE

ROOTS = pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a restore gives files to owners")
WATCHED = ("/etc", "/usr/local", "/var/lib", "/srv", "/opt")


def manifest(folder: Path) -> dict[str, tuple[object, ...]]:
    """Every file below it with owner, mode, change time, and what small ones hold."""
    found: dict[str, tuple[object, ...]] = {}
    for here, _, names in os.walk(folder):
        for name in names:
            file = Path(here, name)
            seen = file.lstat()
            small = file.is_file() and not file.is_symlink() and seen.st_size < 1 << 20
            digest = hashlib.sha256(file.read_bytes()).hexdigest() if small else ""
            told = (seen.st_mode, seen.st_uid, seen.st_gid, seen.st_ctime_ns, digest)
            found[str(file)] = told
    return found


@ROOTS
def test_in_its_room_nothing_of_the_machine_can_be_changed_or_reached(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "ledger").write_text("all the sats")
    before = manifest(real)
    for made in ("root", "out"):
        (tmp_path / made).mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        given = {"folder": str(real), "ours": str(REPOSITORY), "port": port, "pid": os.getpid()}
        (tmp_path / "out/given.json").write_text(json.dumps(given))
        room = (sys.executable, "-m", "watchdog.drill.room", str(tmp_path), "tests.drill.prying")
        ended = subprocess.run(
            [*UNSHARE, "--", *room], capture_output=True, text=True, check=False, timeout=60,
            cwd=REPOSITORY,
        )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    found = json.loads((tmp_path / "out/found.json").read_text())
    assert found.pop("made writable").startswith("32: "), "mount(8): it failed"
    assert found == {
        "real folder": "FileNotFoundError",
        "programs": "OSError",  # a read-only file system
        "our own": "OSError",
        "network": "ConnectionRefusedError",
        "process": "ProcessLookupError",
        "processes": 2,  # the room's first, and who looks
        "service manager": "1: the drill's service manager knows no 'poweroff'",
        "its sockets": [],
        "settings": [],
        "secrets": "FileNotFoundError",
        "the room's own": "done: 4",
    }
    assert manifest(real) == before
    assert list((tmp_path / "root").iterdir()) == [], "its memory is gone with it"


@ROOTS
def test_where_no_room_can_be_made_it_says_so_and_what_to_do(tmp_path: Path) -> None:
    rights = ("setpriv", "--bounding-set", "-sys_admin")
    argv = (*rights, PROGRAM, "drill", "run", "full", "--unrecorded", "--into", str(tmp_path))
    ended = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1, ended.stderr
    told = " ".join(ended.stderr.split())
    assert "this machine makes no namespaces for it (unshare: unshare failed" in told
    assert "slo-watchdog drill record full --reason TEXT" in told
    assert list(tmp_path.iterdir()) == []


@ROOTS
def test_who_is_not_root_is_told_to_be() -> None:
    ask = "from watchdog.drill.apart import why_no_room; print(why_no_room())"
    nobody = ("unshare", "--user", sys.executable, "-c", ask)
    ended = subprocess.run(nobody, capture_output=True, text=True, check=True, timeout=60)
    assert "run it as root, like sudo slo-watchdog drill run full" in ended.stdout


@ROOTS
@pytest.mark.sim
@pytest.mark.timeout(300)
def test_a_system_is_restored_from_the_breach_on_and_undone_and_nothing_outside_changes(
    tmp_path: Path,
) -> None:
    calls = tmp_path / "calls"
    spies = tmp_path / "bin"
    spies.mkdir()
    spy = spies / "systemctl"
    spy.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec /usr/bin/systemctl "$@"\n')
    spy.chmod(0o755)
    before = {one: manifest(Path(one)) for one in WATCHED}
    into = tmp_path / "documents"
    into.mkdir()

    path = f"{spies}:{os.environ['PATH']}"
    ended = run("run", "full", "--json", "--unrecorded", "--into", str(into), PATH=path)

    assert ended.returncode == 0, ended.stderr + ended.stdout
    told = json.loads(ended.stdout)
    assert told["passed"]
    assert [one["stage"] for one in told["stages"]] == [one.value for one in DrillStage]
    assert all(one["met"] for one in told["stages"])
    first, second = told["episode"]["changes"]
    assert (first["action"], first["outcome"]) == ("restore-mainnet-config", "failed")
    assert (second["action"], second["outcome"]) == ("restore-system", "done")
    said = "\n".join(step["output"] for step in second["steps"])
    assert "approved by ada@example.org, grace@example.org" in said
    assert not calls.exists(), calls.read_text()
    assert {one: manifest(Path(one)) for one in WATCHED} == before
    assert "## What to improve" in Path(told["document"]).with_suffix(".md").read_text()
