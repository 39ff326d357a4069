"""The first line says of a target what was read of it last, and of no other target."""

from __future__ import annotations

from tests.core.decisions.people import contacts, told
from tests.core.decisions.watch import BREACHED, Watch, a_policy, an_action
from watchdog.core import entries as e
from watchdog.core.states import State
from watchdog.core.telling.first_line import first_line
from watchdog.core.words import Truth

TWO = (an_action(), an_action("restore", "config:mainnet"))


def shown(watch: Watch, episode: str = "E1") -> str:
    note = next(n for n in reversed(watch.book.notes.waiting.values()) if n.episode == episode)
    return first_line(note, watch.book.episodes[episode], watch.book, watch.policy)


def test_what_somebody_else_switched_on_again_is_not_told_as_off() -> None:
    watch = told(a_policy(), contacts())
    watch.break_it()
    watch.end()
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.drift()
    assert watch.is_now(State.WATCHED)
    assert "flag:redemption: watched, read back: enabled: true." in shown(watch)
    assert watch.refolded().episodes["E1"] == watch.episode


def test_what_came_late_is_told_as_it_was_read_then() -> None:
    watch = told(a_policy(), contacts())
    watch.break_it()
    intent = next(iter(watch.book.intents))
    watch.end(e.Outcome.UNKNOWN)
    with watch.draft() as draft:
        draft.add(e.CameLate(intent, "E1", "pause", "flag:redemption", "enabled: 0"))
    assert watch.episode.read_back == "enabled: 0"


def test_what_was_read_of_one_target_proves_nothing_of_another() -> None:
    watch = told(a_policy(actions=TWO), contacts())
    watch.break_it()
    watch.end()
    watch.run(20, BREACHED)
    watch.look(Truth.FALSE, Truth.FALSE)
    watch.run(1, BREACHED)
    watch.end()
    watch.look(Truth.TRUE, Truth.TRUE)
    watch.undo(watch.episode)
    watch.drift("config:mainnet", "restore")
    assert [claim.target for claim in watch.book.claims_of("E1")] == ["flag:redemption"]
    assert "contained, flag:redemption rolled back. Next" in shown(watch)
