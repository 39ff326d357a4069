"""What a selector means is what asking every series would find, but every series is not asked."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest

from watchdog.core.promql import Selector
from watchdog.core.samples import Labels, Reading, Sample, labels_of
from watchdog.core.series import Series, SeriesStore
from watchdog.core.series_index import Matches
from watchdog.core.words import Instant

EVERY = 200.0
SELECTORS = (
    "requests",
    'requests{service="s1"}',
    'requests{service="s1",code="500"}',
    'requests{code="500",service="s2"}',
    'requests{service="s3",pod="p1"}',
    'requests{service="nobody"}',
    'requests{service=""}',
    'requests{service!="s1",code="200"}',
    'requests{code=~"5..",service="s1"}',
    'requests{service=~"s1|s2"}',
    'requests{service=~"s2",code!~"200"}',
    'requests{service=~""}',
    'requests{pod=~"p.",code="200"}',
    '{__name__="requests",__name__=~"req.*",code="500"}',
    'errors{service="s1"}',
    'absent{service="s1"}',
    '{service="s1"}',
    '{__name__=~".*s",code="500"}',
)


@dataclass(slots=True)
class Service:
    """Polled by a store that forgets at the third poll what is gone."""

    store: SeriesStore = field(default_factory=lambda: SeriesStore(10_000, 60.0))
    now: float = 1000.0

    def poll(self, shown: Iterable[tuple[str, Labels]]) -> None:
        samples = tuple(Sample(name, labels, 1.0, self.now) for name, labels in shown)
        at = Instant(self.now, self.now)
        self.store.ingest(Reading("app", at, 0.1, samples=samples, up={"app": True}))
        self.now += EVERY

    def scanned(self, selector: Matches) -> tuple[Series, ...]:
        return tuple(s for s in self.store if selector.matches(s.name, dict(s.labels)))


def of(service: int, code: int = 200, pod: int = 0) -> Labels:
    return labels_of({"service": f"s{service}", "code": str(code), "pod": f"p{pod}"})


@pytest.mark.parametrize("seed", range(4))
def test_what_is_found_is_what_a_scan_finds_whatever_is_born_and_dies(seed: int) -> None:
    """Names from none to two hundred series; selectors are asked at times of their own."""
    dice = random.Random(seed)  # noqa: S311  # no secret
    service, selectors = Service(), [Selector.parse(text) for text in SELECTORS]
    everything = [
        (name, of(number, code, pod))
        for name in ("requests", "errors")
        for number in range(5)
        for code in (200, 404, 500)
        for pod in range(9)
    ] + [("requests", labels_of({"code": "500"}))]
    found = forgotten = 0
    for _ in range(60):
        share = dice.choice((0.0, 0.01, 0.1, 0.5, 0.9))
        before = set(service.store)
        service.poll(dice.sample(everything, round(share * len(everything))))
        forgotten += len(before - set(service.store))
        for selector in dice.sample(selectors, dice.randrange(len(selectors) + 1)):
            matching = service.store.matching(selector)
            assert matching == service.scanned(selector), selector.text
            found += len(matching)
    assert found > 500
    assert forgotten > 500


@dataclass(slots=True, eq=False)
class Counting:
    """A selector that counts how often it is asked."""

    selector: Selector
    asked: int = 0

    @property
    def name(self) -> str | None:
        return self.selector.name

    @property
    def exact(self) -> tuple[tuple[str, str], ...]:
        return self.selector.exact

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        self.asked += 1
        return self.selector.matches(name, labels)


def test_one_birth_among_thousands_of_series_asks_about_nothing_else() -> None:
    service = Service()
    shown = [("requests", of(number, code)) for number in range(500) for code in (200, 500)]
    by_service = [
        Counting(Selector.parse(f'requests{{service="s{n}",code=~"5.."}}')) for n in range(500)
    ]
    by_code = Counting(Selector.parse('requests{code=~"5.."}'))
    service.poll(shown)
    for one in (*by_service, by_code):
        assert service.store.matching(one)
        one.asked = 0
    service.poll([*shown, ("requests", of(7, 500, pod=1))])
    seen = [len(service.store.matching(one)) for one in by_service]
    assert sum(one.asked for one in by_service) == 1
    assert (seen[7], sum(seen)) == (2, 501)
    assert len(service.store.matching(by_code)) == 501
    assert by_code.asked == 1


def test_the_first_asking_of_many_selectors_asks_each_about_its_own() -> None:
    service = Service()
    selectors = [Counting(Selector.parse(f'requests{{service="s{n}"}}')) for n in range(300)]
    # Asked before there is anything, as after a failed first scrape.
    assert [service.store.matching(one) for one in selectors] == [()] * 300
    service.poll([("requests", of(number, pod=pod)) for number in range(300) for pod in range(4)])
    assert all(len(service.store.matching(one)) == 4 for one in selectors)
    assert sum(one.asked for one in selectors) == 4 * 300
