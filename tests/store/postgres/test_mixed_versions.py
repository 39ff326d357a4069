"""Daemons of different versions on one store: what one could not take over is not started."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from tests.engine.house import living
from tests.store.postgres.conftest import Home
from watchdog.core import entries as e
from watchdog.core.capabilities import CAPABILITIES
from watchdog.core.states import State
from watchdog.core.words import Truth
from watchdog.engine.leader_view import leader_view
from watchdog.ports import Presence
from watchdog.sandbox.handle import Sandbox
from watchdog.store.postgres import Address, PostgresPeers

CALLS = {word for word in CAPABILITIES if word.startswith("way:http-call")}
OLDER = Presence("bob", "b-host", "0.0.9", sees=True, knows=CAPABILITIES - CALLS)


async def test_what_an_older_daemon_could_not_finish_waits_until_it_is_gone(
    tmp_path: Path, shared: Home
) -> None:
    """Ada leads and judges for real; of bob there is what he says of himself."""
    with (
        closing(PostgresPeers(Address(shared.url, "here"))) as ours,
        closing(PostgresPeers(Address(shared.url, "bob"))) as bob,
    ):
        async with (
            Sandbox.start(tmp_path / "mycelia") as sandbox,
            living(tmp_path, sandbox, peers=ours) as house,
        ):
            await house.clear()
            readiness = house.engine.book.readiness
            await house.until(lambda: readiness["pause"][0] is Truth.TRUE, "ready alone")

            bob.meet(OLDER)
            await house.until(lambda: readiness["pause"][0] is Truth.FALSE, "not ready beside bob")
            assert readiness["pause"][1] == (
                "bob (0.0.9) could not finish it after a takeover: it does not know `http-call`. "
                "Install the same version there, or stop it"
            )
            assert any("pause is not ready: bob" in page.title for page in house.entries(e.Paged))
            shown = leader_view(house.engine)
            assert shown is not None
            lacks = {one["name"]: one["lacks"] for one in shown["daemons"]}
            assert lacks == {"bob": "`http-call`", "here": ""}

            house.break_peg()
            episode = await house.reaches(State.HELD)
            assert "ready: not ready: bob (0.0.9) could not finish it" in episode.reason
            assert sandbox.flag_changes() == 0

            bob.leave()
            await house.reaches(State.CONTAINED)
            assert sandbox.flag_changes() == 1
