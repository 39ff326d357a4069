"""The metrics go away in the middle of a breach: no action, a page, and the right end later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest

from tests.e2e.household import Watchdog
from tests.e2e.rulebook import BAD, ERRORS, TOTAL, armed
from tests.e2e.tampering import (
    Tamper,
    Tampering,
    honest,
    login_page,
    not_a_number,
    old_samples,
    two_series,
    warns,
)
from tests.real_parts import FaultProxy, RealPrometheus, Weather
from watchdog.core.entries import (
    BlindBegan,
    BlindEnded,
    Decided,
    EpisodeOpened,
    IntentOpened,
    Ruling,
)
from watchdog.sandbox.handle import Sandbox

FOR_SECONDS = 1.0
BLIND_POLLS = 6

_Entry = TypeVar("_Entry")

Turn = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Trouble:
    """How the metrics go away, and how they come back."""

    strike: Turn
    heal: Turn


async def blinded_in_mid_breach(
    sandbox: Sandbox, watchdog: Watchdog, trouble: Trouble, blind: str
) -> None:
    """A breach begins, and while it is pending the trouble strikes: held, and people told."""
    await watchdog.on_guard()
    await sandbox.break_redemption()
    pending = await watchdog.episode(ERRORS, state="pending")
    await trouble.strike()

    reason = await watchdog.verdict(ERRORS, "blind", blind)
    await watchdog.polls(BLIND_POLLS)

    assert await watchdog.episode(ERRORS) == pending, "nothing ends it, nothing starts for it"
    assert sandbox.flag_changes() == 0
    assert watchdog.entries(IntentOpened) == []
    began = since_the_breach(watchdog, BlindBegan)
    assert began[-1][1].blind.value == blind
    (page,) = watchdog.pages("is blind in mid-breach")
    assert len(began) > 1 or reason in page.title


async def paused_in_the_end(sandbox: Sandbox, watchdog: Watchdog) -> None:
    """Seen again and still breached for the whole `for`: it is paused then, and not before."""
    await watchdog.episode(ERRORS, state="contained")

    assert sandbox.flag_changes() == 1
    (blind, _), *_more = since_the_breach(watchdog, BlindBegan)
    (seen, _), *_more_seen = since_the_breach(watchdog, BlindEnded)
    ((acted, _),) = since_the_breach(watchdog, IntentOpened)
    assert seen - blind > FOR_SECONDS, "which starts `for` again"
    assert acted - seen >= FOR_SECONDS - 0.4, "counted from the polls"
    allowed = [d for d in watchdog.entries(Decided) if d.ruling is Ruling.ALLOWED]
    assert len(allowed) == 1


async def nothing_in_the_end(sandbox: Sandbox, watchdog: Watchdog) -> None:
    """Seen again and healthy: it is over, and nothing was done."""
    await watchdog.episode(ERRORS, state="ok")
    await watchdog.polls()

    assert sandbox.flag_changes() == 0
    assert watchdog.entries(Decided) == []


def since_the_breach(watchdog: Watchdog, kind: type[_Entry]) -> list[tuple[float, _Entry]]:
    """(steady time, entry) of one kind, after the first episode's opening."""
    journal = watchdog.journal()
    opened = next(n for n, one in enumerate(journal) if isinstance(one.entry, EpisodeOpened))
    return [(one.at.steady, one.entry) for one in journal[opened:] if isinstance(one.entry, kind)]


# -- our own scraper -------------------------------------------------------------------------------


def of_the_page(sandbox: Sandbox, name: str) -> Trouble:
    """What the metrics process of the sandbox can do to its scraper."""

    async def pause() -> None:
        sandbox.metrics.pause()

    async def resume() -> None:
        sandbox.metrics.resume()

    def fault(kind: str, **numbers: Any) -> Trouble:
        async def strike() -> None:
            sandbox.fault("metrics", kind, **numbers)

        async def heal() -> None:
            sandbox.clear_faults("metrics")

        return Trouble(strike, heal)

    return {
        "dies": Trouble(sandbox.metrics.kill, sandbox.start_metrics),
        "hangs": Trouble(pause, resume),
        "answers a login page": fault("html"),
        "answers NaN": fault("nan"),
        "answers old samples": fault("old_timestamps", seconds=3600),
    }[name]


@pytest.mark.parametrize(
    ("name", "blind"),
    [
        pytest.param("dies", "source_down", marks=pytest.mark.sim),
        ("hangs", "source_down"),
        pytest.param("answers a login page", "odd_answer", marks=pytest.mark.sim),
        ("answers NaN", "nan"),
        pytest.param("answers old samples", "frozen", marks=pytest.mark.sim),
    ],
)
async def test_a_metrics_page_that_goes_bad_in_mid_breach_pauses_only_when_it_is_back(
    sandbox: Sandbox, watchdog: Watchdog, name: str, blind: str
) -> None:
    watchdog.rules.watch_errors(**{"for": "1s"})
    trouble = of_the_page(sandbox, name)
    await blinded_in_mid_breach(sandbox, watchdog, trouble, blind)

    await trouble.heal()

    await paused_in_the_end(sandbox, watchdog)


@pytest.mark.sim
async def test_a_service_mended_while_nobody_saw_it_is_left_alone(
    sandbox: Sandbox, watchdog: Watchdog
) -> None:
    watchdog.rules.watch_errors(**{"for": "1s"})
    trouble = of_the_page(sandbox, "dies")
    await blinded_in_mid_breach(sandbox, watchdog, trouble, "source_down")

    await sandbox.mend_redemption()
    await asyncio.sleep(2)  # until no window of the rule reaches back to the trouble
    await trouble.heal()

    await nothing_in_the_end(sandbox, watchdog)


# -- a Prometheus between --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def prometheus(
    one_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RealPrometheus]:
    server = RealPrometheus.start(
        tmp_path_factory.mktemp("prometheus"),
        targets=[one_sandbox.metrics_url],
        scrape_interval="250ms",
    )
    with asyncio.Runner() as runner:
        runner.run(server.__aenter__())
        yield server
        runner.run(server.__aexit__(None, None, None))


@pytest.fixture
async def tampering(prometheus: RealPrometheus) -> AsyncIterator[Tampering]:
    async with Tampering(prometheus.url) as server:
        yield server


@pytest.fixture
async def network(tampering: Tampering) -> AsyncIterator[FaultProxy]:
    async with FaultProxy.start(tampering.url) as proxy:
        yield proxy


@pytest.fixture
def asking_prometheus(watchdog: Watchdog, network: FaultProxy) -> Watchdog:
    """One rule whose expression is Prometheus's to evaluate."""
    failed, every = f"sum(rate({BAD}[2s]))", f"sum(rate({TOTAL}[2s]))"
    watchdog.rules.platform["sources"] = {
        "prom": {
            "prometheus": network.url,
            "every": "250ms",
            "scraped_every": "250ms",
            "deadline": "500ms",
        }
    }
    rule = armed(
        source="prom", threshold={"expr": f"{failed} / {every}", "breach_when": "> 5%"},
    )  # fmt: skip
    watchdog.rules.rules.clear()
    watchdog.rules.rules[ERRORS] = {**rule, "for": "1s"}
    return watchdog


def of_the_provider(tampering: Tampering, network: FaultProxy, name: str) -> Trouble:
    def answers(tamper: Tamper) -> Trouble:
        async def strike() -> None:
            tampering.tamper = tamper

        async def heal() -> None:
            tampering.tamper = honest

        return Trouble(strike, heal)

    async def hang() -> None:
        network.set(Weather(blackhole=True))

    async def heal() -> None:
        network.heal()

    return {
        "dies": Trouble(network.down, network.up),
        "hangs": Trouble(hang, heal),
        "answers with warnings": answers(warns),
        "answers NaN": answers(not_a_number),
        "answers a login page": answers(login_page),
        "answers two series": answers(two_series),
        "answers old samples": answers(old_samples),
    }[name]


@pytest.mark.parametrize(
    ("name", "blind"),
    [
        pytest.param("dies", "unreachable", marks=pytest.mark.sim),
        ("hangs", "unreachable"),
        ("answers with warnings", "partial"),
        ("answers NaN", "nan"),
        pytest.param("answers a login page", "odd_answer", marks=pytest.mark.sim),
        pytest.param("answers two series", "too_many_series", marks=pytest.mark.sim),
        pytest.param("answers old samples", "stale", marks=pytest.mark.sim),
    ],
)
async def test_a_prometheus_that_goes_bad_in_mid_breach_pauses_only_when_it_is_back(
    sandbox: Sandbox,
    asking_prometheus: Watchdog,
    tampering: Tampering,
    network: FaultProxy,
    name: str,
    blind: str,
) -> None:
    trouble = of_the_provider(tampering, network, name)
    await blinded_in_mid_breach(sandbox, asking_prometheus, trouble, blind)

    await trouble.heal()

    await paused_in_the_end(sandbox, asking_prometheus)
