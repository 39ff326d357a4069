"""Every kind of file that a command reads, mutated: an answer with a place, never a traceback.

And what `check` calls right is what the loader builds, to the last bit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.cli.answers import PLACE, answered
from tests.cli.mutations import damaged, mutated
from tests.policy.importers.samples import SAMPLES
from watchdog.demo.stage import shipped_rules
from watchdog.policy import load_files, load_folder

FEW, MANY = 4, 500
_PHASES = (Phase.explicit, Phase.reuse, Phase.generate)  # what fails is small as it is
_RULE = "redemption-error-rate"

INCIDENTS = """\
incidents:
  - {start: 2026-10-03T14:05Z, end: 2026-10-03T14:40Z, severity: P0, name: bad deploy}
  - {start: 1790006010, end: 1790007210, rule: redemption-error-rate}
"""
HISTORY = "# TYPE up gauge\n" + "".join(
    f'redemption_requests_total{{code="200",job="a"}} {n} {1_790_006_000 + 15 * n}\n'
    for n in range(60)
) + "# EOF\n"  # fmt: skip
TEST = """\
rule_files: [redemption-team/rules.yaml]
environment: sandbox
evaluation_interval: 5s
tests:
  - name: all is well, and nothing is done
    interval: 5s
    input_series:
      - {series: 'redemption_requests_total{code="200"}', values: 0+100x6 600 _ 800}
      - {series: 'redemption_requests_total{code="500"}', values: 0x7}
    sources: [{source: app, is: down, from: 40s, to: 41s}]
    rule_test: [{eval_time: 30s, rule: redemption-error-rate, exp_verdict: healthy, exp_state: ok}]
    episode_test: [{eval_time: 30s, rule: redemption-error-rate, exp_states: []}]
    action_test: [{eval_time: 30s, rule: redemption-error-rate, exp_actions: []}]
    page_test: [{eval_time: 30s, rule: redemption-error-rate, exp_pages: []}]
    alert_rule_test: [{eval_time: 30s, alertname: redemption-error-rate, exp_alerts: []}]
    promql_expr_test: [{expr: 'sum(up)', eval_time: 30s, exp_samples: []}]
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """A file that is mutated, and the command that reads it; FOLDER is the rules folder."""

    file: str
    words: tuple[str, ...]
    text: str = ""  # else what is shipped

    def command(self, folder: Path) -> list[str]:
        return [word.replace("FOLDER", str(folder)) for word in self.words]


_CHECK = ("check", "FOLDER", "--environment", "sandbox")
_BACKTEST = ("backtest", "FOLDER", "--environment", "sandbox", "--rule", _RULE, "--openmetrics")
_I = "FOLDER/i.yaml"
KINDS = {
    "rules": Kind("redemption-team/rules.yaml", _CHECK),
    "platform": Kind("platform.yaml", _CHECK),
    "variables": Kind("vars/sandbox.yaml", _CHECK),
    "explained": Kind(
        "redemption-team/rules.yaml",
        ("explain", _RULE, "--rules", "FOLDER", "--environment", "sandbox", "--traffic", "9/s"),
    ),
    "tests": Kind("a.test.yaml", ("test", "FOLDER/a.test.yaml"), TEST),
    "incidents": Kind("i.yaml", (*_BACKTEST, "FOLDER/h.om", "--incidents", _I), INCIDENTS),
    "history": Kind("h.om", (*_BACKTEST, "FOLDER/h.om", "--no-cache"), HISTORY),
    **{name: Kind("i.yaml", ("import", _I), text) for name, text in SAMPLES.items()},
}  # fmt: skip
STRUCTURED = [name for name in KINDS if name != "history"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped rules, with a history and incidents beside them."""
    found = tmp_path_factory.mktemp("mutated") / "rules"
    shutil.copytree(shipped_rules(), found)
    (found / "h.om").write_text(HISTORY)
    return found


def tried(kind: Kind, folder: Path, content: bytes) -> None:
    """One mutation of one file, and what may be said of it."""
    path = folder / kind.file
    good = path.read_bytes() if path.exists() else b""
    try:
        path.write_bytes(content)
        status, said = answered(kind.command(folder))
        assert status != 2, said
        if status and kind.words[0] != "test":
            assert PLACE.search(said), said
        if not status and kind.words == _CHECK:
            _builds(folder)
    finally:
        path.write_bytes(good)


def _builds(folder: Path) -> None:
    """What `check` calls right is loaded whole, and from its own record again, the same."""
    load = load_folder(folder, "sandbox")
    assert load.complete
    assert load.policy is not None
    again = load_files(load.files, "sandbox")
    assert again.policy == load.policy
    assert load.policy.sha256 == (again.policy.sha256 if again.policy else "")


def _good(kind: Kind, folder: Path) -> str:
    return kind.text or (folder / kind.file).read_text(encoding="utf-8")


def _structures(kind: Kind, folder: Path, many: int) -> None:
    @settings(
        max_examples=many, deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES
    )
    @given(text=mutated(_good(kind, folder)))
    def of(text: str) -> None:
        tried(kind, folder, text.encode("utf-8", "surrogatepass"))

    of()


def _bytes(kind: Kind, folder: Path, many: int) -> None:
    @settings(
        max_examples=many, deadline=None, suppress_health_check=list(HealthCheck), phases=_PHASES
    )
    @given(content=damaged(_good(kind, folder)))
    def of(content: bytes) -> None:
        tried(kind, folder, content)

    of()


@pytest.mark.parametrize("name", STRUCTURED)
def test_a_structure_with_something_else_in_it_is_answered(name: str, folder: Path) -> None:
    _structures(KINDS[name], folder, FEW)


@pytest.mark.parametrize("name", ["rules", "platform", "tests", "history", "incidents"])
def test_damaged_bytes_are_answered(name: str, folder: Path) -> None:
    _bytes(KINDS[name], folder, FEW)


@pytest.mark.sim
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("way", [_structures, _bytes])
@pytest.mark.parametrize("name", KINDS)
def test_many_mutations(name: str, way: Callable[[Kind, Path, int], None], folder: Path) -> None:
    if way is _bytes or name in STRUCTURED:
        way(KINDS[name], folder, MANY)
