"""Named checks after a rollback: on the record, told once, and of no weight in any decision."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import watchdog.core
from tests.core.decisions.watch import BREACHED, HEALTHY, Watch, a_policy
from watchdog.core import entries as e
from watchdog.core.asking import Endpoint
from watchdog.core.probes import HttpProbe
from watchdog.core.states import State
from watchdog.core.urgency import Urgency
from watchdog.core.verification import NamedCheck, VerificationBegan, VerificationChecked
from watchdog.core.verified import KEPT_ENDED, Verifications
from watchdog.core.verifying import checked
from watchdog.core.words import Direction, Instant, Truth
from watchdog.engine.retention import _BOOK, snapshot

HOW = HttpProbe(Endpoint("http://checked/"), None, "")


def check(name: str, *, page: bool = False) -> NamedCheck:
    return NamedCheck(name, HOW, "it", tuple(Direction), 1.0, 30.0, page, "")


def a_watch(*checks: NamedCheck) -> Watch:
    policy = a_policy()
    return Watch(replace(policy, verification={"pause": checks}) if checks else policy)


def came_of(watch: Watch, name: str, truth: Truth) -> None:
    """The newest verification hears what came of one check."""
    run = next(reversed(watch.book.verifications.runs.values()))
    about = run.began.verification, run.began.episode, run.began.action
    with watch.draft() as draft:
        entry = VerificationChecked(*about, name, truth, f"{name} {truth.value}", 1, 2.0, 0.1)
        checked(entry, watch.policy, draft)


def lived(watch: Watch) -> list[tuple[Instant, e.Entry]]:
    """Rolled back, contained, undone, broken again; checks say their worst in between."""
    with_checks = bool(watch.policy.verification)

    def says(name: str, truth: Truth) -> None:
        if with_checks:
            came_of(watch, name, truth)

    watch.break_it()
    watch.end()
    says("a", Truth.FALSE)
    watch.run(3)
    watch.look(Truth.TRUE, Truth.UNKNOWN)
    says("b", Truth.UNKNOWN)
    says("c", Truth.FALSE)
    watch.run(5, HEALTHY)
    watch.drift()
    watch.run(2, BREACHED)
    watch.run(20, HEALTHY)
    return [
        (at, entry)
        for at, entry in watch.journal
        if not entry.kind.startswith("aside.") and "verification" not in str(entry)
    ]


def test_every_entry_that_decides_is_the_same_to_the_second_whatever_checks_say() -> None:
    plain, told = a_watch(), a_watch(check("a", page=True), check("b"), check("c"))
    assert lived(told) == lived(plain)
    assert [one.kind for _, one in told.journal if one.kind.startswith("aside.")].count(
        "aside.verification.checked"
    ) == 3


def test_nothing_that_decides_reads_what_checks_said() -> None:
    """Only what folds, tells and shows them does: whoever else comes to is to be looked at."""
    core = Path(watchdog.core.__file__).parent
    reads = {
        path.relative_to(core).as_posix()
        for path in core.rglob("*.py")
        if re.search(r"\bverifications\b|\.verification\b", path.read_text(encoding="utf-8"))
    }
    assert reads == {
        "book.py", "verified.py", "verification.py", "verifying.py", "entries.py", "numbering.py",
        "spec.py",
    }  # fmt: skip


def test_failures_are_told_together_once_when_all_are_known() -> None:
    watch = a_watch(check("a"), check("b"), check("c"))
    watch.break_it()
    watch.end()
    for name, truth in (("c", Truth.FALSE), ("a", Truth.FALSE), ("b", Truth.TRUE)):
        assert not pages(watch)
        came_of(watch, name, truth)
    (page,) = pages(watch)
    assert page.title == "errors: pause: verification fails: a, c"
    assert (page.key, page.urgency) == ("episode:E1", Urgency.SOON)


def test_one_that_is_to_call_calls_and_what_is_over_is_not_opened_again() -> None:
    watch = a_watch(check("a", page=True))
    watch.break_it()
    watch.end()
    (began,) = (one for _, one in watch.journal if isinstance(one, VerificationBegan))
    assert (began.verification, began.intent, began.checks) == ("V1", "I1", ("a",))
    ep = watch.book.episodes["E1"]
    ep.state = State.OK  # closed meanwhile
    came_of(watch, "a", Truth.FALSE)
    (page,) = pages(watch)
    assert (page.key, page.urgency) == ("action:pause:verification", Urgency.NOW)


def pages(watch: Watch) -> list[e.Paged]:
    found = (one for _, one in watch.journal if isinstance(one, e.Paged))
    return [page for page in found if "verification" in page.title]


def test_runs_are_forgotten_after_many_others_and_survive_a_retirement() -> None:
    book = a_watch().book
    for number in range(1, KEPT_ENDED + 4):
        name, episode = f"V{number}", f"E{number}"
        at = Instant(float(number), float(number))
        direction = Direction.DO
        checks = ("a",) if number != 2 else ("a", "b")
        book.apply(VerificationBegan(name, episode, "pause", "flag:x", direction, checks), at)
        entry = VerificationChecked(name, episode, "pause", "a", Truth.TRUE, "well", 1, 1.0, 0.1)
        book.apply(entry, at)
    kept: Verifications = book.verifications
    assert "V1" not in kept.runs
    assert [run.began.verification for run in kept.under_way()] == ["V2"], "it has not ended"
    assert not kept.of("E1")
    assert kept.lines("E2") == ("verified after pause: 1 of 2 hold; under way: b",)
    assert _BOOK.validate_json(snapshot(book)).verifications == kept
    assert book.next_id("V") == f"V{KEPT_ENDED + 4}"
