"""What is restored: since when its content is known, and what was rolled back itself."""

from dataclasses import replace

import pytest

from watchdog.core import entries as e
from watchdog.core.anchors import DISPLACED, Anchors
from watchdog.core.book import MANUAL, Book
from watchdog.core.releases import content_digest, facts_of
from watchdog.core.trees import Anchor
from watchdog.core.words import Direction, Instant, Severity, Truth, World

GOOD, BAD = "600d" * 16, "bad0" * 16
TARGET = "config:/srv/release"


def at(seconds: float) -> Instant:
    return Instant(1_790_000_000.0 + seconds, seconds)


def proven(digest: str, written: float) -> e.ReadinessChanged:
    anchor = Anchor(digest, at(written).wall, (("build_sha", "42"),))
    return e.ReadinessChanged("restore", Truth.TRUE, "staged", anchor)


def opened(intent: str, direction: Direction, *facts: tuple[str, str]) -> e.IntentOpened:
    return e.IntentOpened(intent, "E1", "restore", TARGET, direction, at(300), facts=facts)


def ended(intent: str, direction: Direction, outcome: e.Outcome = e.Outcome.DONE) -> e.IntentEnded:
    return e.IntentEnded(intent, "E1", "restore", TARGET, direction, outcome, "", "", 1.0)


def believed() -> Book:
    """A book in which a person commanded a rollback."""
    book = Book()
    book.apply(e.EpisodeOpened("E1", MANUAL, "", Severity.P0, World.LIVE, None), at(0))
    return book


def settled(intent: str, digest: str) -> e.StepTaken:
    return e.StepTaken(intent, "settle", "claimed", "", facts=((DISPLACED, digest),))


def rolled_back(book: Book) -> None:
    book.apply(opened("I1", Direction.DO), at(10))
    book.apply(settled("I1", BAD), at(11))
    book.apply(ended("I1", Direction.DO), at(12))


def test_content_is_known_by_the_earlier_of_two_proofs() -> None:
    anchors = Anchors()
    anchors.ready(proven(GOOD, written=-500), at(0))
    assert anchors.known_by(anchors.now["restore"]) == at(-500).wall

    # Staged anew, so written later: its content was seen here before.
    anchors.ready(proven(GOOD, written=900), at(1000))
    assert anchors.known_by(anchors.now["restore"]) == at(0).wall


def test_a_version_that_ran_before_it_became_an_anchor_is_known_since_it_was_seen_running() -> None:
    anchors = Anchors()
    running = Anchor(GOOD, at(0).wall, facts_of(TARGET, "v3", "v4"))
    anchors.ready(e.ReadinessChanged("restore", Truth.TRUE, "", running), at(0))

    ran = content_digest(TARGET, "v4")
    anchor = Anchor(ran, at(900).wall, facts_of(TARGET, "v4", "v5"))
    anchors.ready(e.ReadinessChanged("restore", Truth.TRUE, "", anchor), at(900))

    assert anchors.known_by(anchor) == at(0).wall


def test_an_anchor_that_is_not_proven_any_more_is_none() -> None:
    anchors = Anchors()
    anchors.ready(proven(GOOD, written=0), at(0))
    anchors.ready(e.ReadinessChanged("restore", Truth.FALSE, "previous is missing"), at(1))
    assert anchors.now == {}


def test_what_was_rolled_back_is_quarantined_until_a_person_has_undone_that() -> None:
    book = believed()
    anchors = book.anchors
    rolled_back(book)
    assert anchors.bad[BAD].episode == "E1"

    book.apply(opened("I2", Direction.UNDO, (DISPLACED, BAD)), at(20))
    book.apply(ended("I2", Direction.UNDO, e.Outcome.FAILED), at(21))
    assert BAD in anchors.bad, "an undo that failed vouches for nothing"

    book.apply(opened("I3", Direction.UNDO, (DISPLACED, BAD)), at(30))
    book.apply(ended("I3", Direction.UNDO), at(31))
    assert anchors.bad == {}


def test_an_undo_learns_nothing_that_is_bad() -> None:
    book = believed()
    book.apply(opened("I1", Direction.UNDO), at(0))
    book.apply(settled("I1", GOOD), at(1))
    assert book.anchors.bad == {}


def test_an_open_intent_knows_what_its_steps_have_learned_and_which_was_cut_off() -> None:
    book = believed()
    book.apply(opened("I1", Direction.DO, ("generation", "g1")), at(1))
    for step in ("change", "verify 1", "verify 1"):
        book.apply(e.StepBegan("I1", step), at(2))
        if step == "change":
            learned = (("displaced", "/srv/backup"),)
            book.apply(e.StepTaken("I1", "change", "claimed", "", facts=learned), at(3))

    intent = book.intents["I1"]
    assert intent.facts == (("generation", "g1"), ("displaced", "/srv/backup"))
    assert intent.cut_off() == ("verify 1", 2)


@pytest.mark.parametrize("count", [999, 1000, 1001])
def test_first_sights_are_kept_for_a_thousand_contents(count: int) -> None:
    anchors = Anchors()
    for number in range(count):
        anchors.ready(proven(f"{number:064x}", written=10_000), at(number))
    oldest = replace(anchors.now["restore"], digest=f"{0:064x}")
    seen_first = at(0).wall if count <= 1000 else at(10_000).wall
    assert anchors.known_by(oldest) == seen_first
