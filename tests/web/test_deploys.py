"""Pipelines at the door: who may tell, what begins once, what is refused; and docs/deploys.md."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.senders import signed
from tests.engine.test_full_journal import Filling
from tests.web.policies import ERROR_RATE, policy
from tests.web.test_events_page import run
from tests.web.watching import Watch, watching
from watchdog.core import entries as e
from watchdog.core.channels import Channel
from watchdog.core.spec import ActionSpec, Command, Endpoint, Playbook, Rung, SourceSpec, Step
from watchdog.core.states import Event
from watchdog.core.words import Direction, Mode, World
from watchdog.policy import load_files
from watchdog.ports import Journal
from watchdog.store import SqliteJournal

KEY = "a-key-that-only-the-pipeline-knows"
OTHER_KEY = "a-key-that-only-the-others-know"
DEPLOYS = "/api/v1/deploys"
TARGET = "config:/srv/mycelia/release/mainnet"
FLAG = "flag:redemption"
EVENTS = SourceSpec("event:security", 5.0, 1.0, 65536, 1, Channel("hmac", "security-webhook"))
CI = SourceSpec("event:ci", 5.0, 1.0, 4096, 1, Channel("deploys", "ci-pipeline", (FLAG, TARGET)))
OPS = SourceSpec("event:ops", 5.0, 1.0, 4096, 1, Channel("deploys", "ops"))


def action(name: str, target: str) -> ActionSpec:
    step = Step(Command(("true",)), "a == `1`")
    where = Endpoint("http://localhost:1/")
    return ActionSpec(name, target, where, step, None, (), (), 5.0, 5.0, "any", "")


@asynccontextmanager
async def doors(
    folder: Path, journal: Callable[[SqliteJournal], Journal] = lambda real: real
) -> AsyncIterator[Watch]:
    for name, text in {"ci-pipeline": KEY, "ops": OTHER_KEY, "security-webhook": OTHER_KEY}.items():
        (folder / name).write_text(f"{text}\n", encoding="utf-8")
    rule = replace(ERROR_RATE, source=EVENTS.name, playbook="config", up_to=None)
    found = policy({one.name: one for one in (EVENTS, CI, OPS)}, (rule,))
    actions = {"restore": action("restore", TARGET), "pause": action("pause", FLAG)}
    rungs = tuple(Rung(name, Mode.ARMED, 5.0) for name in actions)
    found = replace(found, actions=actions, playbooks={"config": Playbook("config", rungs)})
    async with watching(folder, found, runs=False, journal=journal) as watch:
        yield watch


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    async with doors(tmp_path) as found:
        yield found


def beginning(**different: Any) -> dict[str, Any]:
    said = {"id": "ci-1", "do": "begin", "target": TARGET, "for": "20m", "change": "git 2f1c9d4"}
    return {k: v for k, v in (said | different).items() if v is not None}


def ending(**different: Any) -> dict[str, Any]:
    return {"id": "ci-1", "do": "end"} | different


async def tell(
    watch: Watch, said: dict[str, Any], *, key: str = KEY, channel: str = "ci"
) -> httpx.Response:
    body = json.dumps(said).encode()
    return await watch.web.post(DEPLOYS, content=body, headers=signed(body, key, None, channel))


def recorded(watch: Watch) -> list[e.Entry]:
    wanted = (e.DeployBegan, e.DeployEnded)
    read = watch.engine.ports.journal.read()
    return [one.entry for one in read if isinstance(one.entry, wanted)]


def counted(watch: Watch, result: str) -> float:
    labels = {"channel": "ci", "result": result}
    return watch.meters.registry.get_sample_value("slo_watchdog_events_total", labels) or 0.0


async def test_a_deploy_begins_and_ends_once_however_often_it_is_told(watch: Watch) -> None:
    first = await tell(watch, beginning())
    assert first.status_code == 200
    told = first.json()
    assert (told["deploy"], told["target"], told["known"]) == ("P1", TARGET, False)
    (began,) = recorded(watch)
    assert isinstance(began, e.DeployBegan)
    assert (began.actor, began.id, began.change) == ("pipeline ci", "ci-1", "git 2f1c9d4")

    assert (await tell(watch, beginning())).json() == told | {"known": True}
    over = await tell(watch, ending(outcome="failed"))
    assert (over.status_code, over.json()["outcome"], over.json()["known"]) == (
        200,
        "failed",
        False,
    )
    assert (await tell(watch, ending())).json() == over.json() | {"known": True}

    late = await tell(watch, beginning())  # a retry that lay about, or somebody who overheard it
    assert late.status_code == 409
    assert "ci-1 is over: failed" in late.json()["refused"]
    assert len(recorded(watch)) == 2
    results = {name: counted(watch, name) for name in ("new", "resolved", "repeated", "refused")}
    assert results == {"new": 1, "resolved": 1, "repeated": 2, "refused": 1}


async def test_a_channel_ends_only_what_it_began_and_deploys_only_what_it_may(watch: Watch) -> None:
    assert (await tell(watch, beginning())).status_code == 200
    others = await tell(watch, ending(), key=OTHER_KEY, channel="ops")
    assert others.json()["refused"] == "no deploy ci-1 was begun by pipeline ops"
    for said in (beginning(id="ci-2", target="all"), beginning(id="ci-2", target="flag:other")):
        refused = await tell(watch, said)
        assert refused.status_code == 409
        assert refused.json()["refused"] == f"ci may deploy {FLAG}, {TARGET} alone"
    again = await tell(watch, beginning(id="ci-2"))
    assert f"a deploy of {TARGET} is under way: P1" in again.json()["refused"]
    elsewhere = await tell(watch, beginning(target=FLAG))
    assert elsewhere.json()["refused"] == f"ci-1 is a deploy of {TARGET}: give another id"
    everything = await tell(watch, beginning(target="all"), key=OTHER_KEY, channel="ops")
    assert everything.json()["deploy"] == "P2"
    unknown = await tell(
        watch, beginning(id="x", target="flag:other"), key=OTHER_KEY, channel="ops"
    )
    assert "no action changes flag:other" in unknown.json()["refused"]


async def test_nobody_else_gets_in(watch: Watch) -> None:
    body = json.dumps(beginning()).encode()
    forged = [
        signed(body, OTHER_KEY, None, "ci"),
        signed(body, KEY, None, "nobody"),
        signed(body, OTHER_KEY, None, "security"),  # one that tells of events
        signed(b"{}", KEY, None, "ci"),
        {"X": "y"},
    ]
    for headers in forged:
        answer = await watch.web.post(DEPLOYS, content=body, headers=headers)
        assert (answer.status_code, answer.json()) == (401, {"refused": "not authenticated"})
    old = await watch.web.post(DEPLOYS, content=body, headers=signed(body, KEY, 1.0, "ci"))
    assert old.status_code == 401
    events = await watch.web.post(
        "/api/v1/events", content=body, headers=signed(body, KEY, None, "ci")
    )
    assert events.status_code == 401, "a pipeline tells of deploys alone"
    assert recorded(watch) == []


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "id: "),
    (beginning(do="stop"), "do: "),
    (beginning(id="a b"), "id: "),
    (beginning(target=None), "target: is needed to begin"),
    (beginning(**{"for": None}), "for: is needed to begin"),
    (beginning(**{"for": "25h"}), "for: "),
    (beginning(**{"for": 20}), "for: "),
    (beginning(target="config:/a\nb"), "target: "),
    (beginning(change="x" * 501), "change: "),
    (beginning(outcome="ok"), "outcome: is said when a deploy ends"),
    (beginning(owner="me"), "owner: "),
    (ending(outcome="expired"), "outcome: "),
    (ending(target=TARGET), "target: is said when a deploy begins"),
]


async def test_what_makes_no_sense_is_named(watch: Watch) -> None:
    for said, why in WRONG:
        answer = await tell(watch, said)
        assert answer.status_code == 422, said
        assert answer.json()["wrong"].startswith(why), answer.text
    assert recorded(watch) == []


async def test_what_cannot_be_recorded_has_not_begun(tmp_path: Path) -> None:
    async with doors(tmp_path, Filling) as watch:
        journal = watch.engine.ports.journal
        assert isinstance(journal, Filling)
        journal.full = True
        assert (await tell(watch, beginning())).status_code == 503
        assert watch.engine.book.deploys.open == {}
        journal.full = False
        assert (await tell(watch, beginning())).json()["known"] is False
        journal.full = True
        assert (await tell(watch, ending())).status_code == 503
        assert TARGET in watch.engine.book.deploys.open
        journal.full = False


async def test_no_pipeline_fills_the_record(watch: Watch) -> None:
    answers = [await tell(watch, beginning(id=f"ci-{n}")) for n in range(32)]
    assert [one.status_code for one in answers[-2:]] == [429, 429]
    assert answers[-1].headers["retry-after"]


def roll_back(watch: Watch) -> None:
    """An episode that put the configuration back, and holds it."""
    draft = watch.engine.recorder.draft()
    draft.add(
        e.EpisodeOpened(
            "E1", "manual", "", ERROR_RATE.severity, World.LIVE, None, actor="alice", why="bad"
        )
    )
    draft.move(draft.book.episodes["E1"], Event.COMMANDED, "bad", actor="alice")
    until = draft.now.plus(5.0)
    draft.add(e.IntentOpened("I1", "E1", "restore", TARGET, Direction.DO, until, actor="alice"))
    done = e.Outcome.DONE
    draft.add(e.IntentEnded("I1", "E1", "restore", TARGET, Direction.DO, done, "", "", 1.0))
    watch.engine.recorder.commit(draft)


async def test_what_was_rolled_back_is_frozen_and_everything_shows_it(watch: Watch) -> None:
    assert (await tell(watch, beginning(target=FLAG))).status_code == 200
    roll_back(watch)
    refused = await tell(watch, beginning(id="ci-2"))
    assert refused.status_code == 409
    assert f"{TARGET} is frozen: E1 rolled it back" in refused.json()["refused"]

    shown = (await watch.get(DEPLOYS)).json()
    may = {one["target"]: one["may_begin"] for one in shown["targets"]}
    assert may == {TARGET: False, FLAG: False, "all": False}
    assert [one["episode"] for one in shown["frozen"]] == ["E1"]
    assert [one["id"] for one in shown["deploys"]] == ["ci-1"]
    status = (await watch.get("/api/v1/status")).json()
    assert status["deploys"] == shown["deploys"]
    assert status["frozen"] == shown["frozen"]
    page = (await watch.get("/")).text
    assert f"{TARGET} may not be deployed" in page
    assert f"P1 deploys {FLAG}" in page
    assert f"slo-watchdog deploy unfreeze {TARGET}" in page
    metrics = (await watch.get("/metrics")).text
    assert f'slo_watchdog_deploys_in_progress{{target="{FLAG}"}} 1.0' in metrics
    assert f'slo_watchdog_deploys_frozen{{target="{TARGET}"}} 1.0' in metrics
    assert 'slo_watchdog_deploys_frozen{target="all"} 1.0' in metrics
    assert f'slo_watchdog_deploys_frozen{{target="{FLAG}"}} 0.0' in metrics


# -- the page --------------------------------------------------------------------------------------

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "deploys.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TEXTS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("copies", "outcome"), [("true", "ok"), ("false", "failed")])
async def test_the_pipeline_of_the_page_works_as_it_stands(
    tmp_path: Path, copies: str, outcome: str
) -> None:
    _, script = SHELL
    async with doors(tmp_path) as watch:
        here = {
            "/etc/slo-watchdog/secrets": str(tmp_path),
            "http://localhost:9847": watch.url,
            "rsync --archive build/ /srv/mycelia/release/mainnet/": copies,
        }
        for text, instead in here.items():
            assert text in script
            script = script.replace(text, instead)
        done = await run(script)
        assert done.returncode == 0, done.stderr
        began, ended = recorded(watch)
        assert isinstance(began, e.DeployBegan)
        assert isinstance(ended, e.DeployEnded)
        assert (began.id, began.target, began.change) == ("ci-1234", TARGET, "git 2f1c9d4")
        assert ended.outcome.value == outcome

        roll_back(watch)
        again = await run(script.replace("ci-1234", "ci-1235") + "\nexit 99")
        assert again.returncode == 1, "the pipeline stops before it copies anything"
        assert "E1 rolled it back" in again.stdout
        assert len(recorded(watch)) == 2


def test_the_channel_and_the_rung_of_the_page_load() -> None:
    channel, rung = TEXTS
    base = Path(__file__).resolve().parents[2] / "rules"
    files = {str(f.relative_to(base)): f.read_text() for f in base.rglob("*.yaml")}
    own = 'ci: {deploys: ci-pipeline, targets: ["config:/srv/mycelia/release/mainnet"]}'
    assert own in channel
    assert "attribute: {within: 1h}" in rung
    text = files["platform.yaml"].replace("events:\n", f"events:\n  {own}\n", 1)
    assert own in text
    first = re.search(r"- \{action: [\w-]+, mode: \w+, within: \w+", text)
    assert first is not None
    text = text.replace(first[0], f"{first[0]}, attribute: {{within: 1h}}", 1)
    loaded = load_files(files | {"platform.yaml": text}, "sandbox")
    assert loaded.errors == ()
    assert loaded.policy is not None
    assert loaded.policy.sources["event:ci"].how == Channel("deploys", "ci-pipeline", (TARGET,))
    rungs = [one for book in loaded.policy.playbooks.values() for one in book.rungs]
    assert {one.attribute_within_seconds for one in rungs} == {None, 3600.0}
