"""What people are told of families and members that are, that were, and that never were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.house import ALICE, build, peg, policy, source, wired
from watchdog.core import entries as e
from watchdog.core.samples import Answer, Point, Reading
from watchdog.core.spec import Endpoint, PrometheusApi, RuleSpec, Scope
from watchdog.core.states import Event
from watchdog.core.words import Severity, World
from watchdog.engine import OrderRefused, Orders, Views
from watchdog.sandbox.handle import Sandbox

ORDERS, USERS = 'peg{db="orders"}', 'peg{db="users"}'


def family() -> RuleSpec:
    return peg(each=("db",), limit=5, source="prom")


async def test_a_member_is_shown_while_it_is_one_and_told_of_when_it_was_one(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    prom = replace(source(sandbox, "prom"), how=PrometheusApi(Endpoint("http://127.0.0.1:9"), 1.0))
    plan = policy(sandbox, family(), sources=(replace(prom, name="prom"),))
    async with wired(tmp_path, sandbox) as wire:
        house = build(tmp_path, sandbox, wire)
        engine, views = house.engine, Views(house.engine)
        engine.adopt(plan, e.PolicyApplied("sha of all", (), "test"))
        assert views.no_rule(ORDERS) == f"peg has no member {ORDERS}; there are: none were seen yet"
        draft = engine.recorder.draft()
        draft.add(e.MemberTaken("peg", ORDERS))
        draft.add(e.MemberTaken("peg", USERS))
        draft.add(e.MemberRetired("peg", USERS, "gone for 10m"))
        engine.recorder.commit(draft)

        told = views.why("peg")
        assert told is not None
        (member,) = told["rule"]["members"]
        assert (member["name"], member["labels"], member["status"]) == (
            ORDERS,
            {"db": "orders"},
            "blind",
        )
        shown = views.why(ORDERS)
        assert shown is not None
        assert (shown["rule"]["family"], shown["rule"]["labels"]) == ("peg", {"db": "orders"})

        assert views.why(USERS) is None
        assert views.no_rule(USERS).startswith(f"{USERS} is not watched any more: gone for 10m, at")
        assert views.no_rule('peg{db="order"}').endswith(f"the nearest is: {ORDERS}")
        assert "there is no rule gep" in views.no_rule("gep")
        for name in (USERS, 'peg{db="nobody"}', "nobody"):
            with pytest.raises(OrderRefused):
                _hold(house.orders, name, dry=True)
        _hold(house.orders, ORDERS, dry=False)
        _hold(house.orders, "peg", dry=False)
        assert [hold.scope.name for hold in engine.book.holds.values()] == [ORDERS, "peg"]
        engine.recorder.close()
        engine.ports.history.close()


async def test_what_vanished_in_mid_breach_is_closed_by_a_person_and_not_while_it_is_there(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    prom = replace(source(sandbox, "prom"), how=PrometheusApi(Endpoint("http://127.0.0.1:9"), 1.0))
    plan = policy(sandbox, family(), sources=(replace(prom, name="prom"),))
    async with wired(tmp_path, sandbox) as wire:
        house = build(tmp_path, sandbox, wire)
        engine = house.engine
        engine.adopt(plan, e.PolicyApplied("sha of all", (), "test"))
        peg_family = engine.memory.families["peg"]

        def answered(*databases: str) -> None:
            now = engine.ports.clock.now()
            points = tuple(Point((("db", name),), 0.5, at=now.wall) for name in databases)
            answer = {"status": Answer(points, newest=now.wall)}
            draft = engine.recorder.draft()
            peg_family.read(Reading("prom", now, 0.0, answers=answer), answer, draft)
            engine.recorder.commit(draft)

        answered("orders", "users")
        draft = engine.recorder.draft()
        draft.add(e.EpisodeOpened("E1", ORDERS, "team", Severity.P0, World.LIVE, None))
        draft.move(draft.book.episodes["E1"], Event.BREACHED, "0.5 < 1")
        engine.recorder.commit(draft)
        with pytest.raises(OrderRefused, match="only latched episodes are closed"):
            house.orders.episodes.close(ALICE, "E1", "away with it", dry=False)
        answered("users")
        house.orders.episodes.close(ALICE, "E1", "that database is no more", dry=False)
        assert engine.book.open_episode(ORDERS) is None
        engine.recorder.close()
        engine.ports.history.close()


def _hold(orders: Orders, name: str, *, dry: bool) -> None:
    orders.stops.hold(
        ALICE, Scope("rule", name), "a test", for_seconds=None, silence=False, dry=dry
    )
