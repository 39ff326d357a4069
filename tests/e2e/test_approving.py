"""People of this machine are asked and answer over the control socket, each as who they are.

They are real users: the kernel tells the daemon who asks. That needs root, to become them.
"""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import PAUSE, PEG
from watchdog.core.approvals import ApprovalGiven
from watchdog.core.entries import IntentOpened
from watchdog.sandbox.handle import Sandbox

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="becomes other users of this machine, which needs root"
)

RIGHTS = """\
[[grant]]
rights = ["approve", "undo"]
owners = ["redemption-team"]
users = ["daemon", "bin", "root"]
"""
ORDER = """
import http.client, json, socket, sys
class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
asked = Unix("slo-watchdog", timeout=20)
asked.request("POST", sys.argv[2], sys.argv[3])
print(asked.getresponse().read().decode())
"""


@pytest.fixture
async def asking(watchdog: Watchdog) -> AsyncIterator[Watchdog]:
    """A pause asks two people; the socket lies where every user may reach it."""
    rung = watchdog.rules.platform["playbooks"]["redemption"][0]
    rung |= {"mode": "approve", "approvals": 2}
    folder = _folder()
    watchdog.settings |= {"rights": str(folder / "rights.toml")}
    yield watchdog
    shutil.rmtree(folder)


def _folder() -> Path:
    """Where every user may look, with the rights in it."""
    folder = Path(tempfile.mkdtemp(prefix="slo-watchdog-"))
    folder.chmod(0o755)
    rights = folder / "rights.toml"
    rights.write_text(RIGHTS, encoding="utf-8")
    rights.chmod(0o644)
    return folder


def _reachable(watchdog: Watchdog) -> Path:
    """The daemon's socket, by a name that every user may come by."""
    socket = Path(watchdog.settings["rights"]).with_name("control.sock")
    socket.unlink(missing_ok=True)
    os.link(watchdog.settings["control_socket"], socket)
    socket.chmod(0o666)
    return socket


async def ordered(watchdog: Watchdog, user: str, order: str, **body: Any) -> dict[str, Any]:
    """What the daemon answers this user of the machine."""
    socket = _reachable(watchdog)
    who = pwd.getpwnam(user)
    process = await asyncio.create_subprocess_exec(
        "/usr/bin/python3", "-c", ORDER, str(socket), f"/v1/{order}", json.dumps(body),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        user=who.pw_uid, group=who.pw_gid, extra_groups=[], cwd="/",
    )  # fmt: skip
    async with asyncio.timeout(30):
        output, _ = await process.communicate()
    answer: dict[str, Any] = json.loads(output)
    return answer


async def test_two_users_of_the_machine_approve_and_it_is_paused_and_proven(
    asking: Watchdog, sandbox: Sandbox
) -> None:
    await asking.on_guard()
    sandbox.set_status("peg.collateralization", 0.9)
    asked = await asking.episode(PEG, state="awaiting")
    (page,) = asking.pages("asks for approval")
    assert f"slo-watchdog approve {asked.id}" in page.body
    approve = {"episode": asked.id, "reason": "the peg is broken"}

    async def says(user: str, order: str = "approve") -> dict[str, Any]:
        return await ordered(asking, user, order, **approve)

    refused = await says("sys")
    assert "sys (uid 3) lacks the right `approve` for redemption-team" in refused["refused"]
    assert "user bin, user daemon, user root" in refused["refused"]
    assert "1 more person must" in (await says("daemon"))["effect"]
    assert "daemon has approved it already" in (await says("daemon"))["refused"]
    held = await ordered(asking, "sys", "hold", reason="wait", for_seconds=60.0)
    assert held["data"]["recorded"] is True, "whoever reaches the socket may hold"

    await asking.restart()
    await asking.verdict(PEG, "breached")
    await asking.polls(6)  # `for` counts anew: nobody looked for longer than it is
    assert "approved, and held: hold" in (await says("bin"))["effect"]
    assert sandbox.flag_changes() == 0
    assert (
        "lacks the right `hold`" in (await ordered(asking, "bin", "release", hold="H1"))["refused"]
    )
    await ordered(asking, "sys", "release", hold="H1")
    await asking.polls(3)
    assert sandbox.flag_changes() == 0, "the end of a hold starts nothing"
    assert (await says("bin"))["data"]["started"] is True
    contained = await asking.episode(PEG, state="contained")
    assert contained.id == asked.id
    assert sandbox.flag_changes() == 1
    (intent,) = asking.entries(IntentOpened)
    assert (intent.actor, intent.action) == ("approved by daemon, bin", PAUSE)
    given = [one.actor for one in asking.entries(ApprovalGiven)]
    assert given == ["daemon (uid 1)", "bin (uid 2)", "bin (uid 2)"]


async def test_the_command_line_shows_the_plan_and_takes_the_answer(
    asking: Watchdog, sandbox: Sandbox
) -> None:
    await asking.on_guard()
    sandbox.set_status("peg.collateralization", 0.9)
    asked = await asking.episode(PEG, state="awaiting")
    plan = await asking.command("plan", asked.id)
    assert plan.status == 0, plan.output
    for told in ("Nothing is run by asking", "What would run", "2 of 2 missing, until", "user bin"):
        assert told in plan.output
    as_json = await asking.command("plan", PAUSE, "--json")
    assert json.loads(as_json.output)["action"]["name"] == PAUSE
    unsure = await asking.command("approve", asked.id, "--reason", "x")
    assert unsure.status == 5
    assert f"No: slo-watchdog deny {asked.id}" in unsure.output
    status = await asking.command("status")
    assert "waits for 2 people to approve" in status.output
    page = await asking.page("/")
    assert "2 of 2 to approve" in page
    assert f"slo-watchdog deny {asked.id}" in page
    denied = await asking.command("deny", asked.id, "--reason", "not now", "--yes")
    assert (denied.status, "is latched" in denied.output) == (0, True), denied.output
    await asking.episode(PEG, state="latched")
    late = await asking.command("approve", asked.id, "--reason", "x", "--yes")
    assert late.status == 4
    assert "nothing waits there for an approval" in late.output
    assert sandbox.flag_changes() == 0
