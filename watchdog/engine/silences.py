"""Watches Alertmanager's silences and puts what changes of them on the record.

Laws: a silence that was once read stands until its own end, whatever becomes of Alertmanager; an
Alertmanager that does not answer never keeps an action back, except that after a start one look
is waited for, as long as a look may take; only what may concern a rule of ours is recorded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from watchdog.core.alerting import OF_THE_MOMENT, alert_labels
from watchdog.core.alertmanager import AlertmanagerSpec
from watchdog.core.draft import Draft
from watchdog.core.entries import SilenceEnded, SilenceSeen
from watchdog.core.inputs import SilencesRead
from watchdog.core.silences import Concern, Matching, Silence
from watchdog.core.spec import Policy
from watchdog.core.words import Instant, World
from watchdog.engine.reaching import GRACE_SECONDS, page_when_long, turned
from watchdog.engine.recorder import Recorder
from watchdog.ports import SilencesLook, SilenceSource

MATTER: Final = "silences"
NOT_READ = "Alertmanager's silences cannot be read"
NOT_READ_MEANS = (
    "Those that were read before stand until they end. New ones are not seen, and nothing waits "
    "for them. See: slo-watchdog status"
)
_MOST_REMEMBERED = 20_000

Matchers = tuple[Matching, ...]
Open = Callable[[AlertmanagerSpec], SilenceSource | None]


@dataclass(slots=True)
class _Known:
    """What one policy's rules are called, and what that means for silences already looked at."""

    sha256: str
    labels: list[tuple[str, dict[str, str], frozenset[str]]]  # rule, its labels, its members' ones
    concern: Concern
    concerns: dict[Matchers, bool] = field(default_factory=dict)
    covered: dict[Matchers, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, policy: Policy) -> _Known:
        labels = [
            (
                rule.name,
                dict(alert_labels(rule, policy.environment, World.LIVE)),
                frozenset(rule.each),
            )
            for rule in policy.rules.values()
        ]
        members = frozenset(label for _, _, own in labels for label in own)
        concern = Concern((one for _, one, _ in labels), members | OF_THE_MOMENT)
        return cls(policy.sha256, labels, concern)


class SilenceWatch:
    """One loop; `looked_at` is when silences were last read, and `replicas` how that went."""

    def __init__(
        self,
        recorder: Recorder,
        open_source: Open,
        policy: Callable[[], Policy],
        on_change: Callable[[], None],
    ) -> None:
        self.replicas: dict[str, str] = {}
        self.looked_at: Instant | None = None
        self._recorder = recorder
        self._open = open_source
        self._policy = policy
        self._on_change = on_change
        self._again = asyncio.Event()
        self._spec: AlertmanagerSpec | None = None
        self._source: SilenceSource | None = None
        self._waits_until: Instant | None = None  # of the first look; None once it has ended
        self._known: _Known | None = None

    def adopt(self) -> None:
        """Another policy is in force: other rules, or another Alertmanager. Looked at once."""
        self._align()
        self._again.set()

    def read(self) -> SilencesRead:
        """How well silences are known now, for the gates."""
        spec, reached = self._spec, self._recorder.book.outside.reached.get(MATTER)
        if spec is None:
            return SilencesRead()
        until = self._waits_until
        if until is not None and self._recorder.clock.now().steady < until.steady:
            when = f"{until.utc:%H:%M:%SZ}"
            what = f"waits for the first look at Alertmanager's silences, until {when} at most"
            return SilencesRead(awaited=what)
        if until is not None:
            return SilencesRead(doubt="Alertmanager has not told its silences since the start")
        if reached is not None and not reached.answers:
            return SilencesRead(
                doubt=f"Alertmanager's silences could not be read since "
                f"{reached.since.utc:%Y-%m-%d %H:%M:%SZ} ({reached.reason})"
            )
        return SilencesRead()

    def covers(self, silence: Silence) -> tuple[str, ...]:
        """The rules of which it covers an alert, be it of some members, of shadow, of blindness."""
        known = self._rules_known()
        found = known.covered.get(silence.matchers)
        if found is None:
            found = known.covered[silence.matchers] = tuple(
                name
                for name, labels, members in known.labels
                if silence.covers(labels, open_=members | OF_THE_MOMENT)
            )
        return found

    async def forever(self) -> None:
        """Look every so often, and at once where another policy asks for it. Until cancelled."""
        while True:
            self._again.clear()
            if self._spec is not None and self._source is not None:
                self._begin_to_wait(self._spec)
                await self._look(self._spec, self._source)
            every = self._spec.every_seconds if self._spec is not None else None
            try:
                async with asyncio.timeout(every):
                    await self._again.wait()
            except TimeoutError:
                pass

    # -- inside ------------------------------------------------------------------------------------

    def _align(self) -> None:
        """Ask the Alertmanager that the policy names, if it names one for silences."""
        wanted = self._policy().alertmanager
        wanted = wanted if wanted is not None and wanted.silences else None
        if wanted is None:
            self._forget("the policy does not ask for silences any more")
        if wanted == self._spec:
            return
        self._spec, self.replicas, self.looked_at = wanted, {}, None
        self._source = self._open(wanted) if wanted is not None else None
        self._waits_until = None
        if wanted is not None and self._source is not None:
            self._waits_until = self._recorder.clock.now().plus(wanted.deadline_seconds)

    def _forget(self, reason: str) -> None:
        draft = self._recorder.draft()
        for known in list(draft.book.outside.silences):
            draft.add(SilenceEnded(known, reason))
        self._recorder.commit(draft)

    def _begin_to_wait(self, spec: AlertmanagerSpec) -> None:
        """The first look is waited for from its own beginning on."""
        if self._waits_until is not None:
            self._waits_until = self._recorder.clock.now().plus(spec.deadline_seconds)

    async def _look(self, spec: AlertmanagerSpec, source: SilenceSource) -> None:
        look = await _looked(spec, source, self._recorder.clock.now())
        if spec != self._spec:
            return  # another policy came while it was asked
        self._waits_until = None
        self.replicas = dict(look.replicas)
        draft = self._recorder.draft()
        reason = next((why for why in look.replicas.values() if why), "")
        turned(draft, MATTER, answers=look.silences is not None, reason=reason)
        if look.silences is None:
            page_when_long(draft, MATTER, spec.page_after_seconds, NOT_READ, NOT_READ_MEANS)
        else:
            self.looked_at = draft.now
            self._take(look.silences, draft)
        changed = bool(draft.entries)
        self._recorder.commit(draft)
        if changed:
            self._on_change()

    def _take(self, silences: tuple[Silence, ...], draft: Draft) -> None:
        """Record what is new, what is other than before, and what is gone."""
        rules = self._rules_known()
        # An open episode may carry labels that its rule had under another policy.
        open_ones = [dict(ep.labels) for ep in draft.book.open_episodes() if ep.labels]
        ours = {
            one.id: one
            for one in silences
            if self._concerns_us(one, rules)
            or any(one.covers(labels, open_=OF_THE_MOMENT) for labels in open_ones)
        }
        for one in ours.values():
            known = draft.book.outside.silences.get(one.id)
            if known is None or not known.silence.is_as(one):
                draft.add(SilenceSeen(one))
        for gone in [name for name in draft.book.outside.silences if name not in ours]:
            draft.add(SilenceEnded(gone, "ended in Alertmanager, or no rule is known to it"))

    def _concerns_us(self, silence: Silence, known: _Known) -> bool:
        found = known.concerns.get(silence.matchers)
        if found is None:
            if len(known.concerns) >= _MOST_REMEMBERED:
                known.concerns.clear()
            found = known.concerns[silence.matchers] = known.concern.has(silence)
        return found

    def _rules_known(self) -> _Known:
        policy = self._policy()
        if self._known is None or self._known.sha256 != policy.sha256:
            self._known = _Known.of(policy)
        return self._known


async def _looked(spec: AlertmanagerSpec, source: SilenceSource, at: Instant) -> SilencesLook:
    """One look, cut off where the source breaks its promises."""
    try:
        async with asyncio.timeout(spec.deadline_seconds + GRACE_SECONDS):
            return await source.look(at)
    except TimeoutError:
        why = f"no answer within {spec.deadline_seconds + GRACE_SECONDS:g} s: cut off"
    except Exception as error:  # noqa: BLE001  # an adapter's bug must not end the watch
        why = f"{type(error).__name__} while it was asked"
    return SilencesLook(None, dict.fromkeys((one.url for one in spec.endpoints), why))
