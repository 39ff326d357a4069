"""What probes read from outside, mutated: an answer in words and in time, and no false "holds".

Whatever stands in `por.json` and in `checksums.txt`, a look that holds must be true.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.cli.mutations import Data, damaged, mutated
from tests.sources import test_attestation, test_manifest
from watchdog.core.samples import Reading
from watchdog.sources.attestation_format import attestation_of
from watchdog.sources.manifest_format import digests
from watchdog.wire.http import Wire
from watchdog.wire.secrets import FileSecrets

FEW, MANY = 6, 700
_CPU_SECONDS = 1.0
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # what fails is small as it is


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as found:
        yield found


def how_often(many: int) -> settings:
    return settings(
        max_examples=many, deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES
    )


def told(reading: Reading) -> bool:
    """Whether it holds; in any case it is said in words, on one line, that steer nothing."""
    look, failure = reading.look, reading.failure
    assert (look is None) is not (failure is None)
    reason = look.reason if look is not None else failure.reason if failure is not None else ""
    assert reason.isprintable()
    assert 0 < len(reason) < 1000
    return look is not None and look.holds


def attestations(runner: asyncio.Runner, folder: Path, many: int, *, structure: bool) -> None:
    wire = Wire(FileSecrets([]))
    good = json.dumps(test_attestation.signed(), indent=1)
    signed = attestation_of(good.encode())

    def read(text: str) -> list[Data]:
        return [json.loads(text)]  # its numbers stay numbers

    @how_often(many)
    @given(content=mutated(good, read).map(str.encode) if structure else damaged(good))
    def of(content: bytes) -> None:
        began = time.process_time()
        if told(runner.run(test_attestation.look(wire, content, folder))):
            assert attestation_of(content) == signed
        assert time.process_time() - began < _CPU_SECONDS

    assert told(runner.run(test_attestation.look(wire, good.encode(), folder)))
    of()
    runner.run(wire.aclose())


def manifests(runner: asyncio.Runner, folder: Path, many: int) -> None:
    wire = Wire(FileSecrets([]))
    there = {name: hashlib.sha256(text).hexdigest() for name, text in test_manifest.FILES.items()}
    for name, text in test_manifest.FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text)
    good = "# Checksums\n" + "".join(f"{digest}  {name}\n" for name, digest in there.items())
    manifest = folder / "checksums.txt"

    @how_often(many)
    @given(content=damaged(good))
    def of(content: bytes) -> None:
        manifest.write_bytes(content)
        began = time.process_time()
        if told(runner.run(test_manifest.look(wire, folder))):
            assert digests(content, itself=manifest.name) == there
        assert time.process_time() - began < _CPU_SECONDS

    manifest.write_text(good)
    assert told(runner.run(test_manifest.look(wire, folder)))
    of()
    runner.run(wire.aclose())


@pytest.mark.parametrize("structure", [True, False], ids=["structure", "bytes"])
def test_a_mutated_attestation_is_answered(
    runner: asyncio.Runner, tmp_path: Path, *, structure: bool
) -> None:
    attestations(runner, tmp_path, FEW, structure=structure)


def test_a_mutated_manifest_is_answered(runner: asyncio.Runner, tmp_path: Path) -> None:
    manifests(runner, tmp_path, FEW)


@pytest.mark.sim
@pytest.mark.timeout(3600)
def test_many_mutations(runner: asyncio.Runner, tmp_path: Path) -> None:
    attestations(runner, tmp_path, MANY, structure=True)
    attestations(runner, tmp_path, MANY, structure=False)
    (tmp_path / "release").mkdir()
    manifests(runner, tmp_path / "release", MANY)
