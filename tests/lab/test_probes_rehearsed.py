"""The language's own examples, looked at for real and judged by the core: who acts, and when."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.policy.test_probe_rules import EXAMPLE, KEY
from tests.policy.texts import PLATFORM, VARS, folder, load
from tests.wire.raw_server import RawServer, answering
from watchdog.core import entries as e
from watchdog.core.replay import replayed
from watchdog.core.spec import Policy
from watchdog.core.states import State
from watchdog.core.words import Instant, Status, Verdict
from watchdog.lab.rehearsal import Rehearsal
from watchdog.sandbox import attestation, ed25519
from watchdog.sources import open_source
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

SECRET = bytes(range(32))
PAGE = "# TYPE up_time gauge\nup_time 1\n"
NOON = Instant(time.time(), 1000.0)


@pytest.fixture
async def wire(tmp_path: Path) -> AsyncIterator[Wire]:
    wire = Wire(FileSecrets([tmp_path]))
    yield wire
    await wire.aclose()


def policy(text: str, app: str = "http://127.0.0.1:1", key: str = KEY) -> Policy:
    variables = VARS.replace("http://localhost:3000", app) + f'por_signer: "{key}"\n'
    outcome = load(folder(PLATFORM, variables, team_a=text))
    assert outcome.complete, [problem.text for problem in outcome.errors]
    assert outcome.policy is not None
    return outcome.policy


class Night:
    """Sources polled for real, at times that the test makes up."""

    def __init__(self, policy: Policy, wire: Wire, *sources: str) -> None:
        self.rehearsal = Rehearsal(policy, NOON)
        self._sources = [(policy.sources[n], open_source(policy.sources[n], wire)) for n in sources]
        self._wanted = {n: self.rehearsal.memory.sources[n].wanted for n in sources}
        self._second = 0

    async def go_on(self, seconds: int) -> None:
        for second in range(self._second, self._second + seconds):
            for spec, source in self._sources:
                if second % spec.every_seconds == 0:
                    at = NOON.plus(float(second))
                    self.rehearsal.feed(await source.poll(at, self._wanted[spec.name]))
        self._second += seconds

    def verdict(self, rule: str) -> Verdict:
        verdict = self.rehearsal.memory.verdict(rule)
        assert verdict is not None
        return verdict

    def decided_again(self) -> list[tuple[str, ...]]:
        """How each decision, read back as plain data, differs when it is decided once more."""
        decided = [one.entry for one in self.rehearsal.log if isinstance(one.entry, e.Decided)]
        plain = [replace(one, basis=json.loads(json.dumps(one.basis))) for one in decided]
        return [replayed(one) for one in plain]

    def states(self, rule: str) -> list[State]:
        moves = [one.entry for one in self.rehearsal.log if isinstance(one.entry, e.EpisodeMoved)]
        opened = [one.entry for one in self.rehearsal.log if isinstance(one.entry, e.EpisodeOpened)]
        mine = {each.episode for each in opened if each.rule == rule}
        return [move.after for move in moves if move.episode in mine]


ARMED = EXAMPLE.replace(
    "corroborate: [public-probe]\n    playbook: redemption\n    mode: observe",
    "corroborate: [public-probe]\n    playbook: redemption\n    mode: armed\n"
    "    armed_because: it is a test",
)


async def test_an_outage_that_the_public_does_not_see_is_held_until_it_does(wire: Wire) -> None:
    async with RawServer(answering(PAGE)) as app, RawServer(answering("ok")) as public:
        text = ARMED.replace("https://mycelia.example", public.url)
        night = Night(policy(text, app.url), wire, "app", "probe:public-probe")
        await night.go_on(60)
        assert night.verdict("mycelia-down").status is Status.HEALTHY
        assert night.verdict("public-probe").status is Status.HEALTHY
        app.behaviour = answering("", status=503)
        await night.go_on(60)
        assert night.verdict("mycelia-down").status is Status.BREACHED
        assert night.states("mycelia-down") == [State.PENDING, State.HELD]
        public.behaviour = answering("", status=500)
        await night.go_on(20)
        assert night.states("mycelia-down")[-1] is State.HELD, "two looks of five are no outage"
        await night.go_on(20)
        assert night.verdict("public-probe").status is Status.BREACHED
        assert State.ACTING in night.states("mycelia-down")
        assert night.decided_again() == [()] * 3


async def test_a_release_and_its_attestation_are_judged(wire: Wire, tmp_path: Path) -> None:
    release = tmp_path / "mainnet"
    release.mkdir()
    sample = b"{}"
    (release / "images.json").write_bytes(sample)
    digest = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    (release / "checksums.txt").write_text(f"# Git SHA: a9e6\n\n{digest}  images.json\n")
    write(release, collateralizationRatio=1.0)
    text = EXAMPLE.replace("/srv/mycelia/release/mainnet", str(release))
    ours = policy(text, key=ed25519.public_key(SECRET).hex())
    night = Night(ours, wire, "probe:release-files", "probe:por-attestation")
    await night.go_on(1)
    for rule in ("release-files", "por-attestation"):
        assert night.verdict(rule).status is Status.HEALTHY, night.verdict(rule).reason
    (release / "images.json").write_text("[]")
    write(release, collateralizationRatio=0.98)
    await night.go_on(60)
    assert night.verdict("release-files").reason.endswith("1 changed: images.json")
    assert night.verdict("por-attestation").reason.endswith("collateralised 0.98, below 1")
    for rule in ("release-files", "por-attestation"):
        assert night.verdict(rule).status is Status.BREACHED
        assert night.states(rule) == [State.PENDING]
    write(release, collateralizationRatio=0.97)
    await night.go_on(181)
    assert night.states("por-attestation") == [State.PENDING, State.AWAITING]
    assert night.decided_again() == [(), ()]


def write(release: Path, **different: Any) -> None:
    snapshot = {
        "timestamp": int(NOON.wall * 1000),
        "lockedSats": "850000000",
        "outstandingBloom": "85000000",
        "headerHash": "00",
        "merkleRoot": "ab",
        "utxoCount": 412,
        **different,
    }
    text = attestation.attestation(SECRET, snapshot)
    assert json.loads(text)["publicKey"] == ed25519.public_key(SECRET).hex()
    (release / "por.json").write_text(text)
