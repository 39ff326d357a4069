"""From a breach to a restored system: people are asked, sign, and only then the helper starts."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import House, living, pause, policy
from tests.house.tree import REPOSITORY
from tests.restore.site import HOST, Site, build, corrupt, signature
from watchdog.actions.actuator import _AnyActuator
from watchdog.actions.restore import RestoreActuator
from watchdog.actions.restore_anchors import RestorePlaces
from watchdog.core.approvals import ApprovalGiven, Means
from watchdog.core.entries import IntentEnded, IntentOpened, Outcome, Paged
from watchdog.core.spec import Endpoint, Playbook, Policy, Rung, Step
from watchdog.core.states import State
from watchdog.core.trees import RestoreSystem
from watchdog.core.words import Mode
from watchdog.daemon.handing_on import HandingOn
from watchdog.daemon.restores import RestoreRequests
from watchdog.restore.plan import Plan, read_plan
from watchdog.sandbox.handle import Sandbox

DRIVER = "tests.restore.driver"
UNIT = "slo-watchdog-restore@.service"


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with Sandbox.start(tmp_path / "mycelia") as made:
        yield made


@pytest.fixture
def site(tmp_path: Path) -> Site:
    if os.geteuid() != 0:
        pytest.skip("needs root: the helper gives files to their owners")
    made = build(tmp_path / "host")
    (made.folder / UNIT).write_text("")
    site_archive = made.back_up()
    made.record(site_archive)
    corrupt(made.root)
    return made


def places_of(site: Site) -> RestorePlaces:
    places = site.places
    return RestorePlaces(places.etc, places.requests, places.state, (site.folder,))


def restoring(site: Site, sandbox: Sandbox) -> Policy:
    """The ladder's last rung alone."""
    archive = f"{site.backups}/system-backup-*.tar.gz"
    how = RestoreSystem(archive, str(site.root), (), 86400.0)
    health = Endpoint(f"{sandbox.url}/health")
    step = Step(how, "status == 'ok'")
    action = pause(
        sandbox,
        target=f"system:{site.root}",
        read_back=health,
        do=step,
        undo=None,
        contained_when=(),
        deadline_seconds=30.0,
        anchor_margin_seconds=0.0,
    )
    rung = Rung("pause", Mode.APPROVE, 5.0, 2)
    playbooks = {"ladder": Playbook("ladder", (rung,))}
    return replace(policy(sandbox, action=action), playbooks=playbooks)


@asynccontextmanager
async def asked(
    folder: Path, site: Site, sandbox: Sandbox
) -> AsyncIterator[tuple[House, RestoreRequests, Plan]]:
    """A breach whose restore people are asked about, and the request that was left for them."""
    places = places_of(site)

    def start(name: str) -> tuple[str, ...]:
        here = f"PYTHONPATH={REPOSITORY}"
        return ("env", here, sys.executable, "-m", DRIVER, str(site.folder), name)

    def bring(house: House) -> None:
        actuator = house.engine.ports.actuator
        assert isinstance(actuator, _AnyActuator)
        actuator._restorers = {RestoreSystem: RestoreActuator(places, start=start)}

    async with living(folder, sandbox, restoring(site, sandbox), before=bring) as house:
        await house.clear()
        house.break_peg()
        await house.reaches(State.AWAITING)
        requests = RestoreRequests(
            house.engine, HandingOn(house.engine, house.orders), HOST, places
        )
        await requests.tend()
        (file,) = places.requests.glob("*/request.json")
        yield house, requests, read_plan(file.read_bytes())


def sign(site: Site, plan: Plan, person: str) -> None:
    folder = site.places.requests / plan.id / "approvals"
    (folder / f"{person}.sig").write_bytes(signature(site.keys[person], plan.text))


async def test_two_signatures_restore_what_was_asked_for(
    tmp_path: Path, site: Site, sandbox: Sandbox
) -> None:
    bad = site.look()
    async with asked(tmp_path, site, sandbox) as (house, requests, plan):
        assert (plan.requester, plan.approvals, plan.host) == ("slo-watchdog", 2, HOST)
        assert plan.decision == "E1 D1"
        told = f"slo-watchdog restore sign {plan.id} --key FILE"
        assert any(told in page.body for page in house.entries(Paged)), "people know what to sign"
        sign(site, plan, "ada")
        sign(site, plan, "mallory")
        await requests.tend()
        await requests.tend()
        assert site.look() == bad
        assert [one.who for one in house.entries(ApprovalGiven)] == ["ada"]
        sign(site, plan, "grace")
        await requests.tend()
        while not house.entries(IntentOpened):  # held by a gate, as on a busy machine: once more
            await asyncio.sleep(0.3)
            sign(site, plan, "grace")
            await requests.tend()
        await house.until(lambda: house.entries(IntentEnded), "it has ended")
        given = house.entries(ApprovalGiven)
        assert {(one.who, one.means) for one in given} == {("ada", Means.SSH), ("grace", Means.SSH)}
        (ended,) = house.entries(IntentEnded)
        assert ended.outcome is Outcome.DONE, ended
        assert (site.root / "etc/app.conf").read_text() == "mode = good\n"
        house.mend_peg()


async def test_a_restart_asks_nothing_new_and_says_no_yes_again(
    tmp_path: Path, site: Site, sandbox: Sandbox
) -> None:
    async with asked(tmp_path, site, sandbox) as (house, requests, plan):
        sign(site, plan, "ada")
        house.engine.leading.deposed()
        await requests.tend()
        assert house.entries(ApprovalGiven) == []
        await house.until(house.engine.leading.leads, "it leads again")
        await requests.tend()  # what nobody answered is handed on again
        assert len(house.entries(ApprovalGiven)) == 1
        again = RestoreRequests(
            house.engine, HandingOn(house.engine, house.orders), HOST, places_of(site)
        )
        await again.tend()
        assert len(list(site.places.requests.glob("*/request.json"))) == 1
        assert len(house.entries(ApprovalGiven)) == 1
        assert read_plan((site.places.requests / plan.id / "request.json").read_bytes()) == plan
        house.mend_peg()
