"""What people were not told while it was silenced, and hear once that is over.

The law: a silence says that somebody knows for a while, and not that the trouble is over. Where it
kept a page of an episode back, or nobody was to be told at all, the next moment in which somebody
may be told tells how the episode stands by then, once; from there its steps are counted.
"""

from __future__ import annotations

from watchdog.core.book import Episode
from watchdog.core.draft import Draft
from watchdog.core.paging import Whom, topic_in
from watchdog.core.states import WAITS_FOR_PEOPLE
from watchdog.core.urgency import Urgency
from watchdog.core.words import Severity


def tell_what_was_kept_back(ep: Episode, asked: str, draft: Draft) -> None:
    """`asked` are the commands of what people are asked for, or ""."""
    policy = draft.book.policy
    if ep.id not in draft.book.notes.kept_back or policy is None or not policy.tells:
        return
    read = f" Read back: {ep.read_back}." if ep.read_back else ""
    draft.page(
        ep,
        f"{ep.rule}: {ep.state.value}: {ep.because}",
        f"{asked}This was kept back until now.{read}",
        whom=Whom(topic=topic_in(ep.state), urgency=_urgency(ep)),
    )


def _urgency(ep: Episode) -> Urgency:
    if ep.acked_by or ep.state not in WAITS_FOR_PEOPLE:
        return Urgency.NEWS
    return Urgency.NOW if ep.severity in {Severity.P0, Severity.P1} else Urgency.SOON
