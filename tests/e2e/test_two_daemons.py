"""Two daemons on one store: one acts, and when it cannot, the other does, and nothing twice."""

from __future__ import annotations

import asyncio
import itertools
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.household import Ended, Refused, Watchdog
from tests.e2e.laws import check_laws
from tests.e2e.pair import LEASE_SECONDS, Pair
from tests.e2e.rulebook import PEG, Rulebook
from tests.e2e.scenes import break_peg, called, mend_peg
from tests.real_parts.fault_proxy import Weather
from tests.real_parts.postgres import RealPostgres
from tests.store.postgres.newer import writes_as_a_newer_program
from watchdog.clock import SystemClock
from watchdog.core.book import CONTINUES_WITHIN_SECONDS
from watchdog.core.entries import IntentEnded, IntentOpened, Outcome, Started, StepBegan
from watchdog.sandbox.handle import Sandbox
from watchdog.sandbox.processes import OwnedProcess
from watchdog.store.postgres import Address, PostgresLease

_STORIES = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[RealPostgres]:
    with RealPostgres() as running:
        yield running


@pytest.fixture
def rules(tmp_path: Path, sandbox: Sandbox) -> Rulebook:
    return Rulebook(tmp_path / "rules", sandbox)


@pytest.fixture
async def pair(
    tmp_path: Path,
    server: RealPostgres,
    rules: Rulebook,
    sandbox: Sandbox,
) -> AsyncIterator[Pair]:
    database = f"story{next(_STORIES)}"
    server.database(database)
    made = Pair(tmp_path, server, database, rules)
    yield made
    await made.end()
    check_laws(made.each["ada"], sandbox)


async def test_one_leads_and_the_other_hands_on_what_is_ordered_of_it(
    pair: Pair, sandbox: Sandbox, rules: Rulebook
) -> None:
    await pair.on_guard()
    leader, follower = await pair.roles()
    told = await pair.leader_of(follower)
    assert (told["name"], told["here"], told["epoch"]) == (pair.name_of(leader), False, 1)
    await pair.until("they know of each other", lambda: _both_there(pair, follower))
    shown = await follower.command("status")
    assert f"leads: {pair.name_of(leader)}, and this daemon follows, in epoch 1" in shown.output

    assert f"{pair.name_of(leader)} leads, in epoch 1" in await follower.page("/")

    done = await follower.order("hold", reason="looking")

    (hold,) = (await leader.read("/v1/status"))["holds"]
    assert hold["actor"].startswith("root")
    assert "everything" in done["effect"]
    rules.rules[PEG]["for"] = "800ms"
    rules.save()
    with pytest.raises(Refused, match="leads: apply there, from its host's rules folder"):
        await follower.order("apply")
    break_peg(sandbox)
    await leader.episode(PEG, state="held")
    await pair.until("its pages tell what the leader decided", lambda: _shows(follower, "refused"))
    assert sandbox.flag_changes() == 0
    assert [one.epoch for one in leader.entries(Started)] == [1]


async def test_who_follows_takes_over_in_the_middle_of_a_breach_and_its_clock_goes_on(
    pair: Pair, sandbox: Sandbox, rules: Rulebook
) -> None:
    rules.rules[PEG]["for"] = "6s"
    await pair.on_guard()
    leader, follower = await pair.roles()
    break_peg(sandbox)
    began = time.monotonic()
    episode = await leader.episode(PEG, state="pending")

    await leader.kill()
    killed = time.monotonic()
    await pair.leads(follower)
    without = time.monotonic() - killed

    found = await follower.episode(PEG, state="contained")
    assert found.id == episode.id
    assert without < 2 * LEASE_SECONDS
    assert 6.0 <= time.monotonic() - began < 6.0 + 2 * LEASE_SECONDS + 2.0
    assert sandbox.flag_changes() == 1
    starts = follower.entries(Started)
    assert [(one.daemon, one.epoch) for one in starts] == [
        (pair.name_of(leader), 1),
        (pair.name_of(follower), 2),
    ]
    assert [one.epoch for one in follower.entries(StepBegan)] == [2]


@pytest.mark.parametrize(
    "how", [pytest.param(signal.SIGKILL, marks=pytest.mark.sim), signal.SIGSTOP]
)
@pytest.mark.sim
async def test_who_dies_or_freezes_in_mid_action_is_followed_by_who_settles_it(
    pair: Pair, sandbox: Sandbox, how: signal.Signals
) -> None:
    await pair.on_guard()
    leader, follower = await pair.roles()
    sandbox.launchctl.hangs(1.0)
    break_peg(sandbox)
    await called(sandbox.launchctl)

    leader.signal(how)
    await pair.leads(follower)

    await follower.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1
    if how is signal.SIGSTOP:
        leader.signal(signal.SIGCONT)
        told = await pair.until("the woken one follows", lambda: _follows(pair, leader, follower))
        assert told
        await leader.polls(4)
        assert [(ep.rule, ep.state) for ep in await leader.episodes()] == [(PEG, "contained")]
    assert sandbox.flag_changes() == 1
    intents = follower.entries(IntentOpened)
    ends = follower.entries(IntentEnded)
    assert [one.intent for one in intents] == [one.intent for one in ends]
    assert [one.outcome for one in ends][-1] in {Outcome.DONE, Outcome.FOUND}


@pytest.mark.sim
async def test_who_is_cut_off_from_the_store_does_nothing_and_the_other_takes_over(
    pair: Pair, sandbox: Sandbox
) -> None:
    await pair.on_guard()
    leader, follower = await pair.roles()

    pair.cut[pair.name_of(leader)].set(Weather(blackhole=True))
    await pair.leads(follower)
    told = await pair.until("it says so", lambda: _trouble(pair, leader))
    assert "postgresql" in told
    break_peg(sandbox)
    await follower.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1

    pair.cut[pair.name_of(leader)].heal()
    await pair.until("it follows", lambda: _follows(pair, leader, follower))
    found = await leader.episode(PEG, state="contained")
    assert found.claims == (("flag:btc_mainnet_redemption", False),)
    assert sandbox.flag_changes() == 1


@pytest.mark.sim
async def test_without_the_store_nothing_is_done_and_with_it_again_what_burns_is_acted_on(
    pair: Pair, sandbox: Sandbox
) -> None:
    await pair.on_guard()
    leader, _ = await pair.roles()
    for proxy in pair.cut.values():
        await proxy.down()
    for one in pair.each.values():
        await pair.until("it says so", partial(_trouble, pair, one))
    shown = await leader.command("status")
    assert "It watches, and does not act" in shown.output
    break_peg(sandbox)
    await leader.polls(2)
    seen = time.monotonic()
    await leader.polls(10)
    assert sandbox.launchctl.calls() == []

    for proxy in pair.cut.values():
        await proxy.up()
    back = time.monotonic()
    leader, _ = await pair.roles()
    await leader.episode(PEG, state="contained", within=30.0)
    (found,) = await leader.read("/v1/episodes")
    told = found["measures"]["seconds_breach_to_contained"]
    assert told > back - seen, "it counts from the breach, and not from when it could be recorded"
    assert found["seconds_breach_to_effect"] > back - seen
    assert leader.pages("The store that daemons share did not answer for")
    assert sandbox.flag_changes() == 1


@pytest.mark.sim
async def test_what_began_while_all_stood_still_began_unseen(pair: Pair, sandbox: Sandbox) -> None:
    """As when their machines were suspended: whoever leads then holds it, and calls people."""
    await pair.on_guard()
    for one in pair.each.values():
        one.signal(signal.SIGSTOP)
    break_peg(sandbox)
    await asyncio.sleep(CONTINUES_WITHIN_SECONDS + 1.0)
    for one in pair.each.values():
        one.signal(signal.SIGCONT)
    leader, _ = await pair.roles()
    held = await leader.episode(PEG, state="held", within=30.0)
    assert "already burning" in held.reason
    assert sandbox.flag_changes() == 0


@pytest.mark.sim
async def test_what_belongs_to_a_host_is_done_by_its_daemon_alone(
    pair: Pair, sandbox: Sandbox, rules: Rulebook
) -> None:
    await pair.begin()
    await pair.each["ada"].start()
    rules.pause["host"] = "bob-host"
    rules.save()
    ada, bob = pair.each["ada"], pair.each["bob"]
    await ada.order("apply", reason="bound to bob")
    await ada.clear()
    break_peg(sandbox)
    held = await ada.episode(PEG, state="held")
    assert "belongs to host bob-host, whose daemon is not there" in held.reason
    mend_peg(sandbox)
    await ada.until("it is quiet", lambda: _none_open(ada))

    await bob.start()
    await pair.roles()
    await ada.until("its daemon is there", ada._all_ready)  # our own
    await ada.clear()
    sandbox.launchctl.hangs(0.5)
    break_peg(sandbox)
    await called(sandbox.launchctl)
    (call,) = sandbox.launchctl.calls()
    assert parent_of(call["pid"]) == bob.pid

    await ada.episode(PEG, state="contained")
    assert sandbox.flag_changes() == 1


async def test_to_whom_every_rule_is_blind_yields_to_one_that_sees(
    pair: Pair, sandbox: Sandbox, rules: Rulebook
) -> None:
    rules.platform["sources"]["status"]["headers"] = {"X-Key": {"secret": "governance"}}
    await pair.on_guard()
    leader, follower = await pair.roles()

    (Path(leader.settings["secrets_dir"]) / "governance").unlink()
    break_peg(sandbox)
    await leader.verdict(PEG, "blind", "ours")

    await follower.episode(PEG, state="contained")
    assert (await pair.leads(follower))["epoch"] == 2
    assert sandbox.flag_changes() == 1


@pytest.mark.sim
async def test_an_order_to_a_leader_that_froze_or_was_cut_off_is_answered_and_never_forgotten(
    pair: Pair,
) -> None:
    await pair.on_guard()
    leader, follower = await pair.roles()
    await pair.until("they know of each other", lambda: _both_there(pair, follower))
    leader.signal(signal.SIGSTOP)
    asked = time.monotonic()
    with pytest.raises(Refused, match=r"nobody had taken it; not carried out"):
        await follower.order("hold", reason="stop it")
    assert time.monotonic() - asked < 2 * LEASE_SECONDS + 3.0
    leader.signal(signal.SIGCONT)
    await pair.until("the woken one follows", lambda: _follows(pair, leader, follower))

    pair.cut[pair.name_of(follower)].set(Weather(blackhole=True))
    with pytest.raises(
        Refused, match=r"could not be recorded|whether it was recorded is not known"
    ):
        await follower.order("hold", reason="stop it")
    await pair.leads(leader)
    pair.cut[pair.name_of(follower)].heal()
    await pair.until("it follows", lambda: _follows(pair, follower, leader))
    for one in (leader, follower):
        assert (await one.read("/v1/status"))["holds"] == []


@pytest.mark.sim
async def test_a_second_daemon_of_one_name_does_not_start_and_a_restarted_one_takes_no_orders(
    pair: Pair,
) -> None:
    """Ada is killed, and starts anew while her own lease still runs, however long she takes."""
    for one in pair.each.values():
        one.settings["lease"] = 600.0
    await pair.begin()
    ada, bob = pair.each["ada"], pair.each["bob"]
    await ada.start()
    bob.settings["name"] = "ada"
    said = " ".join((await bob.fails_to_start()).output.split())
    assert "a daemon named ada runs on ada-host already" in said
    assert "Give this one another `name`" in said
    bob.settings["name"] = "bob"
    await bob.start()
    await ada.kill()
    await ada.start()
    asking = asyncio.create_task(ada.order("hold", reason="stop it"))
    await pair.until("it is handed on", pair.handed_on)
    pair.end_the_lease()
    with pytest.raises(Refused, match=r"not carried out"):
        await asking
    leader, _ = await pair.roles()
    assert (await leader.read("/v1/status"))["holds"] == []


@pytest.mark.sim
async def test_what_only_a_newer_program_understands_ends_the_older_one_and_nothing_else(
    tmp_path: Path, server: RealPostgres, rules: Rulebook, sandbox: Sandbox
) -> None:
    """Bob has led; by now ada does, whose program is newer: of it there is what it writes."""
    database = f"story{next(_STORIES)}"
    server.database(database)
    pair, url = Pair(tmp_path, server, database, rules), server.url(database)
    bob = pair.each["bob"]
    try:
        await pair.begin()
        await bob.on_guard()
        assert await bob.stop() == 0
        with closing(PostgresLease(Address(url, "ada"), SystemClock())) as lease:
            epoch = lease.ask("ada", 60.0).epoch
            bob.launch()
            await pair.until("bob follows", lambda: _says(bob, "daemon.ready"))
            running = bob._running()  # our own
            number = writes_as_a_newer_program(url, epoch)

            await pair.until("bob has ended", lambda: _ended(running))
            for end in (Ended(running.status or 0, bob._log()), await bob.fails_to_start()):
                assert end.status == 1
                said = " ".join(end.output.split())
                assert f"entry {number} (orbit.changed) is not one that this program knows" in said
                assert "Install the slo-watchdog that wrote it, or a newer one" in said
            assert (lease.look().holder, lease.look().epoch) == ("ada", epoch)
        newest = server.run("SELECT max(seq) FROM slo_watchdog.entries", database=database)
        assert newest == [(number,)]
        assert sandbox.flag_changes() == 0
    finally:
        await pair.end()


async def _says(one: Watchdog, event: str) -> bool:
    return f'"{event}"' in one._log()


async def _ended(process: OwnedProcess) -> bool:
    return not process.is_running


async def _follows(pair: Pair, one: Watchdog, leader: Watchdog) -> bool:
    told = await pair.leader_of(one)
    return not told["here"] and told["name"] == pair.name_of(leader) and not told["trouble"]


async def _both_there(pair: Pair, daemon: Watchdog) -> bool:
    there = (await pair.leader_of(daemon))["daemons"]
    return {one["name"] for one in there} == {"ada", "bob"}


async def _trouble(pair: Pair, one: Watchdog) -> str:
    return str((await pair.leader_of(one))["trouble"])


async def _none_open(one: Watchdog) -> bool:
    return all(ep.state == "ok" for ep in await one.episodes())


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def _shows(one: Watchdog, text: str) -> bool:
    return text in await one.page("/decisions?q=hold")
