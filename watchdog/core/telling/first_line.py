"""The first line of a message, for a phone at night: where, how bad, what, what is proven, what is
next and when, and the command that stops it.

What is said of a target is what was read back, never what was meant. The line is made when it is
sent, so that one which comes late tells how it is by then.
"""

from __future__ import annotations

from watchdog.core.book import Book, Episode
from watchdog.core.spec import Policy
from watchdog.core.states import State
from watchdog.core.telling.next_step import next_step
from watchdog.core.telling.notes import Note
from watchdog.core.text import shortened

LONGEST = 300
_LONGEST_READ_BACK = 60
_LONGEST_TITLE = 140


def first_line(note: Note, ep: Episode | None, book: Book, policy: Policy) -> str:
    """Of an episode that is over, or forgotten, the note's own title says it."""
    head = f"[{policy.environment}] {note.severity.value}"
    if ep is None or not ep.is_open:
        return shortened(f"{head} {note.title}", LONGEST)
    step = next_step(ep, book, policy)
    at = f" at {step.at.utc:%H:%M:%SZ}" if step.at is not None else ""
    stop = f" Stop: {step.stop}" if step.stop else ""
    known = f"{head} {ep.target or ep.rule}: {verified(ep, book)}"
    return shortened(f"{known}. Next: {step.text}{at}{step.unless}.", LONGEST) + stop


def verified(ep: Episode, book: Book) -> str:
    """What is known of the episode's targets by read-back."""
    seen = shortened(ep.read_back, _LONGEST_READ_BACK)
    held = [claim.target for claim in book.claims_of(ep.id)]
    back = "it" if held == [ep.target] else ", ".join(held)
    if ep.state is State.ACTING:
        return f"{ep.action} is under way, not read back yet"
    if back:
        rolled = "rolled back" if back == "it" else f"{back} rolled back"
        proof = f" (read back: {seen})" if seen and ep.target in held else ""
        return f"{ep.state.value}, {rolled}{proof}"
    if ep.effected:
        return f"{ep.state.value}, read back: {seen or 'not readable'}"
    return f"{ep.state.value}, nothing was changed"
