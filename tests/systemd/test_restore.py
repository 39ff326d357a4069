"""A system restore on a host with real units: asked for by the daemon's user, done by root."""

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.restore.site import key, look_of, signature
from tests.systemd.container import Container
from watchdog.restore.plan import Plan

pytestmark = pytest.mark.timeout(600)

RULES = """\
approvals = 2
roots = ["/"]
archives = ["/srv/backups/system-backup-*.tar.gz"]
services = ["mycelia-*"]
verify_user = "nobody"
host = "mainnet-1"
"""
SERVICE = "[Service]\nExecStart=/bin/sh -c 'cat /etc/mycelia/app.conf; exec sleep 1000'\n"
TIMER = "[Timer]\nOnActiveSec=1000s\n[Unit]\nDescription=A report\n"
ONCE = "[Service]\nExecStart=/bin/true\n"
ARCHIVE = "/srv/backups/system-backup-20261122.tar.gz"
PARTS = ("srv/mycelia", "etc/mycelia", "etc/systemd/system/mycelia-api.service")
CAPABILITY = bytes.fromhex("0100000200040000000000000000000000000000")
AS_DAEMON = ("runuser", "-u", "slo-watchdog", "--")
RAN = ("mycelia-api.service", "mycelia-report.timer", "mycelia-worker.service")


@pytest.fixture
def host(installed: Container, tmp_path: Path) -> Iterator[Container]:
    """A host with units of Mycelia, a backup of them that was recorded, and damage done since."""
    units = {"mycelia-api.service": SERVICE, "mycelia-worker.service": SERVICE,
             "mycelia-idle.service": SERVICE, "mycelia-report.timer": TIMER,
             "mycelia-report.service": ONCE}  # fmt: skip
    for name, text in units.items():
        installed.write(f"/etc/systemd/system/{name}", text)
    installed.write("/etc/mycelia/app.conf", "mode = good\n", 0o640)
    installed.write("/srv/mycelia/data/ledger", "all the sats\n")
    installed.run("chown", "-R", "nobody:nogroup", "/srv/mycelia")
    installed.write("/srv/mycelia/tool", "#!/bin/sh\n", 0o4755)
    os.setxattr(installed.root / "srv/mycelia/tool", "security.capability", CAPABILITY)
    os.setxattr(installed.root / "srv/mycelia/data", "user.kind", b"data")
    installed.systemctl("daemon-reload")
    installed.systemctl("start", *RAN)
    installed.run("mkdir", "-p", "/srv/backups")
    flags = ("--xattrs", "--xattrs-include=*", "--acls", "--format=posix")
    installed.run("tar", *flags, "-czf", ARCHIVE, "-C", "/", *PARTS)
    installed.run("slo-watchdog", "anchor", "record", ARCHIVE)
    for person in ("ada", "grace"):
        key(tmp_path, person)
    signers = (f"{one} {(tmp_path / f'{one}.pub').read_text()}" for one in ("ada", "grace"))
    installed.write("/etc/slo-watchdog/allowed_signers", "".join(signers))
    # On a host it runs long before it is asked; starting for the first question, it may be late.
    installed.systemctl("start", "polkit.service")
    installed.write("/etc/slo-watchdog/restore.toml", RULES)
    installed.write("/etc/mycelia/app.conf", "mode = bad\n", 0o644)
    installed.write("/srv/mycelia/data/ledger", "no sats\n")
    installed.write("/etc/systemd/system/mycelia-api.service", f"{SERVICE}# bad\n")
    installed.run("rm", "-r", "/srv/mycelia/data")
    installed.write("/srv/mycelia/since", "written since\n")
    try:
        yield installed
    finally:
        installed.systemctl("stop", *units, check=False)
        installed.run("sh", "-c", "rm -rf /etc/mycelia /srv/mycelia /srv/backups")
        installed.run("sh", "-c", "rm -f /etc/systemd/system/mycelia-*")
        installed.systemctl("daemon-reload")


def plan(host: Container, **changes: Any) -> Plan:
    sha256 = host.run("sha256sum", ARCHIVE).stdout.split()[0]
    told: dict[str, Any] = {
        "version": 1, "id": secrets.token_hex(16), "act": "restore", "of": "",
        "archive": ARCHIVE, "sha256": sha256, "root": "/", "services": ("mycelia-*",),
        "verify": (("test", "-e", "/srv/mycelia/data/ledger"), ("id", "-un")),
        "verify_in": "/", "host": "mainnet-1", "decision": "D-17", "requester": "margaret",
        "approvals": 2, "expires_at": int(time.time()) + 600, "nonce": secrets.token_hex(16),
    }  # fmt: skip
    return Plan(**{**told, **changes})


def ask(host: Container, asked: Plan, keys: Path, *people: str) -> None:
    """What the daemon and the approvers leave for the helper, in the daemon's own folder."""
    folder = f"/var/lib/slo-watchdog/restore/{asked.id}"
    host.write(f"{folder}/request.json", asked.text)
    host.run("mkdir", "-p", f"{folder}/approvals")
    for person in people:
        made = signature(keys / person, asked.text)
        host.write(f"{folder}/approvals/{person}.sig", made.decode())
    host.run("chown", "-R", "slo-watchdog:slo-watchdog", "/var/lib/slo-watchdog/restore")


def as_daemon(host: Container, *argv: str) -> int:
    return host.run(*AS_DAEMON, *argv, check=False).returncode


def start(host: Container, asked: Plan) -> dict[str, Any]:
    """Started by the daemon's user, without waiting; what the helper says at its end."""
    unit = f"slo-watchdog-restore@{asked.id}.service"
    host.run(*AS_DAEMON, "systemctl", "--no-ask-password", "start", "--no-block", unit)
    return ended(host, asked)


def ended(host: Container, asked: Plan) -> dict[str, Any]:
    unit = f"slo-watchdog-restore@{asked.id}.service"
    deadline = time.monotonic() + 60
    while host.show(unit, "ActiveState") in {"activating", "active"}:
        assert time.monotonic() < deadline, host.journal(unit)
        time.sleep(0.2)
    for file in (f"{asked.id}/result.json", f"refused/{asked.id}.json"):
        found = host.run("cat", f"/var/lib/slo-watchdog-restore/{file}", check=False)
        if found.returncode == 0:
            told: dict[str, Any] = json.loads(found.stdout)
            return told
    raise AssertionError(host.journal(unit))


def tree(host: Container) -> dict[str, Mapping[str, tuple[Any, ...]]]:
    return {part: look_of(host.root / part) for part in ("srv/mycelia", "etc/mycelia")} | {
        "units": {
            name: told
            for name, told in look_of(host.root / "etc/systemd/system").items()
            if "mycelia" in name
        }
    }


def running(host: Container) -> list[str]:
    found = host.systemctl("list-units", "--plain", "--no-legend", "--state=active", "mycelia-*")
    return sorted(line.split()[0] for line in found.splitlines())


def test_two_approvals_restore_the_host_and_an_undoing_brings_back_what_was(
    host: Container, tmp_path: Path
) -> None:
    bad = tree(host)
    before = {name: host.main_pid(name) for name in RAN if name.endswith(".service")}
    asked = plan(host)
    ask(host, asked, tmp_path, "ada", "grace")

    told = start(host, asked)

    assert told["outcome"] == "done", (told, host.journal(f"slo-watchdog-restore@{asked.id}"))
    assert told["units"] == list(RAN)
    assert told["verified"][1]["output"] == "nobody\n"
    host.run("tar", "--compare", "-f", ARCHIVE, "-C", "/")
    good = tree(host)
    assert good["srv/mycelia"]["since"] == bad["srv/mycelia"]["since"]
    assert running(host) == list(RAN)
    assert all(host.main_pid(name) not in (0, pid) for name, pid in before.items())
    assert host.journal("mycelia-api.service").splitlines()[-1] == "mode = good"

    host.run("slo-watchdog", "restore", "undo", asked.id, "--yes")
    told = ended(host, asked)

    assert told["outcome"] == "undone", told
    assert tree(host) == bad
    assert running(host) == list(RAN)
    said = host.run("slo-watchdog", "restore", "status", asked.id).stdout
    assert said.startswith("undone\napproved by ada, grace\n")


def test_the_daemons_user_may_start_that_and_nothing_else(host: Container, tmp_path: Path) -> None:
    asked = plan(host)
    ask(host, asked, tmp_path, "ada")
    unit = f"slo-watchdog-restore@{asked.id}.service"
    before = (tree(host), running(host))

    for refused in (
        ("systemctl", "--no-ask-password", "stop", "mycelia-api.service"),
        ("systemctl", "--no-ask-password", "start", "mycelia-idle.service"),
        ("systemctl", "--no-ask-password", "start", "slo-watchdog-restore@x.service"),
        ("systemctl", "--no-ask-password", "start", f"slo-watchdog-restore@{asked.id}0.service"),
        ("systemctl", "--no-ask-password", "restart", unit),
        ("systemctl", "--no-ask-password", "stop", unit),
        ("systemctl", "--no-ask-password", "isolate", unit),
        ("systemctl", "--no-ask-password", "daemon-reload"),
        ("systemd-run", "--no-ask-password", f"--unit={unit}", "touch", "/root/owned"),
        ("systemctl", "--no-ask-password", "set-property", unit, "CPUWeight=1"),
    ):
        assert as_daemon(host, *refused) != 0, refused
    told = start(host, asked)

    assert told["outcome"] == "refused"
    assert told["reason"].startswith("1 of 2 approvals (ada)")
    assert (tree(host), running(host)) == before


DAEMON = """\
import asyncio, json, sys, time
from watchdog.actions.restore import RestoreActuator
from watchdog.actions.restore_anchors import RestorePlaces
from watchdog.actions.restore_request import Asking, id_for, write_request
from watchdog.core.trees import RestoreSystem
from watchdog.core.words import Instant

how = RestoreSystem("/srv/backups/system-backup-*.tar.gz", "/", ("mycelia-*",), 86400.0,
                    (("id", "-un"),))

async def main():
    actuator = RestoreActuator()
    if sys.argv[1] == "ask":
        ready = await actuator.preflight(how, at=Instant(0.0, 0.0), deadline_seconds=20.0)
        archive = dict(ready.anchor.facts)["archive"] if ready.anchor else ""
        asking = Asking("mainnet-1", "E1 D1", "margaret", 2, int(time.time()) + 600)
        name = id_for("E1", "D1")
        digest = ready.anchor.digest if ready.anchor else "0" * 64
        text = write_request(RestorePlaces().requests, name, how, digest, archive, asking)
        return {"truth": ready.reading.truth.value, "reason": ready.reading.reason, "id": name,
                "text": text, "facts": [["digest", digest], ["archive", archive]]}
    facts = tuple(map(tuple, json.loads(sys.argv[2])))
    tried = await actuator.attempt(how, key="I1", deadline_seconds=60.0, facts=facts)
    stands = await actuator.stands(how, key="I1", deadline_seconds=5.0, facts=tried.facts)
    return {"result": tried.result.value, "reason": tried.reason, "output": tried.output,
            "stands": stands.truth.value}

print(json.dumps(asyncio.run(main())))
"""


def as_the_daemon_does(host: Container, *arguments: str) -> dict[str, Any]:
    python = "/opt/slo-watchdog/current/bin/python"
    ended = host.run(
        "runuser", "-u", "slo-watchdog", "--", python, "-c", DAEMON, *arguments, seconds=90
    )
    told: dict[str, Any] = json.loads(ended.stdout)
    return told


def test_the_daemons_side_asks_waits_and_repeats_nothing(host: Container, tmp_path: Path) -> None:
    asked = as_the_daemon_does(host, "ask")
    assert asked["truth"] == "true", asked
    facts = json.dumps(asked["facts"])
    unit = f"slo-watchdog-restore@{asked['id']}.service"

    refused = as_the_daemon_does(host, "attempt", facts)
    assert refused["result"] == "refused"
    assert "0 of 2 approvals" in refused["reason"]
    assert refused["stands"] == "false"

    for person in ("ada", "grace"):
        host.write(f"/tmp/{person}.sig", signature(tmp_path / person, asked["text"]).decode())
        host.run(
            "slo-watchdog", "restore", "sign", asked["id"], "--signature", f"/tmp/{person}.sig"
        )
    shown = host.run("slo-watchdog", "restore", "show", asked["id"]).stdout
    assert "running here, to be stopped: " + ", ".join(RAN) in shown
    assert "lost      " in shown

    done = as_the_daemon_does(host, "attempt", facts)
    assert done["result"] == "claimed", done
    assert done["output"].startswith("approved by ada, grace; staged ")
    invocation = host.show(unit, "InvocationID")
    again = as_the_daemon_does(host, "attempt", facts)
    assert (again["result"], again["stands"]) == ("claimed", "true")
    assert host.show(unit, "InvocationID") == invocation
    host.run("tar", "--compare", "-f", ARCHIVE, "-C", "/")


@pytest.mark.parametrize("then", ["resume", "undo"])
@pytest.mark.sim
def test_killed_with_its_services_down_it_starts_them_again(
    host: Container, tmp_path: Path, then: str
) -> None:
    bad = tree(host)
    slow = "[Service]\nExecStop=/bin/sleep 3\n"
    host.write("/run/systemd/system/mycelia-worker.service.d/slow.conf", slow)
    host.systemctl("daemon-reload")
    asked = plan(host)
    ask(host, asked, tmp_path, "ada", "grace")
    unit = f"slo-watchdog-restore@{asked.id}.service"
    host.systemctl("start", "--no-block", unit)
    host.wait_until("mycelia-worker.service", "ActiveState", "deactivating")

    host.systemctl("kill", "--signal=KILL", "--kill-who=main", unit)
    host.wait_until(unit, "ActiveState", "failed")
    assert tree(host) == bad

    host.run("slo-watchdog", "restore", then, asked.id, "--yes")
    told = ended(host, asked)
    assert told["outcome"] == ("done" if then == "resume" else "backed out"), told
    assert told["units"] == list(RAN)
    assert running(host) == list(RAN)
    if then == "resume":
        host.run("tar", "--compare", "-f", ARCHIVE, "-C", "/")
    else:
        assert tree(host) == bad
    host.run("rm", "-r", "/run/systemd/system/mycelia-worker.service.d")
